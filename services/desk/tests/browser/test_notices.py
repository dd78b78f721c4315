"""Messages to customers, which and how each was decided: at any width, by keyboard."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.async_api import expect

from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, ALICE, Company, Person, SignedIn
from tests.browser.looking import bars, narrow

LEAD = Person("lena", "manager", "front-desk")


@pytest.fixture(scope="module", autouse=True)
async def message(desk: Company) -> str:
    """A message that waits until tomorrow."""
    template = {"type": "TYPE_INFORMATION", "purpose": "purposes/service", "defaultLanguageCode": "en"}
    template |= {"department": "departments/front-desk"}
    await desk.ask(ADMIN, "POST", "templates?templateId=ready", **template)
    text = {"subject": "Ready", "body": "Your order is ready. {{ contact_name }}"}
    await desk.ask(ADMIN, "POST", "templates/ready/texts?templateTextId=en", **text)
    customer = (await desk.ask(ADMIN, "POST", "customers", displayName="Erika Sommer"))["name"]
    notice = {"customer": customer, "kind": "order-ready", "template": "templates/ready"}
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    sent = await desk.ask(ALICE, "POST", "notices:send", notice=notice | {"scheduleTime": tomorrow})
    return str(sent["name"])


async def test_every_page_of_messages_is_for_everybody(signed_in: SignedIn, message: str) -> None:
    page = (await signed_in(LEAD)).page
    await narrow(page)
    found = []
    for path in ("/notices", f"/{message}", "/notices/report?by=template", "/notices/report?by=channel"):
        await page.goto(path)
        found += [f"{path}: {each}" for each in await bars(page)]
    assert found == [], "\n".join(found)


async def test_what_waits_is_found_read_and_taken_back_by_keyboard(
    desk: Company, signed_in: SignedIn, message: str
) -> None:
    page = (await signed_in(ALICE)).page
    await page.goto("/departments")
    await page.get_by_role("link", name="Messages to customers").press("Enter")
    await page.get_by_role("link", name="Waits", exact=True).press("Enter")
    await page.get_by_role("link", name="Order ready").first.press("Enter")
    await page.get_by_role("button", name="Read it").press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Your order is ready.")
    await page.keyboard.press("Escape")
    await page.keyboard.press("x")
    await expect(page.get_by_role("region", name="Where it is")).to_contain_text("taken back")
    kept = await desk.ask(ADMIN, "GET", message)
    assert kept["reasonCode"] == "taken-back"
    await page.goto("/notices/report?by=template")
    await expect(page.get_by_role("region", name="Why not")).to_contain_text("taken back")


async def test_why_a_customer_was_told_leads_to_each_attempt(desk: Company, signed_in: SignedIn) -> None:
    handles = [{"type": "TYPE_EMAIL", "value": f"{uuid4()}@example.org"}]
    customer = await desk.ask(ADMIN, "POST", "customers", displayName="Max Linde", identifiers=handles)
    notice = {"customer": customer["name"], "kind": "order-ready", "template": "templates/ready"}
    sent = await desk.ask(ALICE, "POST", "notices:send", notice=notice)

    async def tried() -> bool:
        return bool((await desk.ask(ADMIN, "GET", f"{sent['name']}/attempts")).get("deliveryAttempts"))

    await eventually(tried)
    page = (await signed_in(LEAD)).page
    await page.goto(f"/{sent['name']}")
    decided = page.get_by_role("region", name="How it was decided")
    await expect(decided.get_by_role("listitem").first).to_be_visible()
    await expect(page.get_by_role("group", name="Attempts").locator("tbody tr").first).to_be_visible()
    await narrow(page)
    assert await bars(page) == []
