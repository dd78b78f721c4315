"""What is known of a customer: how they are reached and who proved that, and what they are to others."""

from collections.abc import Sequence
from itertools import count

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.company import ALICE, Company, Person, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import barriers

_NUMBERS = count(70010)


async def known(page: Page, customer: str) -> Page:
    """The page of what is known, by the link on the customer's."""
    await page.goto(f"/{customer}")
    await page.get_by_role("link", name="what we know of").click()
    await page.wait_for_url(f"**/{customer}/known")
    return page


async def form(page: Page, button: str) -> Locator:
    """The form that a button opens."""
    await page.get_by_role("main").get_by_role("button", name=button).click()
    opened = page.get_by_role("dialog").locator("form")
    await expect(opened).to_be_visible()
    return opened


@pytest.fixture
async def ines(desk: Company) -> str:
    """Somebody with a number of their own."""
    phone = [{"type": "TYPE_PHONE", "value": f"+494055{next(_NUMBERS)}"}]
    return await somebody(desk, "Ines", identifiers=phone)


async def test_that_a_number_was_proved_is_noted_seen_on_the_customer_s_page_and_withdrawn(
    signed_in: SignedIn, ines: str
) -> None:
    page = await known((await signed_in()).page, ines)
    card = page.locator("#identifiers")
    await expect(card).to_contain_text("not verified")
    asked = await form(page, "Note as verified")
    await asked.get_by_label("How it was proved").select_option("code-sent")
    await page.keyboard.press("Control+Enter")
    await expect(card).to_contain_text("by Alice: code sent")
    assert await barriers(page) == []
    await page.goto(f"/{ines}")
    await expect(page.locator("#who")).to_contain_text("verified")
    await page.goto(f"/{ines}/known")
    asked = await form(page, "Withdraw the proof")
    await asked.get_by_label("Reason").select_option("number-reassigned")
    await page.keyboard.press("Control+Enter")
    await expect(card).to_contain_text("not verified")


async def test_a_number_is_marked_as_shared_and_undo_makes_it_theirs_alone(
    signed_in: SignedIn, ines: str
) -> None:
    page = await known((await signed_in()).page, ines)
    await form(page, "Mark as shared")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#identifiers")).to_contain_text("shared with others")
    await page.locator("#toast").get_by_role("button", name="Undo").click()
    await expect(page.locator("#identifiers")).not_to_contain_text("shared with others")
    await expect(page.get_by_role("button", name="Mark as shared")).to_be_visible()


async def relate(page: Page, kind: str, who: str) -> None:
    """Note what the customer of the page is to another one, who is looked for and then seen."""
    asked = await form(page, "Add a relationship")
    await asked.get_by_label("What this customer is").select_option(label=kind)
    await asked.get_by_label("To whom").fill(who)
    await page.keyboard.press("Control+Enter")
    await asked.get_by_label("Who is meant").select_option(index=1)
    await page.keyboard.press("Control+Enter")


async def test_an_employer_is_looked_for_and_noted_and_both_pages_say_so_until_it_ends(
    desk: Company, signed_in: SignedIn
) -> None:
    firm, worker = await somebody(desk, "Nordwerk"), await somebody(desk, "Bruno")
    page = await known((await signed_in()).page, worker)
    await relate(page, "employee of", "Nordwerk")
    card = page.locator("#relationships")
    await expect(card.locator("li")).to_contain_text("employee of Nordwerk")
    assert await barriers(page) == []
    await card.get_by_role("link", name="Nordwerk").click()
    await page.wait_for_url(f"**/{firm}")
    await known(page, firm)
    await expect(card.locator("li")).to_contain_text("employer of Bruno")
    await form(page, "End the relationship")
    await page.keyboard.press("Control+Enter")
    await expect(card.locator("li")).to_contain_text("until")
    await expect(page.get_by_role("button", name="End the relationship")).to_have_count(0)


async def test_a_relationship_that_is_said_from_the_other_side_is_the_same_and_undone_is_gone(
    desk: Company, signed_in: SignedIn
) -> None:
    parent, part = await somebody(desk, "Elbmutter"), await somebody(desk, "Alstertochter")
    page = await known((await signed_in()).page, parent)
    await relate(page, "parent company of", "Alstertochter")
    await expect(page.locator("#relationships li")).to_contain_text("parent company of Alstertochter")
    listed = await desk.ask(ALICE, "GET", f"relationships?customer={part}")
    assert ends(listed["relationships"]) == [(part, "subsidiary-of", parent)]
    await page.locator("#toast").get_by_role("button", name="Undo").click()
    await expect(page.locator("#relationships")).to_contain_text("No relationship is known")


def ends(listed: Sequence[dict[str, str]]) -> list[tuple[str, str, str]]:
    """Who is what to whom."""
    return [(each["customer"], each["kind"], each["relatedCustomer"]) for each in listed]


async def test_whom_nobody_finds_is_said_in_the_form(desk: Company, signed_in: SignedIn) -> None:
    page = await known((await signed_in()).page, await somebody(desk, "Clara"))
    asked = await form(page, "Add a relationship")
    await asked.get_by_label("What this customer is").select_option(label="employee of")
    await asked.get_by_label("To whom").fill("Xyzzyqwv")
    await page.keyboard.press("Control+Enter")
    await expect(asked).to_contain_text("nobody else is found")


async def test_who_may_only_read_is_offered_nothing(signed_in: SignedIn, ines: str) -> None:
    page = await known((await signed_in(Person("rosa", "auditor"))).page, ines)
    await expect(page.locator("#identifiers")).to_contain_text("not verified")
    await expect(page.locator("main .act")).to_have_count(0)


async def test_who_never_bought_is_said_to_be_a_prospect(signed_in: SignedIn, ines: str) -> None:
    page = (await signed_in()).page
    await page.goto(f"/{ines}")
    await expect(page.locator("#who")).to_contain_text("Prospect")
