"""A customer's membership, looked at: what it holds until when, its tier, household, cards and statement."""

from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, ALICE, Company, SignedIn
from tests.browser.looking import bars, narrow, widths

MAIN = "programs/main"
POLICY = {"activation": "ACTIVATION_IMMEDIATE", "expiry": "EXPIRY_AFTER_EARNING", "expiryDays": 30}


@pytest.fixture(scope="module")
async def anna(desk: Company) -> str:
    """Anna has silver, points of which some end, a household of two, and a card that she lost."""
    anna, bert = [
        (await desk.ask(ALICE, "POST", "customers", displayName=name))["name"]
        for name in ("Anna Berg", "Bert Berg")
    ]
    joined = await desk.ask(ALICE, "POST", f"{MAIN}/memberships", customer=anna)
    await desk.ask(ALICE, "POST", f"{joined['name']}/members", customer=bert)
    card = await desk.ask(ALICE, "POST", f"{joined['name']}/cards", number="4000 1111")
    await desk.ask(ALICE, "POST", f"{card['name']}:replace", number="4000 2222", reasonCode="lost")
    for tier, takes in (("silver", "100"), ("gold", "500")):
        said = {"displayName": tier.title(), "threshold": {"value": takes}}
        await desk.ask(ADMIN, "POST", f"{MAIN}/tiers?tierId={tier}", **said)
    tiers = {"measure": "MEASURE_POINTS", "unitCode": "points", "period": "PERIOD_CALENDAR_YEAR"}
    policy = {**tiers, "downgrade": "DOWNGRADE_TO_EARNED"}
    await desk.ask(ADMIN, "PATCH", f"{MAIN}?updateMask=tierPolicy", tierPolicy=policy)
    accounts = await desk.ask(ALICE, "GET", f'{MAIN}/accounts?filter=membership="{joined["name"]}"')
    account = accounts["accounts"][0]["name"]
    for amount, how in ((120, {}), (80, {"lotPolicy": POLICY})):
        legs = [{"account": f"{MAIN}/accounts/points-issued", "amount": -amount}]
        legs.append({"account": account, "amount": amount, **how})
        await desk.ask(ADMIN, "POST", "transfers:post", transfer={"legs": legs, "reasonCode": "welcome-gift"})
    return str(anna)


async def test_what_a_member_holds_is_drawn_and_told_at_any_width(anna: str, signed_in: SignedIn) -> None:
    page = (await signed_in(ADMIN)).page
    await narrow(page)
    await page.goto(f"/{anna}/membership")
    ends = page.locator("#points .ends")
    await expect(ends.locator("tbody tr")).to_have_count(2)
    await expect(ends.locator("tbody tr", has_text="never")).to_contain_text("120")
    async for _ in widths(page):
        first, second = [
            await rect.evaluate("each => each.getBoundingClientRect().width")
            for rect in await ends.locator("rect").all()
        ]
        assert second > first > 0
    await expect(page.locator("#points .moved tbody tr").first).to_contain_text("Welcome gift")
    tier = page.locator("#tier")
    await expect(tier).to_contain_text("Silver")
    await expect(tier).to_contain_text("300 to Gold")
    cards = page.locator("#cards")
    await expect(cards).to_contain_text("… 2222")
    await expect(cards).not_to_contain_text("4000")
    assert await bars(page) == []


async def test_it_is_reached_from_the_customer_and_leads_to_who_else_belongs_to_it(
    anna: str, signed_in: SignedIn
) -> None:
    page = (await signed_in()).page
    await page.goto(f"/{anna}")
    await page.get_by_role("link", name="Points and membership").press("Enter")
    household = page.locator("#household")
    await expect(household).to_contain_text("answers for it")
    await household.get_by_role("link", name="Bert Berg").press("Enter")
    await page.get_by_role("link", name="Points and membership").press("Enter")
    await expect(page.locator("#tier")).to_contain_text("Silver")


async def test_the_history_of_a_tier_is_told(anna: str, signed_in: SignedIn) -> None:
    page = (await signed_in()).page
    await page.goto(f"/{anna}/membership")
    await expect(page.locator("#tier ol")).to_contain_text("A higher tier reached")


async def test_a_statement_is_chosen_by_time(anna: str, signed_in: SignedIn) -> None:
    page = (await signed_in()).page
    await narrow(page)
    await page.goto(f"/{anna}/membership")
    await page.get_by_role("link", name="The whole statement: Points").press("Enter")
    lines = page.locator("ol.tl > li")
    await expect(lines).to_have_count(2)
    await expect(lines.first).to_contain_text("+80")
    await expect(lines.first).to_contain_text("then 200")
    await page.get_by_label("To", exact=True).fill("2020-01-01")
    await page.get_by_role("button", name="Show", exact=True).press("Enter")
    await expect(page.locator("main")).to_contain_text("Nothing moved them in that time.")
    assert await bars(page) == []


async def test_of_who_is_in_none_that_is_said_and_they_can_be_made_a_member(
    desk: Company, signed_in: SignedIn
) -> None:
    made = await desk.ask(ALICE, "POST", "customers", displayName=f"Nobody {uuid4().hex[:4]}")
    page = (await signed_in()).page
    await page.goto(f"/{made['name']}/membership")
    await expect(page.locator("main")).to_contain_text("They are in no membership yet.")
    await page.get_by_role("button", name="Make them a member").press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Make them a member").press("Enter")
    await expect(page.locator("#membership")).not_to_contain_text("They are in no membership yet.")
    await expect(page.locator("#household")).to_contain_text("answers for it")
