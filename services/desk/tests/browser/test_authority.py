"""What may be done alone, said by a lead: at any width, in light and dark, by keyboard."""

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.looking import bars, narrow

LEAD = Person("lena", "manager", "front-desk")
ROLE = "loyalty.programs.write"


@pytest.fixture(scope="module", autouse=True)
async def policy(desk: Company) -> None:
    """One of the front desk, for everybody and for a role."""
    limits = [
        {"points": "300"},
        {
            "permission": ROLE,
            "leastBand": "VALUE_BAND_GOLD",
            "leastHarm": "HARM_LOSS",
            "points": "900",
            "rollingDayPoints": "3000",
        },
    ]
    told = {"department": "departments/front-desk", "act": "AUTHORITY_ACT_GOODWILL", "limits": limits}
    made = "authorityPolicies?authorityPolicyId=front-line"
    await desk.ask(ADMIN, "POST", made, displayName="Front line", **told)


async def test_every_page_and_what_it_says_of_a_change_is_for_everybody(signed_in: SignedIn) -> None:
    page = (await signed_in(LEAD)).page
    await narrow(page)
    for path in ("", "/front-line", "/front-line/versions/1", "/new?policy_act=EXTENSION"):
        await page.goto(f"/authorityPolicies{path}")
        assert await bars(page) == [], path
    await page.goto("/authorityPolicies/front-line")
    await page.get_by_role("group", name="Limit 1").get_by_label("Points").fill("400")
    await page.get_by_role("button", name="Who may do what then?").press("Enter")
    then = page.get_by_role("region", name="What they may do then")
    await expect(then.locator("ins").first).to_have_text("400 points")
    assert await bars(page) == []


async def test_a_limit_is_added_by_keyboard_once_seen_who_may_do_what_then(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in(LEAD)).page
    await page.goto("/departments")
    await page.get_by_role("link", name="What may be done alone").press("Enter")
    await page.get_by_role("link", name="Front line").press("Enter")
    other = page.get_by_role("group", name="Another limit")
    await other.get_by_label("Points").fill("1200")
    await other.get_by_label("When").select_option("SEVERE")
    await page.get_by_role("button", name="Who may do what then?").press("Enter")
    then = page.get_by_role("region", name="What they may do then")
    await expect(then.locator("ins")).to_have_count(8)  # of two roles in four bands, of the worst harm
    await page.get_by_role("button", name="One more limit").press("Enter")
    await expect(page.get_by_role("group", name="Limit 3").get_by_label("Points")).to_have_value("1200")
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.get_by_role("link", name="version 2")).to_be_visible()
    kept = await desk.ask(ADMIN, "GET", "authorityPolicies/front-line")
    assert [each["points"] for each in kept["limits"]] == ["300", "900", "1200"]
