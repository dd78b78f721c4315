"""The queue of a department and taking the next, looked at: at any width, by keyboard, and as it changes."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, DORA, Company, Person, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import barriers, bars, flaws, narrow

DELIVERY = "departments/delivery"
DAN_CAN = "[id='abilities-agents/dan']"
DAN = Person("dan", "agent", "delivery")
LENA = Person("lena", "manager", "delivery")


@pytest.fixture(scope="module", autouse=True)
async def work(desk: Company) -> str:
    """Work of a customer's waits, of which some is promised, some is for a team."""
    for code, said in (("dan", {"capacity": 2}), ("lena", {}), ("dora", {"languageCodes": ["de"]})):
        told = {"displayName": code.title(), "phone": "+49 30 1", "department": DELIVERY, **said}
        await desk.ask(ADMIN, "PATCH", f"agents/{code}?allowMissing=true", **told)
    team = {"displayName": "Returns", "department": DELIVERY, "skills": ["refunds"]}
    await desk.ask(ADMIN, "POST", "teams?teamId=returns", **team)
    customer = await somebody(desk, "Nina")
    case = {"customer": customer, "topic": "late-delivery", "owner": "agents/dora", "department": DELIVERY}
    opened = (await desk.ask(ADMIN, "POST", "cases:open", case=case))["name"]
    first = await desk.ask(ADMIN, "POST", "workItems", case=opened, department=DELIVERY, kind="deliver-order")
    due = (desk.clock.now() + timedelta(hours=2)).isoformat()
    promise = {"customer": customer, "department": DELIVERY, "kind": "delivery", "dueTime": due}
    await desk.ask(ADMIN, "POST", "promises:make", promise=promise | {"workItem": first["name"]})
    for_team = {"team": "teams/returns", "requiredSkills": ["refunds"], "languageCode": "fr"}
    await desk.ask(ADMIN, "POST", "workItems", case=opened, department=DELIVERY, kind="repair", **for_team)
    return opened


async def test_nothing_bars_anybody_from_the_queue_nor_from_taking_the_next_at_any_width(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in(LENA)).page
    await narrow(page)
    await page.goto("/")
    await expect(page.get_by_role("button", name="Take the next")).to_be_visible()
    assert await bars(page) == []
    await page.get_by_role("link", name="The queue").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Queue of Delivery")
    await expect(page.locator("#waits li").nth(1)).to_contain_text("Repair")
    assert await bars(page) == []
    await page.locator(DAN_CAN).press("Enter")
    await expect(page.get_by_label("Skills")).to_be_focused()
    assert await bars(page, "#panel") == []


async def test_by_keyboard_alone_one_says_that_one_is_there_and_takes_the_next(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in(DAN)).page
    await page.goto("/")
    await page.get_by_role("button", name="Busy").press("Enter")
    await expect(page.locator("#next-state")).to_have_text("You are: Busy")
    await page.locator("#main").focus()
    await page.keyboard.press("q")
    await expect(page.locator("#toast")).to_contain_text("You are busy: say that you are available.")
    await page.get_by_role("button", name="Available").press("Enter")
    await expect(page.locator("#next-state")).to_have_text("You are: Available")
    await page.locator("#main").focus()
    await page.keyboard.press("q")
    await expect(page.locator("#toast")).to_contain_text("Yours now: Deliver order")
    await expect(page.locator("#toast")).to_contain_text("promised for")
    await expect(page.locator("#mine")).to_contain_text("Deliver order")
    assert [*await barriers(page), *await flaws(page)] == []


async def test_the_queue_changes_by_itself_and_shows_who_is_there(
    desk: Company, signed_in: SignedIn, work: str
) -> None:
    page = (await signed_in(DORA)).page
    await page.goto("/queue/delivery")
    await expect(page.locator("#waits")).to_contain_text("for a while only for who speaks French")
    await expect(page.locator("#people")).to_contain_text("Dora")
    await page.mouse.move(1, 1)
    await desk.ask(ADMIN, "POST", "workItems", case=work, department=DELIVERY, kind="call-back")
    await expect(page.locator("#waits")).to_contain_text("Call back", timeout=20_000)


async def test_a_lead_changes_what_somebody_can_do(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in(LENA)).page
    await page.goto("/queue/delivery")
    await page.locator(DAN_CAN).press("Enter")
    await page.get_by_label("Teams").fill("returns")
    await page.get_by_label("Work at once").fill("3")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#toast")).to_contain_text("Saved: what Dan can do.")
    await expect(page.locator("#people")).to_contain_text("of 3")
    await page.get_by_role("button", name="New team").press("Enter")
    await page.get_by_label("Code").fill("Not a code")
    await page.get_by_label("What people call it").fill("Claims")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_label("Code")).to_be_focused()
    await page.get_by_label("Code").fill("claims")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#teams")).to_contain_text("Claims")
