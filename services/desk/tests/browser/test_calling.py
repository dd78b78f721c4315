"""Whom no message reaches a person calls: from the queue to what became of it, by keyboard alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import expect

from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, ALICE, DORA, Company, SignedIn
from tests.browser.customers import ahead, surname
from tests.browser.looking import bars, narrow


@pytest.fixture(scope="module")
def time_of_day() -> ManualClock:
    """An hour ago."""
    return ManualClock(datetime.now(UTC) - timedelta(hours=1))


async def unreachable(desk: Company, who: str) -> dict[str, Any]:
    """Somebody without an address, whose delivery will be late: the promise, and the call about it."""
    agent = {"displayName": "Alice Brandt", "phone": "+49 30 901820", "department": "departments/front-desk"}
    await desk.ask(ADMIN, "PATCH", "agents/alice?allowMissing=true", **agent)
    number = {"type": "TYPE_PHONE", "value": "+49 30 901821"}
    customer = await desk.ask(
        ALICE, "POST", "customers", displayName=who, timeZone="Europe/Berlin", identifiers=[number]
    )
    opened = {"customer": customer["name"], "topic": "late-delivery", "owner": "agents/alice"}
    case = await desk.ask(ALICE, "POST", "cases:open", case=opened)
    asked = {"case": case["name"], "department": "departments/delivery", "kind": "deliver-order"}
    item = await desk.ask(ALICE, "POST", "workItems", **asked)
    promise = {"customer": customer["name"], "workItem": item["name"], "kind": "delivery"}
    promise |= {"department": "departments/delivery", "dueTime": ahead(desk, days=3)}
    made = await desk.ask(ALICE, "POST", "promises:make", promise=promise)
    late = {"forecastFinishTime": ahead(desk, days=5), "reasonCode": "carrier-delay"}
    await desk.ask(DORA, "POST", f"{item['name']}:forecast", **late)
    calls = f'workItems?filter=customer="{customer["name"]}" AND kind=call-customer'

    async def waits() -> Any:
        return (await desk.ask(ALICE, "GET", calls)).get("workItems")

    [call] = await eventually(waits)
    return {"promise": made["name"], "call": f"/{call['name'].replace('workItems/', 'calls/')}"}


async def test_bad_news_to_somebody_whom_no_message_reaches_is_told_by_a_person_in_time(
    desk: Company, signed_in: SignedIn
) -> None:
    ida = f"Ida {surname()}"
    found = await unreachable(desk, ida)
    page = (await signed_in()).page
    await page.goto("/")
    row = page.locator("li", has_text=ida)
    await row.get_by_role("link", name="Call the customer").press("Enter")
    await page.wait_for_url(f"**{found['call']}")
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        f"Call: a message that did not reach them, {ida}"
    )
    await expect(page.locator("main")).not_to_contain_text("901821")
    await expect(page.locator("dl.facts")).to_contain_text("did not reach them: no address")
    await expect(page.locator("dl.facts")).to_contain_text("It will not be in time.")
    await page.keyboard.press("c")
    await page.get_by_role("button", name="Show it").press("Enter")
    await expect(page.get_by_role("link", name="+4930901821")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("1")  # as who begins to type a number
    await expect(page.get_by_role("button", name="I spoke with them")).to_be_focused()
    await page.keyboard.press("2")
    await expect(page.get_by_role("button", name="Nobody answers")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-told]")).to_have_text("Recorded: nobody answered.")
    await expect(page.locator("main")).to_contain_text("Not before ")
    await page.keyboard.press("1")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-told]")).to_have_text("Recorded: reached.")
    await expect(page.locator("ol.work li")).to_have_count(2)
    promise = await desk.ask(ALICE, "GET", found["promise"])
    assert (promise["notifier"], promise["notifyChannel"]) == ("agents/alice", "CHANNEL_VOICE")
    assert promise["delayNotifyTime"] < promise["dueTime"]


async def test_the_page_bars_nobody_at_any_width(desk: Company, signed_in: SignedIn) -> None:
    found = await unreachable(desk, "Udo Blau")
    page = (await signed_in()).page
    await narrow(page)
    await page.goto(found["call"])
    await expect(page.get_by_role("button", name="I spoke with them")).to_be_visible()
    assert await bars(page) == []
