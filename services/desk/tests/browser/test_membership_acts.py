"""What is done with memberships at the desk, by keyboard, and said before it is done."""

from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.company import ADMIN, ALICE, Company, Person, SignedIn
from tests.browser.customers import merged
from tests.browser.looking import barriers, flaws

MAIN = "programs/main"
LEAD = Person("lena", "manager", "front-desk")


async def member(desk: Company, points: int = 0) -> tuple[str, str, str]:
    """Somebody with a membership that holds so many points: the customer, their name, the membership."""
    name = f"Member {uuid4().hex[:8]}"
    customer = str((await desk.ask(ALICE, "POST", "customers", displayName=name))["name"])
    joined = str((await desk.ask(ALICE, "POST", f"{MAIN}/memberships", customer=customer))["name"])
    if points:
        legs = [{"account": f"{MAIN}/accounts/points-issued", "amount": -points}]
        legs.append({"account": await account(desk, joined), "amount": points})
        await desk.ask(ADMIN, "POST", "transfers:post", transfer={"legs": legs, "reasonCode": "welcome-gift"})
    return customer, name, joined


async def account(desk: Company, membership: str) -> str:
    listed = await desk.ask(ALICE, "GET", f'{MAIN}/accounts?filter=membership="{membership}"')
    return next(str(each["name"]) for each in listed["accounts"] if each["type"] == "TYPE_MEMBERSHIP")


async def opened(page: Page, label: str, within: str) -> Locator:
    """The form of a button, opened by keyboard: it bars nobody."""
    await page.locator(within).get_by_role("button", name=label).first.press("Enter")
    form = page.get_by_role("dialog")
    await expect(form.locator("form")).to_be_visible()
    assert [*await barriers(page, "[role=dialog]"), *await flaws(page)] == []
    return form


async def sent(page: Page) -> None:
    await page.keyboard.press("Control+Enter")


@pytest.fixture
async def page(signed_in: SignedIn) -> Page:
    return (await signed_in(LEAD)).page


async def test_a_card_is_linked_replaced_and_blocked(desk: Company, page: Page) -> None:
    customer, _, _ = await member(desk)
    await page.goto(f"/{customer}/membership")
    number = uuid4().hex[:12]
    await (await opened(page, "Link a card", "#cards")).get_by_label("Number of the card").fill(number)
    await sent(page)
    cards = page.locator("#cards")
    await expect(cards).to_contain_text(f"… {number[-4:].upper()}")
    form = await opened(page, "Replace the card", "#cards")
    other = uuid4().hex[:12]
    await form.get_by_label("Number of the card").fill(other)
    await form.get_by_label("Reason").select_option("card-lost")
    await sent(page)
    await expect(cards).to_contain_text(f"… {other[-4:].upper()}")
    await expect(cards).to_contain_text("blocked")
    form = await opened(page, "Block the card", "#cards")
    await form.get_by_label("Reason").select_option("card-stolen")
    await sent(page)
    await expect(cards.get_by_role("button", name="Block the card")).to_have_count(0)


async def test_a_household_grows_and_shrinks(desk: Company, page: Page) -> None:
    customer, _, _ = await member(desk)
    name = f"Child {uuid4().hex[:8]}"
    await desk.ask(ALICE, "POST", "customers", displayName=name)
    await page.goto(f"/{customer}/membership")
    form = await opened(page, "Add somebody to the household", "#household")
    await form.get_by_label("Whose").fill(name)
    await sent(page)
    await form.get_by_label("Who is meant").select_option(label=name)
    await sent(page)
    household = page.locator("#household")
    await expect(household).to_contain_text(name)
    await (await opened(page, "Have them answer for it", "#household")).locator("form").press("Control+Enter")
    await expect(household.locator("li", has_text=name)).to_contain_text("answers for it")
    form = await opened(page, "Take out of the household", "#household")
    await form.get_by_label("Reason").select_option("moved-out")
    await sent(page)
    await expect(page.get_by_role("region", name="Messages")).to_contain_text("They belong to it no more.")


