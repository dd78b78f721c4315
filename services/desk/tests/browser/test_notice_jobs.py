"""One message to many customers, by keyboard alone: chosen, previewed, begun, followed, paused, given up."""

from collections.abc import Sequence

import pytest
from playwright.async_api import Page, expect

from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import bars, narrow

LEAD = Person("lena", "manager", "front-desk")
TEXT = {
    "subject": "Stocktaking",
    "body": "Dear {{ customer_name }}, {{ depot }} is closed. {{ contact_name }}",
}


@pytest.fixture(scope="module", autouse=True)
async def customers(desk: Company) -> None:
    """Words of the front desk's that people may send, and two customers in Austria."""
    template = {"type": "TYPE_INFORMATION", "purpose": "purposes/service", "defaultLanguageCode": "en"}
    template |= {"department": "departments/front-desk", "variables": [{"name": "depot"}]}
    await desk.ask(ADMIN, "POST", "templates?templateId=closing", **template)
    await desk.ask(ADMIN, "POST", "templates/closing/texts?templateTextId=en", **TEXT)
    for given in ("Erika", "Nora"):
        await somebody(desk, given, regionCode="AT")


async def chosen(page: Page, channels: Sequence[str] = (), **typed: str) -> None:
    """What a message would do, by these channels in their order, seen by keyboard."""
    await page.goto("/departments")
    await page.get_by_role("link", name="Messages to many").press("Enter")
    await page.get_by_role("link", name="Write to many customers").press("Enter")
    await page.get_by_label("These words are sent").select_option(label="Closing")
    await page.get_by_role("button", name="Send these words").press("Enter")
    for label, text in {"Depot": "Kiel", "Country": "AT", **typed}.items():
        await page.get_by_label(label).fill(text)
    for i, channel in enumerate(channels):
        await page.locator(f"[name=channel-{i}]").select_option(label=channel)
    await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("y")


async def test_every_page_of_messages_to_many_is_for_everybody(signed_in: SignedIn) -> None:
    page = (await signed_in(LEAD)).page
    await narrow(page)
    found = []
    for path in ("/noticeJobs", "/noticeJobs/new", "/noticeJobs/new?template=templates/closing"):
        await page.goto(path)
        found += [f"{path}: {each}" for each in await bars(page)]
    assert found == [], "\n".join(found)


async def test_a_message_is_seen_begun_and_followed_by_keyboard(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in(LEAD)).page
    await chosen(page, channels=("SMS", "E-mail"), **{"To how many a minute": "6000"})
    await expect(page.get_by_role("heading", level=1)).to_have_text("Write to 2 customers?")
    await expect(page.get_by_role("region", name="How it reads")).to_contain_text("Kiel is closed.")
    await expect(page.get_by_role("region", name="Whom it concerns")).to_contain_text("by SMS, e-mail")
    assert await bars(page) == []
    await page.keyboard.press("y")
    await expect(page.locator("#job")).to_be_visible()
    job = page.url

    async def done() -> bool:
        await page.reload()
        told = await page.locator("#job").inner_text()
        return "2 asked for, 0 not" in told and "done" in told

    await eventually(done)
    assert await bars(page) == []
    await page.get_by_role("link", name="Messages to many").last.press("Enter")
    await expect(page.locator("li[data-key]").first).to_contain_text("Closing: customers, in Austria")
    assert job.endswith(str(await page.locator("li[data-key]").first.get_attribute("data-key")))


async def test_one_that_begins_later_is_paused_goes_on_and_is_given_up_by_keyboard(
    signed_in: SignedIn,
) -> None:
    page = (await signed_in(LEAD)).page
    await chosen(page, **{"First day": await page.evaluate("() => `${new Date().getFullYear() + 1}-01-02`")})
    await expect(page.get_by_role("heading", level=1)).to_have_text("Write to 2 customers?")
    await page.keyboard.press("y")
    await expect(page.locator("#job")).to_contain_text("runs")
    await page.keyboard.press("x")
    await expect(page.locator("#job")).to_contain_text("paused")
    assert await bars(page) == []
    await page.keyboard.press("y")
    await expect(page.locator("#job")).to_contain_text("runs")
    await page.keyboard.press("x")
    await page.get_by_role("button", name="Give it up").press("Enter")
    await expect(page.locator("#job")).to_contain_text("given up")
    assert await bars(page) == []
    await expect(page.locator("#job")).to_contain_text("0 asked for, 0 not")
