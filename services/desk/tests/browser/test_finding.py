"""Who it is: found by whatever one has of them, and who calls is shown to who may take the call."""

import asyncio
import re
from secrets import randbelow
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from rapport_testing.wait import eventually
from tests.browser.company import ALICE, Company, Person, SignedIn
from tests.browser.customers import contacts, somebody, surname
from tests.browser.looking import barriers

MANY = """
    WITH made AS (
        INSERT INTO customers
        SELECT gen_random_uuid(), 'Erika Sommer ' || n, '', '', '', '', '', '', '', '', '', 'en', 'UTC', '',
               'agents/a', now(), now(), 1
        FROM generate_series(1, $1::integer) n
        RETURNING id
    )
    INSERT INTO identifiers
    SELECT gen_random_uuid(), id, 'PHONE', '', '', '+4930' || 1000000 + row_number() OVER (), 'VALID', now()
    FROM made
"""
WIDER = str.maketrans("0123456789/", "０１２３４５６７８９／")  # noqa: RUF001 - as a page in Japanese has it
# Chromium's own tabs are never hidden to a test.
HIDDEN = """
Object.defineProperty(document, "visibilityState", {get: () => globalThis.shown ? "visible" : "hidden"});
globalThis.Notification = class {
    static permission = "granted";
    constructor(word, how) { notified(word, how.tag); }
};"""


def number() -> str:
    """A number in Hamburg, of nobody yet."""
    return f"+494055{10_000 + randbelow(90_000)}"


def spellings(phone: str) -> list[str]:
    """How people write a number in Hamburg."""
    first, last = phone[5:8], phone[8:]
    return [
        f"+49 40 {first}{last}",
        f"0049 40 {first}{last}",
        f"040 {first}{last}",
        f"(040) {first}-{last[:2]}-{last[2:]}",
        f"+49 (0)40 {first}{last}",
        f"+49\u00a040\u00a0{first}\u202f{last}",
        f"\u202a+49 40 {first}{last}\u202c",
        f"040/{first}{last}".translate(WIDER),
    ]


def call_id() -> str:
    """What a call is known by, which is none's yet."""
    return uuid4().hex


async def named(desk: Company, given: str, phone: str) -> str:
    """Somebody with a number."""
    return await somebody(desk, given, identifiers=[{"type": "TYPE_PHONE", "value": phone}])


async def at(page: Page, path: str) -> Page:
    """A page that is live."""
    await page.goto(path)
    await expect(page.locator("#live")).to_have_class("on")
    return page


async def test_row_6_eight_spellings_of_a_number_find_one_customer(
    desk: Company, signed_in: SignedIn
) -> None:
    phone = number()
    customer, start = await named(desk, "Hanna", phone), await somebody(desk)
    visitor = await signed_in()
    for spelling in spellings(phone):
        await visitor.page.goto(f"/{start}")
        await visitor.page.keyboard.press("Control+k")
        await visitor.page.keyboard.insert_text(spelling)
        await visitor.page.keyboard.press("Enter")
        await visitor.page.wait_for_url(f"**/{customer}")


@pytest.mark.slow
async def test_row_7_of_a_hundred_thousand_customers_the_one_is_found_within_the_patience_of_the_desk(
    desk: Company, signed_in: SignedIn
) -> None:
    """A part that is not answered within two seconds would be said to be missing, and nobody be opened."""
    customer, start = await named(desk, "Wanda", "+49891234567"), await somebody(desk)
    async with desk.reading("customer") as connection:
        await connection.execute(MANY, 100_000)
        await connection.execute("ANALYZE customers, identifiers")
    page = (await signed_in()).page
    for typed in ("089 1234567", "1234567", "+49 (89) 123-45 67", "Wanda"):
        await page.goto(f"/{start}")
        await page.keyboard.press("Control+k")
        await page.keyboard.insert_text(typed)
        await expect(page.locator("#found").get_by_role("option")).to_have_count(1)
        await expect(page.locator("#found")).to_contain_text("Wanda Winter")
        await expect(page.locator("#found .refused")).to_have_count(0)
    await page.goto("/call?from=%2B49891234567")
    await page.wait_for_url(f"**/{customer}")


