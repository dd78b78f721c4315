"""Everybody can use every page of the desk: WCAG 2.2 at level AA, and by keyboard alone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect

from desk.pages.actions.action import Action
from desk.pages.actions.kinds import ACTIONS, household, memberships
from desk.pages.actions.kinds.contact import CONTACT
from desk.pages.actions.kinds.goodwill_requests import APPROVE, DECLINE
from desk.pages.actions.kinds.reaching import REACHING
from desk.pages.actions.kinds.stopping import STOP, WITHDRAW
from rapport_testing.clock import ManualClock
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.wait import eventually
from tests.browser.company import ALICE, Company, Person, SignedIn
from tests.browser.customers import in_trouble, merged, somebody, taken_apart, twice, well_known
from tests.browser.looking import AXE, barriers, flaws, keyboard_stops, spaced
from tests.browser.troubles import TRACE, give_up, traces

ALL = Person("alice", "admin", "front-desk")  # to whom everything is offered
WIDE, NARROW = (1280, 800), (390, 844)
OPEN = """href => {
    const button = document.body.appendChild(document.createElement("button"));
    button.dataset.open = href;
    button.click();
    button.remove();
}"""
WEEK = {
    "displayName": "A week",
    "department": "departments/platform",
    "subject": "SUBJECT_CASE",
    "condition": "true",
    "targets": [{"metric": "CLOCK_METRIC_RESOLUTION", "businessMinutes": 10080}],
}
BY_KEYBOARD = 24  # so many of the pages: those on which one works
NARROWEST = (320, 640)  # 1280 x 1024 at 400 %, less what a browser has around it


@pytest.fixture(scope="module")
def time_of_day() -> ManualClock:
    """Three days ago, which a customer takes to get into trouble."""
    return ManualClock(datetime.now(UTC) - timedelta(days=3))


@pytest.fixture(scope="module")
async def desk_settings(infrastructure: Infrastructure) -> AsyncIterator[dict[str, Any]]:
    """The desk knows where traces are."""
    async with traces(infrastructure, datetime.now(UTC), spans=30) as url:
        yield {"traces_url": url}


@pytest.fixture(scope="module")
async def erika(desk: Company, time_of_day: ManualClock) -> str:
    """The customer in trouble, with cases that nobody works on, is settled and waits, and another record."""
    await desk.ask(ALL, "POST", "clockPolicies?clockPolicyId=a-week", **WEEK)
    customer = await in_trouble(desk, time_of_day)
    await merged(desk, customer, await somebody(desk, "Erica"))
    await taken_apart(desk, customer, await somebody(desk, "Erik"))
    opened = {}
    for topic in ("complaint", "damaged", "late-delivery", "wrong-invoice"):
        case = {"customer": customer, "topic": topic, "owner": "agents/alice"}
        opened[topic] = (await desk.ask(ALICE, "POST", "cases:open", case=case))["name"]
    await desk.ask(ALICE, "POST", f"{opened['damaged']}:resolve", resolution="settled")
    twin = {"mergedCases": [opened["wrong-invoice"]], "reasonCode": "reported-twice"}
    await desk.ask(ALICE, "POST", f"{opened['late-delivery']}:merge", **twin)
    [clock] = (await desk.ask(ALL, "GET", f'clocks?filter=case="{opened["complaint"]}"'))["clocks"]
    await desk.ask(ALL, "POST", f"{clock['name']}:pause", reasonCode="customer-answer")
    await desk.ask(
        ALL, "POST", "escalations", case=opened["complaint"], reason="ESCALATION_REASON_CUSTOMER_ASKED"
    )
    work = {"case": opened["late-delivery"], "department": "departments/front-desk", "kind": "call-back"}
    item = await desk.ask(ALICE, "POST", "workItems", **work)
    await desk.ask(ALICE, "POST", f"{item['name']}:block", reasonCode="customer-answer")
    note = {"text": "She moves on Friday."}
    await desk.ask(ALICE, "POST", f"{opened['late-delivery']}/notes", **note)
    asked = {"case": opened["late-delivery"], "reasonCode": "bad-news"}
    await desk.ask(ALICE, "POST", "workItems:requestCall", **asked)
    await well_known(desk, customer)
    return customer


@pytest.fixture(scope="module")
async def cases(desk: Company, erika: str) -> list[str]:
    """The pages of her cases, first the one with much work."""
    told = await desk.ask(ALL, "GET", f'cases?filter=customer="{erika}"&orderBy=open_time')
    return [f"/{case['name']}" for case in told["cases"]]


@pytest.fixture(scope="module")
async def paths(desk: Company, time_of_day: ManualClock, erika: str, cases: list[str]) -> list[str]:
    """Every page, each with something on it."""
    [letter] = await give_up(desk)
    for event in ("ringing", "ended"):
        await desk.call("nobodys", "+49405559999", event)
    time_of_day.advance(timedelta(seconds=10))

    async def waits() -> bool:
        async with desk.reading("desk") as connection:
            return bool(await connection.fetchval("SELECT count(*) FROM received WHERE state = 'WAITING'"))

    await eventually(waits)
    apart, _ = (await desk.ask(ALL, "GET", f"customerMerges?customer={erika}"))["customerMerges"]
    calls = f'workItems?filter=customer="{erika}" AND kind=call-customer'
    [call] = (await desk.ask(ALL, "GET", calls))["workItems"]
    operations = ["", "/services/loyalty", "/dead-letters", f"/{letter}", "/traces", "/providers"]
    return [
        "/",
        f"/{erika}",
        f"/{erika}/known",
        f"/{erika}/pages",
        f"/{erika}/membership",
        f"/{erika}/redeem",
        "/redeem",
        "/queue/front-desk",
        "/cases",
        cases[0],
        "/departments",
        "/departments/delivery",
        "/handoffs",
        "/promises",
        "/caseJobs",
        "/caseJobs/new",
        "/noticeJobs",
        "/noticeJobs/new?template=templates/delay",
        "/times",
        "/calendars/always",
        f"/{(await desk.ask(ALL, 'GET', 'clockPolicies'))['clockPolicies'][0]['name']}",
        f"/{(await desk.ask(ALL, 'GET', 'clocks'))['clocks'][0]['name']}",
        "/topics",
        "/topics/new",
        f"/{call['name'].replace('workItems/', 'calls/')}",
        f"/{erika}/same/{(await somebody(desk, 'Nora')).removeprefix('customers/')}",
        f"/{erika}/merges/{apart['name'].removeprefix('customerMerges/')}",
        f"/{erika}/timeline?kind=contacts&channel=voice",
        "/call?from=%2B4930777777",
        "/received",
        "/matchCandidates",
        f"/{(await twice(desk)).question}",
        "/keys",
        *(f"/operations{each}" for each in operations),
        f"/traces/{TRACE}",
        "/ui",
        "/openapi",
        "/openapi/NoteService",
        "/customers/00000000-0000-0000-0000-000000000000",
        "/signed-out",
    ]


async def resize(page: Page, size: tuple[int, int]) -> None:
    await page.set_viewport_size({"width": size[0], "height": size[1]})


async def looked_at(page: Page, within: str = "html") -> list[str]:
    """What bars anybody from a page or a part of it: wide and light, narrow and dark."""
    found = []
    for scheme, size in (("light", WIDE), ("dark", NARROW)):
        await resize(page, size)
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [f"{scheme}: {each}" for each in [*await barriers(page, within), *await flaws(page)]]
    return found


async def cut_off(page: Page) -> list[str]:
    """What sticks out of the narrowest page or is cut off there, and with wide letters; these stay."""
    await resize(page, NARROWEST)
    found = await flaws(page)
    await spaced(page)
    return found + [f"spaced: {each}" for each in await flaws(page)]


async def unreached(page: Page) -> list[str]:
    """What Tab does not reach, and where it comes by and one does not see that."""
    stops = await keyboard_stops(page)
    found = [f"{stop}" for stop in stops if stop["covered"] or not stop["seen"]]
    controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
    count = await page.locator(f":is({controls}):visible").count()
    return found + [f"{len(stops)} of {count} reached"] * (len(stops) < count)  # some come when one is near


async def test_row_26_no_page_bars_anybody_also_by_keyboard_or_with_wide_letters_and_each_has_its_title(
    desk: Company, signed_in: SignedIn, paths: list[str]
) -> None:
    visitor = await signed_in(ALL)
    visitor.let("status of 404")
    await visitor.context.add_init_script(AXE)
    page, titles = visitor.page, {}
    found: list[str] = []
    for number, path in enumerate(paths):
        await page.goto(path)
        titles[await page.title()] = path
        told = await looked_at(page)
        await page.emulate_media(color_scheme="light")
        if number < BY_KEYBOARD:
            await resize(page, WIDE)
            told += await unreached(page)
        told += await cut_off(page)
        found += [f"{path}: {each}" for each in told]
    await page.goto(paths[1])
    found += [f"narrow: {each}" for each in await unreached(page)]
    assert found == [], "\n".join(found)
    assert sorted(titles.values()) == sorted(paths)


async def test_row_26_nothing_that_opens_bars_anybody(
    desk: Company, signed_in: SignedIn, erika: str, cases: list[str]
) -> None:
    page = (await signed_in(ALL)).page
    await page.goto(f"/{erika}")
    apart = await page.get_by_role("link", name="What was recorded meanwhile").get_attribute("href")
    hrefs = []
    for path in (apart, f"/{erika}/known", f"/{erika}/pages", *cases, f"/{erika}"):
        await page.goto(path)
        opens = page.locator("[data-open]")
        hrefs += await opens.evaluate_all("all => all.map(each => each.dataset.open)")
    offered = {href.partition("/act/")[2].partition("?")[0]: href for href in hrefs}
    # That has its box; these are offered on what waits for a yes, in another form, and on memberships: tests
    # of their own look.
    of_members = [each for kind in (household, memberships) for each in vars(kind).values()]
    elsewhere = {CONTACT.id, APPROVE.id, DECLINE.id, REACHING.id, STOP.id, WITHDRAW.id}
    elsewhere |= {each.id for each in of_members if isinstance(each, Action)}
    assert ACTIONS.keys() - {*offered} == elsewhere
    found = []
    for action in ACTIONS.keys() - elsewhere:
        await page.evaluate(OPEN, offered[action])
        await expect(page.locator(f'#panel form[action*="/act/{action}"]')).to_be_visible()
        found += [f"{action}: {each}" for each in [*await barriers(page, "#panel"), *await flaws(page)]]
    number = await page.locator("#who .masked").first.get_attribute("data-open")
    promise = next(href for href in hrefs if href.startswith("/why?of=promises"))
    others = {promise: "Because", number: "Purpose", "/keys": "What it does"}
    for href, words in others.items():
        await page.evaluate(OPEN, href)
        await expect(page.get_by_role("dialog")).to_contain_text(words)
        found += [f"{words}: {each}" for each in await looked_at(page, "#panel")]
    assert found == [], "\n".join(found)


async def test_what_is_wrong_with_a_field_is_told_with_it_and_announced(
    desk: Company, signed_in: SignedIn, erika: str
) -> None:
    page = (await signed_in(ALL)).page
    await page.goto(f"/{erika}")
    await page.evaluate(OPEN, f"/{erika}/act/goodwill")
    panel = page.get_by_role("dialog")
    await panel.get_by_label("Reason").select_option("our-mistake")
    await panel.get_by_label("Points").fill("0")
    await page.keyboard.press("Control+Enter")
    field = panel.get_by_role("spinbutton", name="Points", exact=True)
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "true")
    hint, said = [await panel.locator(f"#{what}-goodwill-amount").inner_text() for what in ("hint", "error")]
    assert said
    await expect(field).to_have_accessible_description(f"{hint} {said}")
    await expect(page.locator("#told")).not_to_be_empty()
    assert await looked_at(page, "#panel") == []


async def test_where_colors_are_the_systems_own_one_sees_what_is_chosen_and_what_has_the_focus(
    desk: Company, signed_in: SignedIn, erika: str
) -> None:
    page = (await signed_in(ALL, forced_colors="active")).page
    await page.goto("/")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("Sommer")
    await expect(page.locator("#found").get_by_role("option")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    chosen = page.locator("#found [aria-selected=true]")
    grounds = [
        await each.evaluate("each => getComputedStyle(each).backgroundColor")
        for each in (chosen, page.locator("#found"))
    ]
    assert len(set(grounds)) == 2
    await page.keyboard.press("Escape")
    assert [stop for stop in await keyboard_stops(page) if not stop["seen"]] == []


async def test_what_waits_and_what_failed_is_done_by_keys_that_are_shown_and_can_be_switched_off(
    desk: Company, signed_in: SignedIn, paths: list[str]
) -> None:
    page = (await signed_in(ALL)).page
    await page.goto("/received")
    fields = {"l": "Somebody else: phone, e-mail, number or name", "x": "Reason for dropping it"}
    for key, label in fields.items():
        await page.keyboard.press(key)
        await expect(page.get_by_label(label)).to_be_focused()
        await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Try again")
    await page.keyboard.press("Escape")
    await page.evaluate("() => localStorage.setItem('letters', 'off')")
    await page.keyboard.press("h")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.evaluate("() => localStorage.clear()")
    await page.goto("/operations")
    await page.keyboard.press("2")
    await page.wait_for_url("**/operations/dead-letters")
    await page.get_by_role("checkbox").first.check()
    await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("x")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Drop 1 dead letter for good?")
