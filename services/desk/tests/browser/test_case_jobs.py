"""One thing done to many cases, by keyboard alone: found, previewed, begun, followed."""

import pytest
from playwright.async_api import expect

from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, ALICE, Company, Person, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import bars

SAM = Person("sam", "supervisor", "front-desk")


@pytest.fixture(scope="module", autouse=True)
async def cases(desk: Company) -> None:
    """Two open cases of Alice's, and Bob, who could own them."""
    for name in ("alice", "bob"):
        agent = {"displayName": name.title(), "phone": "+49 30 1", "department": "departments/front-desk"}
        await desk.ask(ADMIN, "PATCH", f"agents/{name}?allowMissing=true", **agent)
    for who in ("Erika Sommer", "Nora Winter"):
        case = {"customer": await somebody(desk, who), "topic": "late-delivery", "owner": "agents/alice"}
        await desk.ask(ALICE, "POST", "cases:open", case=case)


async def test_a_job_is_previewed_begun_and_followed_by_keyboard(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in(SAM)).page
    await page.goto("/cases")
    await page.get_by_role("link", name="Do something to all of these").press("Enter")
    await page.get_by_label("New owner").select_option(label="Bob, front desk")
    assert await bars(page) == []
    await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("y")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Do it to 2 cases?")
    assert await bars(page) == []
    await page.keyboard.press("y")
    await expect(page.locator("#job")).to_be_visible()
    assert await bars(page) == []

    async def done() -> bool:
        await page.reload()
        return "2 of 2 done, 0 refused" in await page.locator("#job").inner_text()

    await eventually(done)
    await page.get_by_role("link", name="All such jobs").press("Enter")
    await expect(page.locator("li[data-key]").first).to_contain_text("Bob is to own it")
    assert await bars(page) == []


async def test_a_case_is_found_by_its_key_and_words(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in(SAM)).page
    await page.goto("/cases")
    await page.keyboard.press("l")
    await page.keyboard.type("late deliv")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cases that were found")
    await expect(page.locator("li[data-key]")).to_have_count(2)
    assert "late" not in page.url
    assert await bars(page) == []