async def test_the_keyboard_chooses_among_those_who_are_offered_while_one_types(
    desk: Company, signed_in: SignedIn
) -> None:
    start, stem = await somebody(desk), surname()[:4]
    for given in (f"{stem}rin", f"{stem}nn"):
        await somebody(desk, given)
    visitor = await signed_in()
    page = visitor.page
    await page.goto(f"/{start}")
    await page.keyboard.press("Control+k")
    await page.keyboard.type(stem)
    box, options = (
        page.get_by_role("combobox", name="Find a customer"),
        page.locator("#found").get_by_role("option"),
    )
    await expect(options).to_have_count(2)
    await expect(box).to_have_attribute("aria-expanded", "true")
    assert await barriers(page) == []
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(box).to_have_attribute("aria-activedescendant", "found-2")
    href = await options.nth(1).get_attribute("href")
    await page.keyboard.press("Escape")
    await expect(box).to_have_attribute("aria-expanded", "false")
    await page.keyboard.type("n")
    await expect(options).to_have_count(1)
    await page.keyboard.type("xyz")  # no slip of a name
    await expect(page.locator("#found")).to_contain_text("Nobody is found")
    assert await barriers(page) == []
    for _ in "nxyz":
        await page.keyboard.press("Backspace")
    await expect(options).to_have_count(2)
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{href}")


async def test_row_8_back_shows_the_whole_list_as_far_as_it_was_read_and_where(
    desk: Company, signed_in: SignedIn
) -> None:
    for _ in range(45):
        await somebody(desk, "Zacharias")
    visitor = await signed_in(viewport={"width": 1280, "height": 500})
    page = visitor.page
    await page.goto("/call")
    await page.get_by_role("combobox").fill("Zacharias")
    await page.keyboard.press("Enter")
    hits = page.locator(".hit a")
    await expect(hits).to_have_count(20)
    await page.get_by_role("button", name="Show more").click()
    await expect(hits).to_have_count(40)
    assert "Zacharias" not in page.url
    await hits.nth(33).scroll_into_view_if_needed()
    place = await page.evaluate("() => scrollY")
    await hits.nth(33).click()
    await page.wait_for_url("**/customers/*")
    await page.go_back()
    await expect(hits).to_have_count(40)
    await expect(page.get_by_role("combobox")).to_have_value("Zacharias")
    await page.wait_for_function("place => Math.abs(scrollY - place) < 50", arg=place)
    assert await barriers(page) == []


async def test_a_huge_paste_is_refused_and_not_cut_to_something_else(
    desk: Company, signed_in: SignedIn
) -> None:
    start = await somebody(desk)
    visitor = await signed_in()
    await visitor.page.goto(f"/{start}")
    await visitor.page.keyboard.press("Control+k")
    await visitor.page.keyboard.insert_text("Nora " * 1_000_000)
    await expect(visitor.page.locator("#found")).to_contain_text("Too long")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("main")).to_contain_text("Too long")


async def test_a_call_opens_the_page_of_the_caller_once(desk: Company, signed_in: SignedIn) -> None:
    phone, unknown, call = number(), number(), call_id()
    customer, start = await named(desk, "Ines", phone), await somebody(desk)
    ines = Person(surname().lower())
    visitor = await signed_in(ines)
    page = await at(visitor.page, f"/{start}")
    await desk.call(call_id(), phone, agent=ines.name)
    await page.wait_for_url(f"**/{customer}")
    await at(page, f"/{start}")  # it rings still, and was decided
    await desk.call(call, unknown, agent=ines.name)
    await expect(page.locator("#toast")).to_contain_text("Nobody we know")
    await expect(page.locator("#toast .card")).to_have_count(1)
    await expect(page.locator("#told")).to_contain_text("Nobody we know")
    await desk.call(call, unknown, "ended", agent=ines.name)
    await expect(page.locator("#toast .card")).to_have_count(0)


async def test_a_call_takes_nobody_away_who_types(desk: Company, signed_in: SignedIn) -> None:
    phone = number()
    customer, start = await named(desk, "Jana", phone), await somebody(desk)
    jana = Person(surname().lower())
    visitor = await signed_in(jana)
    page = await at(visitor.page, f"/{start}")
    await page.get_by_label("What did the customer say?").fill("She asks wh")
    await desk.call(call_id(), phone, agent=jana.name)
    await expect(page.locator("#toast")).to_contain_text("Jana Winter")
    await page.keyboard.type("ere it is")
    await expect(page.get_by_label("What did the customer say?")).to_have_value("She asks where it is")
    assert await barriers(page) == []
    await page.locator("#toast a").click()
    await page.wait_for_url(f"**/{customer}")


