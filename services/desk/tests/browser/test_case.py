"""A case with the work of its departments: who has it, who waits for whom, and what they do with it."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.company import ADMIN, ALICE, Company, Person, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import barriers

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


@pytest.mark.parametrize("width", [320, 1280])
async def test_work_is_blocked_goes_on_and_is_handed_over_on_the_page_of_its_case(
    desk: Company, signed_in: SignedIn, width: int
) -> None:
    case = await cased(desk, f"Nora {width}")
    page = (await signed_in(DORA)).page
    await page.set_viewport_size({"width": width, "height": 800})
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
    assert await barriers(page) == []


async def test_what_waits_leads_from_my_work_to_its_case(desk: Company, signed_in: SignedIn) -> None:
    case = await cased(desk, "Wilma")
    page = (await signed_in(DORA)).page
    await page.goto("/")
    row = page.locator("#items li", has_text="Wilma")
    await row.get_by_role("link", name="Deliver order").click()
    await page.wait_for_url(f"**/{case['name']}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Late delivery, Wilma")


@pytest.mark.parametrize("width", [320, 1920])
async def test_a_customer_who_asks_for_more_authority_is_promised_and_who_is_asked_takes_it_from_their_work(
    desk: Company, signed_in: SignedIn, width: int
) -> None:
    lead = Person(f"lea{width}", "agent", "front-desk")
    told = {"displayName": f"Lea {width}", "phone": "+49 30 901820", "department": "departments/front-desk"}
    await desk.ask(ADMIN, "PATCH", f"agents/{lead.name}?allowMissing=true", **told)
    path = {"displayName": "Front desk", "escalationPath": [f"agents/{lead.name}"]}
    await desk.ask(ADMIN, "PATCH", "departments/front-desk?allowMissing=true", **path)
    case = await cased(desk, f"Otto {width}")
    page = (await signed_in(ALICE)).page
    await page.set_viewport_size({"width": width, "height": 800})
    await page.goto(f"/{case['name']}")
    await page.get_by_role("button", name="Ask somebody with more authority").click()
    await choose(page, Reason="customer-asked")
    above = page.locator("#above")
    await expect(above).to_contain_text(f"Lea {width} is asked, until")
    await expect(above).to_contain_text("The customer was promised to hear by")
    await expect(above).to_contain_text("What you may do alone")
    assert await page.get_by_role("button", name="Ask somebody with more authority").count() == 0
    assert await barriers(page) == []
    await page.emulate_media(color_scheme="dark")
    theirs = (await signed_in(lead)).page
    await theirs.goto("/")
    row = theirs.locator("#asked li", has_text=f"Otto {width}")
    await row.get_by_role("button", name="I see to it").focus()
    await theirs.keyboard.press("Enter")
    await theirs.get_by_role("dialog").locator("form").wait_for()
    await theirs.keyboard.press("Control+Enter")
    await expect(row).to_have_count(0)
    assert await barriers(theirs) == []
    await page.reload()
    await expect(above).to_contain_text(f"Lea {width} sees to it")
    assert await barriers(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
async def test_a_team_and_skills_are_chosen_by_keyboard_where_work_is_not_for_everybody(
    desk: Company, signed_in: SignedIn, width: int, scheme: str
) -> None:
    team = {"displayName": f"Returns {width}", "department": "departments/delivery"}
    await desk.ask(ADMIN, "POST", f"teams?teamId=returns-{width}", **team)
    case = await cased(desk, f"Tina {width}")
    page = (await signed_in()).page
    await page.set_viewport_size({"width": width, "height": 800})
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await page.goto(f"/{case['name']}")
    await page.keyboard.press("w")
    form = page.get_by_role("dialog").locator("form")
    await form.get_by_label("Task").fill("repair")
    await form.get_by_text("Not for everybody there").press("Enter")
    await form.get_by_label("Team").select_option(f"teams/returns-{width}")
    await form.get_by_label("Skills that it needs").fill("tools")
    assert await barriers(page) == []
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#work")).to_contain_text("Repair")
    asked = await desk.ask(ADMIN, "GET", f'workItems?filter=case="{case["name"]}"')
    assert [each["team"] for each in asked["workItems"]] == ["", f"teams/returns-{width}"]


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
async def test_much_work_is_folded_and_stays_unfolded_while_it_is_done_by_keyboard(
    desk: Company, signed_in: SignedIn, width: int, scheme: str
) -> None:
    case = await cased(desk, f"Petra {width}")
    for _ in range(10):
        told = {"case": case["name"], "department": "departments/delivery", "kind": "repair"}
        await desk.ask(ALICE, "POST", "workItems", **told)
    page = (await signed_in(DORA)).page
    await page.set_viewport_size({"width": width, "height": 800})
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await page.goto(f"/{case['name']}")
    assert await barriers(page) == []
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
    assert await barriers(page) == []
