"""The ledger of promises, looked at: a promise that moved, and its choices by keyboard."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, DORA, Company, SignedIn
from tests.browser.customers import ahead, somebody
from tests.browser.looking import bars, narrow


@pytest.fixture(scope="module", autouse=True)
async def promises(desk: Company) -> None:
    """One that was put off, and was told; its successor waits."""
    agent = {"displayName": "Dora", "phone": "+49 30 901820", "department": "departments/delivery"}
    await desk.ask(ADMIN, "PATCH", "agents/dora?allowMissing=true", **agent)
    promise = {"customer": await somebody(desk, "Erika Sommer"), "department": "departments/delivery"}
    promise |= {"kind": "delivery", "reference": "orders/5021", "dueTime": ahead(desk, days=2)}
    made = await desk.ask(DORA, "POST", "promises:make", promise=promise)
    later = (desk.clock.now() + timedelta(days=9)).isoformat()
    why = {"dueTime": later, "reasonCode": "carrier-delay", "channel": "CHANNEL_VOICE"}
    await desk.ask(DORA, "POST", f"{made['name']}:renegotiate", **why)


async def test_what_moved_says_why_and_who_was_told_at_any_width(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in()).page
    await narrow(page)
    await page.goto("/departments/delivery")
    await page.get_by_role("link", name="Each promise").press("Enter")
    moved = page.locator("li[data-key]", has_text="told by Dora")
    await expect(moved).to_contain_text("the transport is taking longer than planned")
    await expect(moved).to_contain_text("before it was due")
    await expect(page.locator("li[data-key]", has_text="in place of")).to_be_visible()
    assert await bars(page) == []


async def test_an_outcome_is_chosen_by_keyboard_and_why_opens_beside_it(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in()).page
    await page.goto("/promises")
    await expect(page.locator("li[data-key]")).to_have_count(2)
    await page.get_by_role("link", name="Waits 1").press("Enter")
    await expect(page.locator("li[data-key]")).to_have_count(1)
    await page.get_by_role("button", name="why: Delivery of order 5021").press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Because")
