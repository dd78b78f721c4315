"""Everything about a customer on one screen, for everybody, in their time and within their rights."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually
from rapport_tools.local.roles import ROLES
from tests.browser.company import ALICE, DORA, Company, Person, SignedIn
from tests.browser.customers import ahead, in_trouble, say, somebody, unknown

# What a role may be offered on a customer's page, and how it is asked of the service.
OFFERED = {
    "Edit details": ("PATCH", "{customer}", "etag"),
    "Change manager": ("POST", "{customer}:assignRelationshipManager", "etag"),
    "Give goodwill": ("POST", "goodwill:grant", "goodwill"),
    "Make a promise": ("POST", "promises:make", "promise"),
    "Open a case": ("POST", "cases:open", "case"),
}


@pytest.fixture(scope="module")
def time_of_day() -> ManualClock:
    """Three days ago, which a customer takes to get into trouble."""
    return ManualClock(datetime.now(UTC) - timedelta(days=3))


@pytest.fixture(scope="module", autouse=True)
async def erika(desk: Company, time_of_day: ManualClock) -> str:
    """The customer in trouble; then it is now."""
    return await in_trouble(desk, time_of_day)


async def test_a_customer_in_trouble_is_seen_without_scrolling(
    desk: Company, signed_in: SignedIn, erika: str
) -> None:
    visitor = await signed_in()
    await visitor.page.goto(f"/{erika}")
    for card in ("#who", "#worth", "#points", "#promises", "#cases"):
        box = await visitor.page.locator(card).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, card


async def test_two_slips_and_two_cases_are_seen_without_scrolling(desk: Company, signed_in: SignedIn) -> None:
    customer = await somebody(desk)
    for number in (5031, 5032):
        opened = {"customer": customer, "topic": "late-delivery", "owner": "agents/alice"}
        case = (await desk.ask(ALICE, "POST", "cases:open", case=opened))["name"]
        work = {"case": case, "department": "departments/delivery", "kind": "deliver-order"}
        item = (await desk.ask(ALICE, "POST", "workItems", **work, reference=f"orders/{number}"))["name"]
        promise = {"customer": customer, "case": case, "workItem": item, "department": "departments/delivery"}
        promise |= {"kind": "delivery", "reference": f"orders/{number}", "dueTime": ahead(desk, days=2)}
        await desk.ask(ALICE, "POST", "promises:make", promise=promise)
        late = {"forecastFinishTime": ahead(desk, days=4), "reasonCode": "carrier-delay"}
        await desk.ask(DORA, "POST", f"{item}:forecast", **late)
    page = (await signed_in()).page
    await page.goto(f"/{customer}")
    await expect(page.locator("#promises .promise .moved s")).to_have_count(2)
    await expect(page.locator("#cases .case")).to_have_count(2)
    assert await page.evaluate("() => document.documentElement.scrollHeight") <= 800


async def test_on_the_smallest_phone_the_bad_news_is_in_sight_and_everything_can_be_hit(
    desk: Company, signed_in: SignedIn, erika: str
) -> None:
    page = (await signed_in(narrow=True, viewport={"width": 320, "height": 640})).page
    for path in (f"/{erika}", "/", "/cases", f"/{erika}/timeline"):
        await page.goto(path)
        bar = await page.locator("header.bar").bounding_box()
        assert bar is not None
        assert bar["height"] <= 56, path
        small = "all => all.filter(({offsetHeight: high}) => high && high < 24).map(each => each.outerHTML)"
        assert await page.locator("main :is(a, button), header summary").evaluate_all(small) == [], path
    await page.goto(f"/{erika}")
    news = await page.locator("#promises .moved").first.bounding_box()
    note = await page.locator(".note").bounding_box()
    assert news is not None
    assert note is not None
    assert news["y"] + news["height"] <= note["y"]
    await page.get_by_text("Menu", exact=True).click()
    await page.locator(".menu").get_by_role("link", name="Cases").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cases of Front desk")


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
async def test_nothing_sticks_out_of_the_page(
    desk: Company, signed_in: SignedIn, erika: str, narrow: bool
) -> None:
    visitor = await signed_in(narrow=narrow)
    for customer in (erika, await unknown(desk)):
        await visitor.page.goto(f"/{customer}")
        assert await visitor.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("role", [*ROLES])
async def test_row_17_each_role_is_offered_what_the_services_let_it_do_and_nothing_else(
    desk: Company, signed_in: SignedIn, role: str
) -> None:
    person, customer = Person("robin", role), await somebody(desk)
    visitor = await signed_in(person)
    await visitor.page.goto(f"/{customer}")
    allowed = {each for each, asked in OFFERED.items() if await lets(desk, person, customer, *asked)}
    buttons = visitor.page.get_by_role("button")

    async def shows() -> bool:  # a card that was late comes by the stream
        return {each for each in OFFERED if await buttons.filter(has_text=each).count()} == allowed

    await eventually(shows)


async def lets(desk: Company, person: Person, customer: str, method: str, path: str, of: str) -> bool:
    """Whether the service lets somebody do it, whatever else it says of a request with so little in it."""
    try:
        await desk.ask(person, method, path.format(customer=customer), **{of: "" if of == "etag" else {}})
    except AssertionError as refused:
        return ": 403 " not in str(refused)
    return True


@pytest.mark.parametrize(
    ("zone", "first", "second"),
    [
        ("Europe/Berlin", "02:30:00 CEST", "02:30:00 CET"),
        ("America/New_York", "20:30:00 Eastern Daylight Time", "21:30:00 Eastern Daylight Time"),
        ("Asia/Kolkata", "06:00:00 +0530", "07:00:00 +0530"),
    ],
)
async def test_row_23_a_moment_is_told_where_one_is_with_its_zone_also_in_the_night_of_the_change(
    desk: Company, signed_in: SignedIn, zone: str, first: str, second: str
) -> None:
    customer = await somebody(desk)
    for at, what in (("2025-10-26T00:30:00Z", "summer"), ("2025-10-26T01:30:00Z", "winter")):
        await say(desk, customer, what, occurTime=at)
    visitor = await signed_in(zone=zone)
    await visitor.page.goto(f"/{customer}")
    for what, told in (("summer", first), ("winter", second)):
        line = visitor.page.locator("#timeline li").filter(has_text=what)
        assert told in (await line.locator("time").get_attribute("title") or "")


async def test_row_23_what_is_past_is_never_said_to_come_nor_the_other_way_round(
    desk: Company, signed_in: SignedIn, time_of_day: ManualClock
) -> None:
    customer = await somebody(desk)
    promise = {"customer": customer, "department": "departments/front-desk", "kind": "call-back"}
    await desk.ask(ALICE, "POST", "promises:make", promise=promise | {"dueTime": ahead(desk, minutes=10)})
    pages = [(await signed_in(zone=zone)).page for zone in ("Pacific/Kiritimati", "Pacific/Niue")]
    for told, never in (("in 10 minutes", r"\bago\b"), ("20 minutes ago", r"\bin\b")):
        for page in pages:
            await page.goto(f"/{customer}")
            age = page.locator("#promises .age")
            await expect(age).to_contain_text(told)
            await expect(age).not_to_contain_text(re.compile(never))
        time_of_day.advance(timedelta(minutes=30))


async def test_what_one_may_still_give_is_said_before_and_follows_what_was_given(
    desk: Company, signed_in: SignedIn
) -> None:
    customer = await somebody(desk)
    page = (await signed_in()).page
    await page.goto(f"/{customer}")
    points = page.locator("#points dl")
    await expect(points).to_contain_text(re.compile(r"You may still give\s*[\d,]+\s*For one problem\s*500"))
    given = {"customer": customer, "points": {"amount": 500}, "reasonCode": "our-mistake"}
    for _ in range(5):
        await desk.ask(ALICE, "POST", "goodwill:grant", goodwill=given)
    await page.keyboard.press("g")
    await page.get_by_role("dialog").get_by_label("Reason").select_option("our-mistake")
    await page.get_by_role("dialog").get_by_label("Points").fill("450")
    await page.keyboard.press("Control+Enter")
    await expect(points).to_contain_text(re.compile(r"You may still give\s*50\s*$"))


async def test_row_24_the_picture_of_what_was_paid_is_what_the_listed_purchases_add_up_to(
    desk: Company, signed_in: SignedIn, erika: str
) -> None:
    listed = await desk.ask(ALICE, "GET", f'purchases?filter=customer="{erika}"&pageSize=1000')
    paid: Counter[str] = Counter()
    for each in listed["purchases"]:
        on = datetime.fromisoformat(each["purchaseTime"])
        paid[f"Q{(on.month + 2) // 3} {on.year}"] += int(each["amount"]["units"])
    page = (await signed_in()).page
    await page.goto(f"/{erika}")
    bars = dict(title.split(": ") for title in await page.locator("#worth title").all_text_contents())
    assert {quarter: int(amount.split()[0]) for quarter, amount in bars.items()} == {
        each: paid[each] for each in bars
    }
    await expect(page.locator("#worth .big")).to_have_text(f"US${paid.total()}.00")
    await expect(page.locator("#worth")).to_contain_text(f"{len(listed['purchases'])} purchases")


async def test_row_30_the_page_has_no_number_until_it_is_asked_for_with_a_purpose_which_is_kept(
    desk: Company, signed_in: SignedIn
) -> None:
    number = "+49 30 901821"
    customer = await somebody(desk, identifiers=[{"type": "TYPE_PHONE", "value": number}])
    visitor = await signed_in()
    sources: list[str] = []
    page = visitor.page
    await page.goto(f"/{customer}")
    sources.append(await page.content())
    sources.append(await (await visitor.context.request.get(f"/{customer}/cards")).text())
    digits = re.sub(r"\D", "", number)
    assert [source for source in sources if digits[-6:] in re.sub(r"[^\d<>]", "", source)] == []
    await page.locator("#who .masked").click()
    panel = page.get_by_role("dialog")
    await panel.get_by_label("Purpose").select_option("identity-check")
    await panel.get_by_role("button", name="Show it").click()
    await expect(panel).to_contain_text(digits)

    async def audited() -> list[Any]:
        async with desk.reading("customer") as connection:
            return await connection.fetch(
                "SELECT * FROM audit WHERE purpose = 'identity-check' AND what LIKE '%GetIdentifier'"
            )

    assert len(await eventually(audited)) == 1
