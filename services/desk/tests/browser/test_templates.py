"""Words of messages, written by one person and approved by another: at any width, by keyboard."""

import pytest
from playwright.async_api import expect

from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.looking import bars, narrow

LEAD, SECOND = Person("lena", "manager", "front-desk"), Person("sven", "manager", "front-desk")
BODY = "Dear {{ customer_name }}, your order waits at {{ depot }}.\n\n{{ contact_name }}"
HTML = (
    "<mjml><mj-head><mj-title>Ready</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>"
    "Dear {{ customer_name }}, your order waits at {{ depot }}. {{ contact_name }}"
    "</mj-text></mj-column></mj-section></mj-body></mjml>"
)
PATH = "/templates/ready/texts/en"


@pytest.fixture(scope="module", autouse=True)
async def customer(desk: Company) -> str:
    """A template whose versions are approved, with a text that is sent; and a customer."""
    template = {"type": "TYPE_INFORMATION", "purpose": "purposes/service", "defaultLanguageCode": "en"}
    template |= {
        "department": "departments/front-desk",
        "variables": [{"name": "depot"}],
        "review_required": True,
    }
    await desk.ask(LEAD, "POST", "templates?templateId=ready", **template)
    text = {"subject": "Ready", "body": BODY, "mjml": HTML}
    made = await desk.ask(LEAD, "POST", "templates/ready/texts?templateTextId=en", **text)
    await desk.ask(SECOND, "POST", f"{made['name']}:approve", etag=made["etag"])
    created = await desk.ask(ADMIN, "POST", "customers", displayName="Erika Sommer")
    return str(created["name"])


async def test_every_page_of_words_is_for_everybody(signed_in: SignedIn) -> None:
    page = (await signed_in(LEAD)).page
    await narrow(page)
    found = []
    for path in ("/templates", "/templates/new", "/templates/ready", PATH, "/templates/ready/texts/de"):
        await page.goto(path)
        found += [f"{path}: {each}" for each in await bars(page)]
    assert found == [], "\n".join(found)


async def test_words_are_read_with_the_eyes_of_a_customer_and_as_html_that_runs_nothing(
    signed_in: SignedIn,
) -> None:
    page = (await signed_in(LEAD)).page
    await page.goto(PATH)
    reads = page.get_by_role("region", name="How it reads")
    await expect(reads.locator(".preview")).to_contain_text("your order waits at")
    await expect(reads.frame_locator("iframe").locator("body")).to_contain_text("your order waits at")
    await reads.get_by_label("As one customer reads it").fill("Erika Sommer")
    await reads.get_by_role("button", name="Find them").press("Enter")
    await reads.get_by_role("link", name="Erika Sommer").press("Enter")
    await expect(reads.locator(".preview")).to_contain_text("Dear Erika Sommer")
    await expect(reads.frame_locator("iframe").locator("body")).to_contain_text("Dear Erika Sommer")
    assert "Erika" not in page.url


async def test_another_version_waits_until_somebody_else_approves_it(signed_in: SignedIn) -> None:
    page = (await signed_in(LEAD)).page
    await page.goto("/templates")
    await page.get_by_role("link", name="Ready").press("Enter")
    await page.get_by_role("link", name="English").press("Enter")
    await page.get_by_role("textbox", name="Subject").fill("It is ready")
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(page.get_by_text("You wrote it: somebody else approves it.")).to_be_visible()
    second = (await signed_in(SECOND)).page
    await second.goto(f"{PATH}?beside=1")
    await expect(second.get_by_role("region", name="version 2")).to_contain_text("It is ready")
    await narrow(second)
    assert await bars(second) == []
    await second.get_by_role("button", name="Send it from now on").press("Enter")
    await expect(second.get_by_text("version 2: is sent")).to_be_visible()


async def test_what_is_wrong_with_words_is_said_below_them(signed_in: SignedIn) -> None:
    visitor = await signed_in(LEAD)
    visitor.expect("status of 422")
    page = visitor.page
    await page.goto("/templates/ready/texts/de")
    await page.get_by_role("textbox", name="Subject").fill("Bereit")
    body = page.get_by_role("textbox", name="Text", exact=True)
    await body.fill("Guten Tag {{ customer_name")
    await page.get_by_role("button", name="Keep it").press("Enter")
    await expect(body).to_have_attribute("aria-invalid", "true")
    await expect(body).to_have_value("Guten Tag {{ customer_name")
    await narrow(page)
    assert await bars(page) == []
