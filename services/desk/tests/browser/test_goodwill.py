"""Goodwill that waits for a yes: at any width, in light and dark, decided by keyboard."""

from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.looking import bars, narrow

LEAD = Person("lena", "manager", "front-desk")


@pytest.fixture(scope="module", autouse=True)
async def asked(desk: Company) -> None:
    """An administrator asks for 501 points for somebody."""
    goodwill = {
        "customer": f"customers/{uuid4()}",
        "points": {"amount": "501"},
        "reasonCode": "our-mistake",
        "explanation": "It came late, and nobody called.",
    }
    await desk.ask(ADMIN, "POST", "goodwill:request", goodwill=goodwill)


async def test_the_page_is_for_everybody(signed_in: SignedIn) -> None:
    page = (await signed_in(LEAD)).page
    await narrow(page)
    await page.goto("/goodwill")
    await expect(page.get_by_text("It came late, and nobody called.")).to_be_visible()
    assert await bars(page) == []


async def test_no_is_said_by_keyboard(signed_in: SignedIn) -> None:
    page = (await signed_in(LEAD)).page
    await page.goto("/departments")
    await page.get_by_role("link", name="Goodwill that waits for a yes").press("Enter")
    await page.get_by_role("button", name="Say no").press("Enter")
    form = page.get_by_role("dialog").or_(page.locator("form").filter(has_text="Nothing is given."))
    await form.first.get_by_label("Reason").select_option("too-much")
    await form.first.get_by_role("button", name="Say no").press("Enter")
    await expect(page.get_by_role("region", name="Messages")).to_contain_text("It was declined.")
    await expect(page.get_by_role("button", name="Say no")).to_have_count(0)
