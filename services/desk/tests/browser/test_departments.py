"""How departments keep their promises, looked at: the picture, the table under it, and by keyboard."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.async_api import expect

from rapport_testing.clock import ManualClock
from tests.browser.company import ADMIN, Company, SignedIn
from tests.browser.looking import bars, narrow, widths

BY_OUTCOME = {"kept": -1, "late": 1, "broken": None}


@pytest.fixture(scope="module")
def time_of_day() -> ManualClock:
    """The last Wednesday, on which no week ends."""
    now = datetime.now(UTC)
    return ManualClock(now - timedelta(days=(now.weekday() - 2) % 7))


@pytest.fixture(scope="module", autouse=True)
async def promises(desk: Company) -> None:
    """Of each kind one, due three weeks ago, and one that waits."""
    now = desk.clock.now()
    made = {"customer": f"customers/{uuid4()}", "department": "departments/delivery", "kind": "delivery"}
    made["makeTime"] = (now - timedelta(days=60)).isoformat()
    due = now - timedelta(days=21)
    requests = [
        {
            "promise": {
                **made,
                "dueTime": due.isoformat(),
                **({} if late is None else {"keepTime": (due + timedelta(days=late)).isoformat()}),
            }
        }
        for late in BY_OUTCOME.values()
    ]
    requests.append({"promise": made | {"dueTime": (now + timedelta(minutes=30)).isoformat()}})
    await desk.ask(ADMIN, "POST", "promises:batchMake", requests=requests)


async def test_picture_and_table_say_the_same_at_any_width(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in()).page
    await narrow(page)
    await page.goto("/departments")
    await page.get_by_role("link", name="Delivery").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("How Delivery keeps its promises")
    picture = page.get_by_role("img", name="A column for each week")
    async for _ in widths(page):
        for kind in (*BY_OUTCOME, "waits"):
            column = picture.locator(f"rect.{kind}")
            assert await column.evaluate("each => each.getBoundingClientRect().height") > 0, kind
    together = page.locator("tfoot tr td")
    assert await together.all_inner_texts() == ["1", "1", "1", "0", "0 of 2", "1", "33%"]
    assert await bars(page) == []


async def test_another_period_is_chosen_by_keyboard(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in()).page
    await page.goto("/departments/delivery")
    await page.get_by_role("link", name="26 weeks").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("tbody tr")).to_have_count(26)
    await expect(page.get_by_role("link", name="26 weeks")).to_have_attribute("aria-current", "true")
