"""What is advised on a customer's page is done from there by keyboard, goes, and is not said again."""

import httpx
from playwright.async_api import expect

from tests.browser.company import Company, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import barriers, flaws


async def answered(desk: Company, kind: str) -> dict[str, float]:
    """How often advice of a rule was answered, by outcome."""
    port = desk.services["customer"].app.settings.http_port
    async with httpx.AsyncClient(trust_env=False) as asker:
        told = (await asker.get(f"http://127.0.0.1:{port}/metrics")).text
    start = f'rapport_advice_answers_total{{kind="{kind}",outcome="'
    lines = [line.removeprefix(start) for line in told.splitlines() if line.startswith(start)]
    return {line.partition('"')[0]: float(line.rpartition(" ")[2]) for line in lines}


async def test_advice_says_why_and_what_is_answered_goes_and_is_counted(
    desk: Company, signed_in: SignedIn
) -> None:
    today = desk.clock.now()
    customers = []
    for given in ("Dora", "Nora", "Later"):
        born = {"year": 1984, "month": today.month, "day": today.day}
        person = {"givenName": given, "birthDate": born}
        customers.append(await somebody(desk, person=person, timeZone="UTC"))
    page = (await signed_in()).page
    for customer, button, outcome in zip(
        customers, ("Done", "Not needed", "Not now"), ("DONE", "DISMISSED", "NOT_NOW"), strict=True
    ):
        await page.goto(f"/{customer}")
        card = page.locator("#advice")
        summary = card.locator("summary")
        if await summary.count():
            await summary.press("Enter")
        advice = card.locator("article", has_text="Wish them a happy birthday")
        await expect(advice).to_contain_text("Their birthday: today.")
        assert [*await barriers(page), *await flaws(page)] == []
        before = await answered(desk, "BIRTHDAY")
        await advice.get_by_role("button", name=button).press("Enter")
        await expect(page.get_by_text("Wish them a happy birthday")).to_have_count(0)
        await page.reload()
        await expect(card).to_contain_text("nothing now")
        after = await answered(desk, "BIRTHDAY")
        assert after[outcome] == before.get(outcome, 0) + 1