async def test_rows_4_and_5_a_shared_number_is_a_choice_and_the_contact_is_of_the_chosen_alone(
    desk: Company, signed_in: SignedIn
) -> None:
    phone = number()
    karl, klara = [await named(desk, given, phone) for given in ("Karl", "Klara")]
    start = await somebody(desk)
    kim = Person(surname().lower())
    visitor = await signed_in(kim)
    page = await at(visitor.page, f"/{start}")
    await desk.call(call_id(), phone, agent=kim.name)
    toast = page.locator("#toast")
    await expect(toast).to_contain_text("Several have this number")
    assert page.url.endswith(start)
    await toast.get_by_role("link", name="Klara").click()
    await page.wait_for_url(f"**/{klara}")
    await page.get_by_label("What did the customer say?").fill("It was Klara.")
    await page.keyboard.press("Control+Enter")

    async def recorded() -> bool:
        return await contacts(desk, klara) == ["It was Klara."]

    await eventually(recorded)
    assert await contacts(desk, karl) == []
    await page.goto(f"/call?from={phone.replace('+', '%2B')}")
    await expect(page.get_by_role("main")).to_contain_text("ask who it is")
    await expect(page.locator(".hit")).to_have_count(2)
    assert await barriers(page) == []


async def test_a_call_for_a_tab_that_crashed_is_shown_by_another(desk: Company, signed_in: SignedIn) -> None:
    start = await somebody(desk)
    mila = Person(surname().lower())
    visitor = await signed_in(mila)
    leader, looked_at = visitor.page, await visitor.context.new_page()
    for page in (leader, looked_at):
        await at(page, f"/{start}")
    session = await visitor.context.new_cdp_session(looked_at)
    async with looked_at.expect_event("crash"):
        crashing = asyncio.ensure_future(session.send("Page.crash"))
    await desk.call(call_id(), number(), agent=mila.name)
    await expect(leader.locator("#toast")).to_contain_text("A call for you")
    await looked_at.close()
    await asyncio.gather(crashing, return_exceptions=True)


async def test_row_29_a_hundred_calls_in_eight_hidden_tabs_are_one_notice(
    desk: Company, signed_in: SignedIn
) -> None:
    phone = number()
    customer, start = await named(desk, "Lena", phone), await somebody(desk)
    lena = Person(surname().lower())
    visitor = await signed_in(lena)
    notices: list[str] = []
    await visitor.context.expose_binding("notified", lambda _, word, tag: notices.append(f"{word} {tag}"))
    await visitor.context.add_init_script(HIDDEN)
    pages = [visitor.page, *[await visitor.context.new_page() for _ in range(7)]]
    for page in pages:
        await at(page, f"/{start}")
    await desk.call(call_id(), phone, agent=lena.name)

    async def opened() -> list[Page]:
        return [page for page in pages if page.url.endswith(customer)]

    [popped] = await eventually(opened)
    await expect(popped).to_have_title(re.compile("^A call for you - "))
    for _ in range(3):
        calls = (desk.call(call_id(), phone, agent=lena.name) for _ in range(33))
        await asyncio.gather(*calls)
    await expect(popped.locator("#toast .card")).to_have_count(3)
    assert notices == ["A call for you rapport-call"]
    assert [page for page in pages if await page.locator("#toast .card").count()] == [popped]
    await popped.evaluate("() => { shown = true; document.dispatchEvent(new Event('visibilitychange')); }")
    await expect(popped).not_to_have_title(re.compile("A call"))


async def test_a_company_a_town_and_a_misspelt_name_find_somebody_and_it_is_said_by_which(
    desk: Company, signed_in: SignedIn
) -> None:
    given, stem, firm = (surname()[:6] for _ in range(3))
    where = [{"postalAddress": {"regionCode": "DE", "locality": "Quickborn"}}]
    person = {"givenName": given, "familyName": f"{stem}qvist", "organizationName": f"{firm}technik"}
    await desk.ask(ALICE, "POST", "customers", person=person, addresses=where)
    page = (await signed_in()).page
    await page.goto("/call")
    found = page.locator("#found").get_by_role("option")
    whys = {f"{firm}tech": f"company {firm}technik", f"{given} Quickb": "name, town Quickborn"}
    for typed, why in (whys | {f"{stem}qvits": "name, spelt nearly so"}).items():
        await page.get_by_role("combobox").fill(typed)
        await expect(found.filter(has_text=f"found by {why}")).to_have_count(1)
