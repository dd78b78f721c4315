"""A member of several programs, or of another than the main one: each has its page."""

from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, ALICE, Company, SignedIn
from tests.browser.looking import bars, narrow

BAKERY = "programs/bakery"


@pytest.fixture(scope="module")
async def bea(desk: Company) -> str:
    """Bea has 92 crumbs and a card of the bakery, and is not in the main program."""
    await desk.ask(ADMIN, "POST", "programs?programId=bakery", displayName="Bakery")
    await desk.ask(ADMIN, "POST", f"{BAKERY}/units?unitId=crumbs", displayName="Crumbs")
    bea = str((await desk.ask(ALICE, "POST", "customers", displayName="Bea Back"))["name"])
    joined = (await desk.ask(ALICE, "POST", f"{BAKERY}/memberships", customer=bea))["name"]
    await desk.ask(ALICE, "POST", f"{joined}/cards", number="2610 0000 0001 7")
    listed = await desk.ask(ALICE, "GET", f'{BAKERY}/accounts?filter=membership="{joined}"')
    account = next(each["name"] for each in listed["accounts"] if each["type"] == "TYPE_MEMBERSHIP")
    legs = [
        {"account": f"{BAKERY}/accounts/crumbs-issued", "amount": -92},
        {"account": account, "amount": 92},
    ]
    await desk.ask(ADMIN, "POST", "transfers:post", transfer={"legs": legs, "reasonCode": "welcome-gift"})
    return bea


async def test_the_one_program_that_somebody_is_in_is_shown_with_its_statement(
    bea: str, signed_in: SignedIn
) -> None:
    page = (await signed_in()).page
    await narrow(page)
    await page.goto(f"/{bea}/membership")
    chosen = page.get_by_role("navigation", name="Which program").get_by_role("link", name="Bakery")
    await expect(chosen).to_have_attribute("aria-current", "page")
    await expect(page.locator("#points")).to_contain_text("92")
    await expect(page.locator("#cards")).to_contain_text("… 0017")
    assert await bars(page) == []
    await page.get_by_role("link", name="The whole statement: Crumbs").press("Enter")
    await page.get_by_label("From", exact=True).fill("2020-01-01")
    await page.get_by_role("button", name="Show", exact=True).press("Enter")
    await expect(page.locator("ol.tl > li")).to_contain_text("+92")
    await page.get_by_role("link", name="Bea Back").press("Enter")
    await expect(page.locator("#points")).to_contain_text("92")


async def test_points_are_corrected_in_the_program_that_is_shown(bea: str, signed_in: SignedIn) -> None:
    page = (await signed_in(ADMIN)).page
    await page.goto(f"/{bea}/membership?program=bakery")
    await page.get_by_role("button", name="Correct the points").press("Enter")
    form = page.get_by_role("dialog")
    await form.get_by_label("Points").first.fill("8")
    await form.get_by_label("Reason").select_option("correction")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#points .moved tbody tr").first).to_contain_text("+8")


async def test_who_joins_another_program_has_the_main_one_first(
    desk: Company, signed_in: SignedIn, bea: str
) -> None:
    made = str((await desk.ask(ALICE, "POST", "customers", displayName=f"Max {uuid4().hex[:6]}"))["name"])
    await desk.ask(ALICE, "POST", f"{BAKERY}/memberships", customer=made)
    page = (await signed_in()).page
    await page.goto(f"/{made}/membership")
    programs = page.get_by_role("navigation", name="Which program").get_by_role("link")
    await programs.first.press("Enter")
    await expect(page.locator("#membership")).to_contain_text("They are in no membership yet.")
    await page.get_by_role("button", name="Make them a member").press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Make them a member").press("Enter")
    await expect(page.locator("#household")).to_contain_text("answers for it")
    await page.goto(f"/{made}/membership")
    await expect(programs.first).to_have_attribute("aria-current", "page")
    assert await programs.count() == 2


async def test_a_card_of_any_program_finds_who_has_it(bea: str, signed_in: SignedIn) -> None:
    page = (await signed_in()).page
    await page.goto("/departments")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("2610000000017")
    await expect(page.locator("body")).to_contain_text("card … 0017")
    await page.goto("/redeem")
    await (
        page.get_by_role("region", name="A member")
        .get_by_label("Number of their card")
        .fill("2610 0000 00017")
    )
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/{bea}/redeem")
