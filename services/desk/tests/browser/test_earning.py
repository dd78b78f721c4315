"""By what members earn, looked at: a rule tried on a purchase by keyboard, and why these points."""

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, ALICE, Company, Person, SignedIn
from tests.browser.looking import barriers, flaws

SAM = Person("sam", "supervisor", "front-desk")


@pytest.fixture(scope="module")
async def purchase(desk: Company) -> str:
    """The id of a purchase of two lines, which earned 13 by the rule `base`."""
    rule = {
        "displayName": "A point a dollar",
        "department": "departments/front-desk",
        "unit": "programs/main/units/points",
        "basis": "BASIS_LINE",
        "pointsPerCurrencyUnit": {"value": "1"},
        "currencyCode": "USD",
        "caps": [{"points": "500", "holder": "HOLDER_MEMBER", "period": "PERIOD_DAY"}],
    }
    await desk.ask(ADMIN, "POST", "earningRules?earningRuleId=base", **rule)
    await desk.ask(ADMIN, "POST", "earningRules/base:activate")
    customer = (await desk.ask(ALICE, "POST", "customers", displayName="Dora Kern"))["name"]
    lines = [
        {"product": product, "quantity": {"value": "1"}, "amount": {"currencyCode": "USD", "units": amount}}
        for product, amount in (("bread", "3"), ("dairy-1", "10"))
    ]
    bought = {"customer": customer, "purchaseTime": "2026-03-01T12:00:00Z", "lines": lines}
    bought["amount"] = {"currencyCode": "USD", "units": "13"}
    recorded = await desk.ask(ADMIN, "POST", "purchases:record", purchase=bought)
    return str(recorded["name"].removeprefix("purchases/"))


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (768, "light"), (1920, "light")])
async def test_rules_and_points_are_read_at_any_width(
    purchase: str, signed_in: SignedIn, width: int, scheme: str
) -> None:
    page = (await signed_in(SAM)).page
    await page.set_viewport_size({"width": width, "height": 800})
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    found = []
    for path in ("/earningRules", "/earningRules/base", f"/earnings/{purchase}"):
        await page.goto(path)
        found += [f"{path}: {each}" for each in [*await barriers(page), *await flaws(page)]]
    assert found == [], "\n".join(found)


async def test_a_rule_is_tried_on_a_purchase_by_keyboard_before_it_is_kept(
    purchase: str, signed_in: SignedIn
) -> None:
    page = (await signed_in(SAM)).page
    await page.goto("/earningRules")
    await page.get_by_role("link", name="A point a dollar").first.press("Enter")
    await page.get_by_label("If, over purchase").fill("line.product.startsWith('dairy')")
    await page.get_by_label("Try it on a purchase").fill(f"purchases/{purchase}")
    await page.get_by_role("button", name="Try").press("Enter")
    rows = page.get_by_role("group", name="What each rule gives").locator("tbody tr")
    await expect(rows.first).to_contain_text("its condition does not hold")
    await expect(rows.last).to_contain_text("10")
    await page.get_by_role("button", name="Keep as a draft").press("Enter")
    await expect(page.get_by_text("version 2 is in force")).to_be_visible()