async def test_two_memberships_become_one_after_both_were_shown_and_are_taken_apart(
    desk: Company, page: Page
) -> None:
    customer, _, _ = await member(desk, 30)
    _, name, _ = await member(desk, 12)
    await page.goto(f"/{customer}/membership")
    form = await opened(page, "Make another membership part of this", "#household")
    await form.get_by_label("Whose").fill(name)
    await form.get_by_label("Reason").select_option("one-household")
    await sent(page)
    await form.get_by_label("Who is meant").select_option(label=name)
    await sent(page)
    await expect(form.locator("dl")).to_contain_text("30 points; 1 member")
    await expect(form.locator("dl")).to_contain_text("12 points; 1 member")
    assert [*await barriers(page), *await flaws(page)] == []
    await sent(page)
    await expect(page.locator("#points")).to_contain_text("42")
    household = page.locator("#household")
    await expect(household).to_contain_text(f"{name} brought a membership of their own.")
    form = await opened(page, "Take them apart", "#household")
    await form.get_by_label("Reason").select_option("two-persons")
    await sent(page)
    await expect(page.locator("#points .ends")).to_contain_text("30")
    await expect(household).not_to_contain_text("brought a membership of their own")


async def test_who_was_two_customers_is_shown_both_memberships_and_has_one_of_them(
    desk: Company, page: Page
) -> None:
    customer, _, _ = await member(desk, 5)
    other, _, _ = await member(desk, 8)
    await merged(desk, customer, other)
    await page.goto(f"/{customer}")
    await expect(page.locator("#points")).to_contain_text("They have two memberships.")
    await page.get_by_role("link", name="Points and membership").press("Enter")
    await expect(page.locator("#membership")).to_contain_text("They have another one")
    form = await opened(page, "Make both one", "#membership")
    await expect(form.locator("dl")).to_contain_text("8 points; 1 member")
    await form.get_by_label("Reason").select_option("same-person")
    await sent(page)
    await expect(page.locator("#points .ends")).to_contain_text("13")
    await expect(page.locator("#membership")).not_to_contain_text("They have another one")


async def test_points_are_given_to_somebody_else(desk: Company, page: Page) -> None:
    customer, _, _ = await member(desk, 50)
    _, name, theirs = await member(desk)
    await page.goto(f"/{customer}/membership")
    form = await opened(page, "Give points to somebody", "#points")
    await form.get_by_label("Whose").fill(name)
    await form.get_by_label("Points", exact=False).first.fill("20")
    await form.get_by_label("Reason").select_option("gift")
    await sent(page)
    await form.get_by_label("Who is meant").select_option(label=name)
    await sent(page)
    await expect(form.locator("dl")).to_contain_text("50 points")
    await sent(page)
    await expect(page.locator("#points .ends")).to_contain_text("30")
    got: Any = await desk.ask(ALICE, "GET", await account(desk, theirs))
    assert got["balance"] == "20"


async def test_what_is_lost_is_said_before_a_membership_is_closed_and_again_when_it_is_more(
    desk: Company, page: Page
) -> None:
    customer, _, joined = await member(desk, 7)
    await page.goto(f"/{customer}/membership")
    form = await opened(page, "Close this membership", "#membership")
    await expect(form).to_contain_text("Lost for good: 7 points.")
    legs = [{"account": f"{MAIN}/accounts/points-issued", "amount": -2}]
    legs.append({"account": await account(desk, joined), "amount": 2})
    await desk.ask(ADMIN, "POST", "transfers:post", transfer={"legs": legs, "reasonCode": "welcome-gift"})
    await form.get_by_label("Reason").select_option("customer-asked")
    await sent(page)
    await expect(form).to_contain_text("Lost for good: 9 points.")
    await sent(page)
    await expect(page.locator("#membership")).to_contain_text("This membership is closed.")
    form = await opened(page, "Open it again", "#membership")
    await form.get_by_label("Reason").select_option("mistake")
    await sent(page)
    await expect(page.locator("#membership")).not_to_contain_text("This membership is closed.")


async def test_who_may_book_corrects_points_and_others_are_not_offered_it(
    desk: Company, signed_in: SignedIn
) -> None:
    customer, _, _ = await member(desk, 10)
    page = (await signed_in(ADMIN)).page
    await page.goto(f"/{customer}/membership")
    form = await opened(page, "Correct the points", "#points")
    await form.get_by_label("Points").first.fill("-4")
    await form.get_by_label("Reason").select_option("our-mistake")
    await sent(page)
    await expect(page.locator("#points .moved tbody tr").first).to_contain_text("-4")
    page = (await signed_in()).page
    await page.goto(f"/{customer}/membership")
    await expect(page.locator("#points")).to_contain_text("6")
    await expect(page.get_by_role("button", name="Correct the points")).to_have_count(0)
    await expect(page.get_by_role("button", name="Close this membership")).to_have_count(0)
