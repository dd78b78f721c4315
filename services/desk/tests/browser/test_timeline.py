"""Everything that happened with a customer: endless, by choice, with the keyboard alone, and on paper."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.browser.company import ALICE, Company, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import barriers

CONTACTS = 120


@pytest.fixture(scope="module")
async def erika(desk: Company) -> str:
    """A customer who was in touch often."""
    customer, now = await somebody(desk), desk.clock.now()
    requests = [
        {
            "parent": customer,
            "timelineEntry": {
                "channel": "CHANNEL_EMAIL" if number % 2 else "CHANNEL_VOICE",
                "direction": "DIRECTION_INBOUND",
                "topic": f"topic-{number}",
                "occurTime": (now - timedelta(hours=number + 1)).isoformat(),
            },
        }
        for number in range(CONTACTS)
    ]
    await desk.ask(ALICE, "POST", "customers:batchRecordInteractions", requests=requests)
    return customer


async def test_what_comes_next_comes_when_its_end_is_near_and_back_shows_as_much(
    desk: Company, signed_in: SignedIn, erika: str
) -> None:
    visitor = await signed_in()
    page, entries = visitor.page, visitor.page.locator(".tl > li[data-key]")
    await page.goto(f"/{erika}/timeline?kind=contacts")
    await expect(entries).to_have_count(50)
    await page.locator(".further").scroll_into_view_if_needed()
    await expect(entries).to_have_count(100)
    await page.locator(".further").scroll_into_view_if_needed()
    await expect(entries).to_have_count(CONTACTS)
    await expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    await page.reload()
    await expect(entries).to_have_count(CONTACTS)


async def test_the_keyboard_chooses_and_each_choice_has_a_url(
    desk: Company, signed_in: SignedIn, erika: str
) -> None:
    visitor = await signed_in()
    page = visitor.page
    await page.goto(f"/{erika}/timeline")
    await page.get_by_role("link", name="E-mail", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/timeline?channel=email")
    await expect(page.get_by_role("link", name="E-mail", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    await expect(page.locator(".tl")).not_to_contain_text("Called us")
    await page.get_by_label("From", exact=True).fill("2000-01-01")
    await page.get_by_label("To", exact=True).fill("2000-01-02")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/timeline?channel=email&since=2000-01-01&until=2000-01-02")
    await expect(page.get_by_role("main")).to_contain_text("Nothing like this happened.")
    await page.go_back()
    await expect(page.locator(".tl")).to_contain_text("Wrote by e-mail")


async def test_row_27_paper_says_that_there_is_more(desk: Company, signed_in: SignedIn, erika: str) -> None:
    visitor = await signed_in()
    page = visitor.page
    await page.goto(f"/{erika}/timeline")
    await expect(page.get_by_text("50 of more")).to_be_hidden()
    await page.emulate_media(media="print")
    await expect(page.get_by_text("50 of more")).to_be_visible()
    await expect(page.get_by_role("banner")).to_be_hidden()
    await expect(page.get_by_role("button", name="Show more")).to_be_hidden()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
async def test_row_26_nothing_bars_anybody(
    desk: Company, signed_in: SignedIn, erika: str, dark: bool, narrow: bool
) -> None:
    visitor = await signed_in(dark=dark, narrow=narrow)
    await visitor.page.goto(f"/{erika}/timeline?kind=contacts&channel=voice")
    assert await barriers(visitor.page) == []
    assert await visitor.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
