"""A case with the work of its departments: who has it, who waits for whom, and what they do with it."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.company import ADMIN, ALICE, Company, Person, SignedIn
from tests.browser.customers import somebody, surname
from tests.browser.looking import barriers, bars, narrow

DORA = Person("dora", "agent", "delivery")


@pytest.fixture(scope="module", autouse=True)
async def owner(desk: Company) -> None:
    """Alice, who owns what is opened here, is in the directory."""
    agent = {"displayName": "Alice", "phone": "+49 30 901820", "department": "departments/front-desk"}
    await desk.ask(ADMIN, "PATCH", "agents/alice?allowMissing=true", **agent)


async def cased(desk: Company, name: str) -> Any:
    """Somebody who waits for their delivery, with work of delivery's on their case."""
    customer = await somebody(desk, name)
    opened = {"customer": customer, "topic": "late-delivery", "owner": "agents/alice"}
    case = await desk.ask(ALICE, "POST", "cases:open", case=opened)
    work = {"case": case["name"], "department": "departments/delivery", "kind": "deliver-order"}
    await desk.ask(ALICE, "POST", "workItems", **work)
    return case


async def choose(page: Page, **typed: str) -> None:
    """Choose in the form that is open, and send it."""
    form = page.get_by_role("dialog").locator("form")
    for label, option in typed.items():
        await form.get_by_label(label.replace("_", " ")).select_option(option)
    await page.keyboard.press("Control+Enter")


async def test_work_is_blocked_goes_on_and_is_handed_over_on_the_page_of_its_case(
    desk: Company, signed_in: SignedIn
) -> None:
    case = await cased(desk, "Nora")
    page = (await signed_in(DORA)).page
    await narrow(page)
    await page.goto(f"/{case['customer']}")
    await page.locator("#cases").get_by_role("link", name="Late delivery", exact=True).click()
    await page.wait_for_url(f"**/{case['name']}")
    await page.get_by_role("button", name="It cannot go on").click()
    await choose(page, It_waits_for="customer-answer")
    await expect(page.locator("#head")).to_contain_text("It waits for the customer")
    await page.get_by_role("button", name="It goes on").click()
    await page.get_by_role("dialog").locator("form").wait_for()
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("button", name="It cannot go on")).to_be_visible()
    await page.get_by_role("button", name="Hand over").click()
    await choose(page, To_which_department="departments/front-desk", Reason="not-ours")
    await expect(page.locator("#handoffs")).to_contain_text("Delivery → Front desk")
    await expect(page.locator("#head")).to_contain_text("Front desk, nobody yet: Deliver order")
    assert await page.get_by_role("button", name="Hand over").count() == 0
    assert await bars(page) == []


async def test_what_waits_leads_from_my_work_to_its_case(desk: Company, signed_in: SignedIn) -> None:
    wilma = f"Wilma {surname()}"
    case = await cased(desk, wilma)
    page = (await signed_in(DORA)).page
    await page.goto("/")
    row = page.locator("#items li", has_text=wilma)
    await row.get_by_role("link", name="Deliver order").click()
    await page.wait_for_url(f"**/{case['name']}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(f"Late delivery, {wilma}")


async def test_a_customer_who_asks_for_more_authority_is_promised_and_who_is_asked_takes_it_from_their_work(
    desk: Company, signed_in: SignedIn
) -> None:
    lead, otto = Person("lea", "agent", "front-desk"), f"Otto {surname()}"
    told = {"displayName": "Lea", "phone": "+49 30 901820", "department": "departments/front-desk"}
    await desk.ask(ADMIN, "PATCH", f"agents/{lead.name}?allowMissing=true", **told)
    path = {"displayName": "Front desk", "escalationPath": [f"agents/{lead.name}"]}
    await desk.ask(ADMIN, "PATCH", "departments/front-desk?allowMissing=true", **path)
    case = await cased(desk, otto)
    page = (await signed_in(ALICE)).page
    await narrow(page)
    await page.goto(f"/{case['name']}")
    await page.get_by_role("button", name="Ask somebody with more authority").click()
    await choose(page, Reason="customer-asked")
    above = page.locator("#above")
    await expect(above).to_contain_text("Lea is asked, until")
    await expect(above).to_contain_text("The customer was promised to hear by")
    await expect(above).to_contain_text("What you may do alone")
    assert await page.get_by_role("button", name="Ask somebody with more authority").count() == 0
    assert await bars(page) == []
    theirs = (await signed_in(lead)).page
    await theirs.goto("/")
    row = theirs.locator("#asked li", has_text=otto)
    await row.get_by_role("button", name="I see to it").focus()
    await theirs.keyboard.press("Enter")
    await theirs.get_by_role("dialog").locator("form").wait_for()
    await theirs.keyboard.press("Control+Enter")
    await expect(row).to_have_count(0)
    assert await bars(theirs) == []
    await page.reload()
    await expect(above).to_contain_text("Lea sees to it")
    assert await bars(page) == []


async def test_a_team_and_skills_are_chosen_by_keyboard_where_work_is_not_for_everybody(
    desk: Company, signed_in: SignedIn
) -> None:
    returns = f"returns-{surname().lower()}"
    team = {"displayName": "Returns", "department": "departments/delivery"}
    await desk.ask(ADMIN, "POST", f"teams?teamId={returns}", **team)
    case = await cased(desk, "Tina")
    page = (await signed_in()).page
    await narrow(page)
    await page.goto(f"/{case['name']}")
    await page.keyboard.press("w")
    form = page.get_by_role("dialog").locator("form")
    await form.get_by_label("Task").fill("repair")
    await form.get_by_text("Not for everybody there").press("Enter")
    await form.get_by_label("Team").select_option(f"teams/{returns}")
    await form.get_by_label("Skills that it needs").fill("tools")
    assert await bars(page) == []
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#work")).to_contain_text("Repair")
    asked = await desk.ask(ADMIN, "GET", f'workItems?filter=case="{case["name"]}"')
    assert [each["team"] for each in asked["workItems"]] == ["", f"teams/{returns}"]


async def test_much_work_is_folded_and_stays_unfolded_while_it_is_done_by_keyboard(
    desk: Company, signed_in: SignedIn
) -> None:
    case = await cased(desk, "Petra")
    for _ in range(10):
        told = {"case": case["name"], "department": "departments/delivery", "kind": "repair"}
        await desk.ask(ALICE, "POST", "workItems", **told)
    page = (await signed_in(DORA)).page
    await narrow(page)
    await page.goto(f"/{case['name']}")
    assert await bars(page) == []
    work = page.locator("#work")
    nobody = work.locator("summary", has_text="Delivery, nobody yet")
    await expect(nobody).to_have_text("Delivery, nobody yet: 11")
    await expect(work.get_by_role("button", name="Begin work").first).to_be_hidden()
    await nobody.press("Enter")
    row = work.locator("[data-key]", has_text="Deliver order")
    await row.get_by_role("button", name="Begin work").press("Enter")
    await page.get_by_role("dialog").locator("form").wait_for()
    await page.keyboard.press("Control+Enter")
    await expect(nobody).to_have_text("Delivery, nobody yet: 10")
    await expect(work.get_by_role("button", name="Begin work").first).to_be_visible()
    await page.emulate_media(color_scheme="dark")
    assert await barriers(page) == []
