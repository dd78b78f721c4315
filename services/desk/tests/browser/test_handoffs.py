"""Who waited for whom, looked at: the pairs of departments, and one of them by keyboard."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.async_api import expect

from rapport_testing.clock import ManualClock
from tests.browser.company import ADMIN, ALICE, DORA, Company, SignedIn
from tests.browser.looking import bars, narrow, widths


@pytest.fixture(scope="module")
def time_of_day() -> ManualClock:
    """Six days ago, five of which work takes."""
    return ManualClock(datetime.now(UTC) - timedelta(days=6))


@pytest.fixture(scope="module", autouse=True)
async def work(desk: Company, time_of_day: ManualClock) -> None:
    """Delivery gets work of the front desk's, waits three days, works two, and gives it to the warehouse."""
    agent = {"displayName": "Alice", "phone": "+49 30 901820", "department": "departments/front-desk"}
    await desk.ask(ADMIN, "PATCH", "agents/alice?allowMissing=true", **agent)
    case = {"customer": f"customers/{uuid4()}", "topic": "late-delivery", "owner": "agents/alice"}
    opened = await desk.ask(ALICE, "POST", "cases:open", case=case)
    asked = {"case": opened["name"], "department": "departments/delivery", "kind": "deliver-order"}
    item = await desk.ask(ALICE, "POST", "workItems", **asked)
    time_of_day.advance(timedelta(days=3))
    await desk.ask(DORA, "POST", f"{item['name']}:start")
    time_of_day.advance(timedelta(days=2))
    over = {"department": "departments/warehouse", "reasonCode": "not-ours", "askedCustomerAgain": True}
    await desk.ask(DORA, "POST", f"{item['name']}:handOver", **over)


async def test_a_pair_is_drawn_and_told_at_any_width(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in()).page
    await narrow(page)
    await page.goto("/departments")
    await page.get_by_role("link", name="Who waited for whom").press("Enter")
    row = page.locator("tbody tr", has_text="Front desk → Delivery")
    await expect(row).to_contain_text("3 days")
    await expect(row).to_contain_text("open 72 hours")
    async for _ in widths(page):
        wait, did = [
            await row.locator(f"rect.{kind}").evaluate("each => each.getBoundingClientRect().width")
            for kind in ("wait", "work")
        ]
        assert wait > did > 0
    assert await bars(page) == []


async def test_a_department_is_chosen_by_keyboard(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in()).page
    await page.goto("/handoffs")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await page.get_by_role("link", name="Warehouse").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Who waited for whom: Warehouse")
    await expect(page.locator("tbody tr")).to_have_count(1)
