"""The till: at any width, in light and dark; a voucher is redeemed, handed over and used by keyboard."""

from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import bars, narrow

AGENT = Person("lena", "manager", "front-desk")
CARD = "47110815"


@pytest.fixture(scope="module")
async def member(desk: Company) -> str:
    """A member with a card and goodwill, who can have one reward and not another."""
    name = await somebody(desk, "Erika")
    goodwill = {"customer": name, "points": {"amount": "500"}, "reasonCode": "our-mistake"}
    granted = await desk.ask(ADMIN, "POST", "goodwill:grant", goodwill=goodwill, requestId=str(uuid4()))
    await desk.ask(ADMIN, "POST", f"{granted['membership']}/cards", number=CARD)
    ten = {"money": {"currencyCode": "USD", "units": "10"}, "validDays": 30}
    unit = "programs/main/units/points"
    voucher = {"displayName": "Ten off", "unit": unit, "points": "100", "voucher": ten}
    await desk.ask(ADMIN, "POST", "rewards?rewardId=ten-off", **voucher)
    cup = {"displayName": "A cup of porcelain", "unit": unit, "points": "900", "stocked": True}
    await desk.ask(ADMIN, "POST", "rewards?rewardId=cup", **cup)
    return name


async def test_the_pages_are_for_everybody(signed_in: SignedIn, member: str) -> None:
    page = (await signed_in(AGENT)).page
    await narrow(page)
    for path in ("/redeem", f"/{member}/redeem"):
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Redeem")
        assert await bars(page) == []


async def test_a_voucher_is_redeemed_handed_over_and_used_by_keyboard(
    signed_in: SignedIn, member: str
) -> None:
    page = (await signed_in(AGENT)).page
    await page.goto("/departments")
    await page.get_by_role("link", name="Redeem").press("Enter")
    finding = page.get_by_role("region", name="A member")
    await finding.get_by_label("Number of their card").fill(CARD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("region", name="Rewards")).to_contain_text("too few points")
    await page.get_by_role("button", name="Redeem: Ten off").press("Enter")
    await page.get_by_role("button", name="Hand over").press("Enter")
    code = await page.get_by_role("region", name="The code").locator("code").inner_text()
    await page.goto("/redeem")
    till = page.get_by_role("region", name="A voucher")
    await till.get_by_label("Code").fill(code)
    await till.get_by_label("Number of their card").fill(CARD)
    await till.get_by_label("Receipt or order").fill("receipt-7")
    await till.get_by_role("button", name="Use it").press("Enter")
    await expect(till.get_by_role("status")).to_have_text("It is used.")
