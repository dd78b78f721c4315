"""By what members earn, looked at: a rule tried on a purchase by keyboard, and why these points."""

import pytest
from playwright.async_api import Page, expect

from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, ALICE, Company, Person, SignedIn
from tests.browser.looking import barriers, bars, flaws, narrow

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


async def test_rules_and_points_are_read_at_any_width(purchase: str, signed_in: SignedIn) -> None:
    page = (await signed_in(SAM)).page
    await narrow(page)
    found = []
    for path in ("/earningRules", "/earningRules/base", "/earningRules/new", f"/earnings/{purchase}"):
        await page.goto(path)
        found += [f"{path}: {each}" for each in await bars(page)]
    assert found == [], "\n".join(found)


async def test_a_rule_is_tried_on_a_purchase_by_keyboard_before_it_is_kept(
    purchase: str, signed_in: SignedIn
) -> None:
    page = (await signed_in(SAM)).page
    await page.goto("/earningRules")
    await page.get_by_role("link", name="A point a dollar").first.press("Enter")
    await page.get_by_label("If, over purchase").fill("line.product.startsWith('dairy')")
    await page.get_by_label("Try it on a purchase").select_option(f"purchases/{purchase}")
    await page.get_by_role("button", name="Try").press("Enter")
    rows = page.get_by_role("group", name="What each rule gives").locator("tbody tr")
    await expect(rows.first).to_contain_text("its condition does not hold")
    await expect(rows.last).to_contain_text("10")
    await page.get_by_role("button", name="Keep as a draft").press("Enter")
    await expect(page.get_by_text("version 2 is in force")).to_be_visible()


async def test_a_new_rule_is_tried_and_kept_and_purchases_are_reckoned_anew_by_keyboard(
    desk: Company, purchase: str, signed_in: SignedIn
) -> None:
    page = (await signed_in(SAM)).page
    await page.goto(f"/earningRules/new?purchase={purchase}")
    await page.get_by_label("Its code").fill("welcome")
    await page.get_by_label("For what").select_option(label="a purchase as a whole")
    await page.get_by_label("A fixed number of points").fill("50")
    await page.get_by_label("First day").fill("2026-03-01")
    await page.get_by_label("Points at most").first.fill("50")
    await page.get_by_role("button", name="Try").press("Enter")
    await expect(page.get_by_role("group", name="What each rule gives")).to_contain_text("as it is here")
    found = await seen(page)
    await page.get_by_role("button", name="Keep as a draft").press("Enter")
    await page.get_by_role("button", name="Put version 1 in force").press("Enter")
    await page.get_by_role("link", name="Reckon purchases anew by it").press("Enter")
    await page.get_by_label("First day").fill("2026-02-28")
    await page.get_by_label("Last day").fill("2026-03-02")
    found += await seen(page)
    await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("y")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Reckon 1 purchase anew?")
    await expect(page.get_by_role("group", name="By rule")).to_contain_text("welcome")
    found += await seen(page)
    await page.keyboard.press("y")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Purchases reckoned anew")

    async def done() -> bool:
        await page.reload()
        return "1 of 1 reckoned, 1 earn something else" in await page.locator("#job").inner_text()

    await eventually(done)
    found += await seen(page)
    await page.get_by_role("link", name="All such jobs").press("Enter")
    await expect(page.locator("li[data-key]")).to_contain_text("welcome as in version 2")
    assert found + await seen(page) == []


async def test_what_is_wrong_with_a_rule_stands_at_its_field_as_it_was_typed(signed_in: SignedIn) -> None:
    visitor = await signed_in(SAM)
    visitor.expect("status of 422")
    page = visitor.page
    await page.goto("/earningRules/new")
    await page.get_by_label("Its code").fill("thousand")
    points, most = page.get_by_label("A fixed number of points"), page.get_by_label("Points at most").first
    await points.fill("1.000")
    await most.fill("2,5")
    await page.get_by_role("button", name="Keep as a draft").press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Not done yet: look at what is marked.")
    for field, typed in ((points, "1.000"), (most, "2,5")):
        await expect(field).to_have_value(typed)
        await expect(field).to_have_attribute("aria-invalid", "true")
    assert await barriers(page) == []


async def seen(page: Page) -> list[str]:
    """What bars anybody from a page, narrow and dark and wide and light."""
    found = []
    for width, scheme in ((320, "dark"), (768, "light"), (1280, "dark"), (1920, "light")):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [f"{page.url} at {width}: {each}" for each in [*await barriers(page), *await flaws(page)]]
    return found
