"""Policies for messages, made and tried on what happened by a lead: at any width, by keyboard."""

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.looking import bars, narrow

LEAD = Person("lena", "manager", "front-desk")
CREATED = "rapport.customer.v1.CustomerCreated"
CHOSEN = f"/noticePolicies/new?event={CREATED}&template=templates/welcome"
TEMPLATE = {
    "type": "TYPE_INFORMATION",
    "purpose": "purposes/service",
    "defaultLanguageCode": "en",
    "department": "departments/front-desk",
}
WISHES = {"subject": "Your day", "body": "Many happy returns, {{ customer_name }}. {{ contact_name }}"}
TEXT = {"subject": "Welcome", "body": "Welcome, {{ customer_name }}: {{ which }}. {{ contact_name }}"}


@pytest.fixture(scope="module", autouse=True)
async def customer(desk: Company) -> str:
    """A template of the front desk's, a policy that sends it, and a customer who came to be known."""
    template = TEMPLATE | {"variables": [{"name": "which"}]}
    await desk.ask(ADMIN, "POST", "templates?templateId=welcome", **template)
    await desk.ask(ADMIN, "POST", "templates/welcome/texts?templateTextId=en", **TEXT)
    policy = {"eventType": "rapport.customer.v1.CustomerConverted", "template": "templates/welcome"}
    policy |= {"department": "departments/front-desk", "variables": {"which": "event.customer"}}
    await desk.ask(ADMIN, "POST", "noticePolicies?noticePolicyId=bought", **policy)
    handles = [{"type": "TYPE_EMAIL", "value": "erika@example.org"}]
    created = await desk.ask(ADMIN, "POST", "customers", displayName="Erika Sommer", identifiers=handles)
    return str(created["name"])


async def chosen(page: Page, code: str) -> None:
    """The form of a new policy, by keyboard."""
    await page.goto("/departments")
    await page.get_by_role("link", name="What leads to messages").press("Enter")
    await page.get_by_role("link", name="Another policy").press("Enter")
    await page.get_by_label("When this happens").select_option(CREATED)
    await page.get_by_label("These words are sent").select_option(label="Welcome")
    await page.get_by_role("button", name="Choose these").press("Enter")
    await page.get_by_role("textbox", name="Code").fill(code)
    await page.get_by_label("which", exact=True).fill("event.customer")


async def test_every_page_of_policies_is_for_everybody(signed_in: SignedIn) -> None:
    page = (await signed_in(LEAD)).page
    await narrow(page)
    found = []
    for path in (
        *("/noticePolicies", "/noticePolicies/new", CHOSEN),
        *("/noticePolicies/bought", "/noticePolicies/promise-at-risk"),
    ):
        await page.goto(path)
        found += [f"{path}: {each}" for each in await bars(page)]
    assert found == [], "\n".join(found)


async def test_a_policy_is_tried_on_what_happened_then_kept_and_switched_off_by_keyboard(
    desk: Company, signed_in: SignedIn, customer: str
) -> None:
    page = (await signed_in(LEAD)).page
    await chosen(page, "greeting")
    told = page.get_by_role("region", name="Whom it would have told")
    row = told.get_by_role("row", name="Erika Sommer")

    async def tried() -> bool:
        await page.get_by_role("button", name="Whom would it have told?").press("Enter")
        await expect(told).to_be_visible()
        return await row.count() == 1

    await eventually(tried)
    await expect(row).to_contain_text("told")
    await expect(row.get_by_role("link", name="Erika Sommer")).to_have_attribute("href", f"/{customer}")
    await narrow(page)
    assert await bars(page) == []
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.get_by_text("version 1")).to_be_visible()
    await page.get_by_label("Switched off").check()
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.get_by_text("version 2")).to_be_visible()
    kept = await desk.ask(ADMIN, "GET", "noticePolicies/greeting")
    assert (kept["disabled"], kept["variables"]) == (True, {"which": "event.customer"})


async def test_a_customers_birthday_is_chosen_looked_at_and_kept(desk: Company, signed_in: SignedIn) -> None:
    await desk.ask(ADMIN, "POST", "templates?templateId=birthday", **TEMPLATE)
    await desk.ask(ADMIN, "POST", "templates/birthday/texts?templateTextId=en", **WISHES)
    soon = desk.clock.now() + timedelta(days=3)
    born = {"givenName": "Frida", "birthDate": {"month": soon.month, "day": soon.day}}
    handles = [{"type": "TYPE_EMAIL", "value": "frida@example.org"}]
    await desk.ask(ADMIN, "POST", "customers", person=born, identifiers=handles)
    page = (await signed_in(LEAD)).page
    await page.goto("/noticePolicies/new")
    await page.get_by_label("When this happens").select_option("A customer's birthday")
    await page.get_by_label("These words are sent").select_option(label="Birthday")
    await page.get_by_role("button", name="Choose these").press("Enter")
    await page.get_by_role("textbox", name="Code").fill("wishes")
    await page.get_by_label("From this hour on").fill("0")
    await page.get_by_role("button", name="Whom will it tell in the next days?").press("Enter")
    told = page.get_by_role("region", name="Whom it will tell")
    await expect(told.get_by_role("row", name="Frida")).to_contain_text("told")
    await expect(told.get_by_role("columnheader")).to_have_text(
        ["Birthday", "Customer", "What comes of it", "When"]
    )
    await narrow(page)
    assert await bars(page) == []
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.get_by_text("version 1")).to_be_visible()
    kept = await desk.ask(ADMIN, "GET", "noticePolicies/wishes")
    assert kept["customerDate"] == {"date": "DATE_BIRTH_DATE", "offsetDays": 0, "hour": 0}
    await page.goto("/noticePolicies")
    row = page.get_by_role("row", name="Wishes")
    await expect(row).to_contain_text("A customer's birthday")


async def test_what_is_wrong_with_a_condition_is_said_below_it(signed_in: SignedIn) -> None:
    visitor = await signed_in(LEAD)
    visitor.expect("status of 422")
    page = visitor.page
    await chosen(page, "wrong")
    condition = page.get_by_role("textbox", name="If, over event")
    await condition.fill("event.tier == 'gold'")
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.locator(".refused")).to_have_text("Not done yet: look at what is marked.")
    await expect(condition).to_have_attribute("aria-invalid", "true")
    await expect(condition).to_have_value("event.tier == 'gold'")
    await expect(page.locator("#error-condition")).to_contain_text("tier")
    await narrow(page)
    assert await bars(page) == []
