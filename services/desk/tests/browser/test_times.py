"""Opening hours and clock policies, changed by a lead: at any width, in light and dark, by keyboard."""

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.looking import bars, narrow

LEAD = Person("lena", "manager", "front-desk")
OFFICE = {
    "displayName": "Office",
    "department": "departments/front-desk",
    "timeZone": "UTC",
    "hours": [{"days": ["MONDAY", "TUESDAY"], "windows": [{"opens": "09:00", "closes": "17:00"}]}],
    "holidays": [{"regionCode": "DE", "subdivision": "BY"}],
}
DAY = {
    "displayName": "A day",
    "department": "departments/front-desk",
    "subject": "SUBJECT_CASE",
    "condition": "true",
    "targets": [
        {"metric": "CLOCK_METRIC_RESOLUTION", "businessMinutes": 480, "calendar": "calendars/office"}
    ],
}


@pytest.fixture(scope="module", autouse=True)
async def clock(desk: Company) -> str:
    """Opening hours of the front desk, a policy, and a clock that runs by them."""
    await desk.ask(ADMIN, "POST", "calendars?calendarId=office", **OFFICE)
    await desk.ask(ADMIN, "POST", "clockPolicies?clockPolicyId=day", **DAY)
    customer = (await desk.ask(ADMIN, "POST", "customers", displayName="Erika Sommer"))["name"]
    case = {"customer": customer, "topic": "late-delivery", "owner": "agents/front-desk"}
    opened = (await desk.ask(ADMIN, "POST", "cases:open", case=case))["name"]
    (found,) = (await desk.ask(ADMIN, "GET", f'clocks?filter=case="{opened}"'))["clocks"]
    return str(found["name"])


async def test_every_page_and_what_it_says_of_a_change_is_for_everybody(
    signed_in: SignedIn, clock: str
) -> None:
    page = (await signed_in(LEAD)).page
    await narrow(page)
    for path in ("/times", f"/{clock}", "/calendars/new", "/clockPolicies/new?subject=PROMISE"):
        await page.goto(path)
        assert await bars(page) == [], path
    for path in ("/calendars/office", "/clockPolicies/day"):
        await page.goto(path)
        await page.get_by_role("button", name="Who is concerned?").press("Enter")
        await expect(page.get_by_role("region", name="Who is concerned")).to_be_visible()
        assert await bars(page) == [], path


async def test_another_day_is_added_in_one_step_by_keyboard_once_seen_whom_it_concerns(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in(LEAD)).page
    await page.goto("/calendars/office")
    await page.get_by_label("Another day").fill("2026-12-24")
    await page.get_by_label("What it is called").fill("Stocktaking")
    await page.get_by_role("button", name="Who is concerned?").press("Enter")
    await expect(page.locator("main").get_by_text("1 of 1 clocks that run were looked at.")).to_be_visible()
    await expect(page.get_by_label("Another day")).to_have_value("2026-12-24")
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.get_by_label("Stocktaking")).not_to_be_checked()
    kept = await desk.ask(ADMIN, "GET", "calendars/office")
    assert [each["displayName"] for each in kept["exceptions"]] == ["Stocktaking"]


async def test_a_shorter_time_is_tried_before_it_is_kept_for_clocks_that_run(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in(LEAD)).page
    await page.goto("/clockPolicies/day")
    await page.get_by_role("group", name="Done by").get_by_label("Minutes of business time").fill("60")
    await page.get_by_label("Clocks that run already").check()
    await page.get_by_role("button", name="Who is concerned?").press("Enter")
    await expect(page.locator("main").get_by_text("1 clock would be up at another time")).to_be_visible()
    await expect(page.get_by_label("Clocks that run already")).to_be_checked()
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.get_by_text("version 2")).to_be_visible()


async def test_a_policy_by_opening_hours_of_its_own_is_made_by_keyboard(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in(LEAD)).page
    await page.goto("/times")
    await page.get_by_role("link", name="Other opening hours").press("Enter")
    for label, text in (("Code", "shop"), ("What people call it", "Shop"), ("Saturday", "10:00-16:00")):
        await page.get_by_label(label).fill(text)
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Opening hours: Shop")
    await page.goto("/times")
    await page.get_by_role("link", name="Another policy").press("Enter")
    await page.get_by_role("link", name="Work", exact=True).press("Enter")
    await page.get_by_label("Code").fill("quick")
    await page.get_by_role("group", name="Done by").get_by_label("Minutes of business time").fill("60")
    await (
        page.get_by_role("group", name="Done by")
        .get_by_label("By which opening hours")
        .select_option(label="Shop")
    )
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.get_by_text("version 1")).to_be_visible()
    kept = await desk.ask(ADMIN, "GET", "clockPolicies/quick")
    assert kept["targets"][0]["calendar"] == "calendars/shop"
