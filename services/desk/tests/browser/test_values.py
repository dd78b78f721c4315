"""Why a value of a customer stands, and not another: each with its source, and what a person pins."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.company import ALICE, Company, Person, SignedIn
from tests.browser.customers import TARIFF, moment, said_twice, somebody
from tests.browser.looking import barriers

NARROWEST = {"width": 320, "height": 640}


@pytest.fixture
async def ines(desk: Company) -> str:
    """Somebody of whose tariff two sources say otherwise."""
    customer = await somebody(desk, "Ines", languageCode="de")
    await said_twice(desk, customer)
    return customer


async def looked_at(signed_in: SignedIn, customer: str, person: Person = ALICE) -> tuple[Page, Locator]:
    """The page of what is known, and the line of the tariff on it."""
    page = (await signed_in(person)).page
    await page.goto(f"/{customer}/known")
    row = page.locator(f'[id="{TARIFF}"]')
    await expect(row).to_be_visible()
    return page, row


async def test_the_customer_s_page_leads_to_where_a_value_comes_from(signed_in: SignedIn, ines: str) -> None:
    page = (await signed_in()).page
    await page.goto(f"/{ines}")
    await page.get_by_role("link", name="where it comes from: Language").click()
    await page.wait_for_url(f"**/{ines}/known#profile.language-code")
    row = page.locator('[id="profile.language-code"]')
    await expect(row).to_be_in_viewport()
    await expect(row).to_contain_text("Language: German")
    await expect(row).to_contain_text("front desk, Alice, today, 100% sure")
    await expect(page.locator('[id="profile.given-name"]')).to_contain_text("First name: Ines")
    assert await barriers(page) == []


async def test_each_value_says_who_said_it_when_how_surely_and_why_the_others_do_not_stand(
    signed_in: SignedIn, ines: str
) -> None:
    _, row = await looked_at(signed_in, ines)
    await expect(row).to_contain_text("Tariff: Premium")
    await expect(row).to_contain_text("web form, front desk, Alice")
    await expect(row).to_contain_text("80% sure")
    await expect(row).to_contain_text("It is the latest (a person may say which stands)")
    [other] = await row.get_by_role("listitem").all()
    await expect(other).to_contain_text("Basic crm, front desk, Alice")
    await expect(other).to_contain_text("Older")


async def test_an_observed_value_is_pinned_by_keyboard_and_undo_releases_it(
    signed_in: SignedIn, ines: str
) -> None:
    page, row = await looked_at(signed_in, ines)
    await row.get_by_role("button", name="Pin a value").focus()
    await page.keyboard.press("Enter")
    chosen = page.get_by_role("dialog").get_by_label("Which value stands")
    await chosen.select_option(index=2)
    await page.keyboard.press("Control+Enter")
    await expect(row).to_contain_text("Tariff: Basic")
    await expect(row).to_contain_text("Pinned today by Alice")
    await expect(row.get_by_role("listitem")).to_contain_text("Another is pinned")
    await page.locator("#toast").get_by_role("button", name="Undo").click()
    await expect(row).to_contain_text("Tariff: Premium")
    await expect(row.get_by_role("button", name="Release the value")).to_have_count(0)


async def test_a_value_that_nobody_said_is_pinned_released_and_pinned_again(
    signed_in: SignedIn, ines: str
) -> None:
    page, row = await looked_at(signed_in, ines)
    await row.get_by_role("button", name="Pin a value").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Which value stands").select_option(label="another value")
    await page.keyboard.press("Control+Enter")
    await expect(form).to_contain_text("Not done yet, look at: Another value")
    await form.get_by_role("combobox", name="Another value", exact=True).select_option(label="Basic")
    await page.keyboard.press("Control+Enter")
    await expect(row).to_contain_text("desk, front desk, Alice")
    await row.get_by_role("button", name="Release the value").click()
    await expect(form).to_contain_text("What comes first by the rule stands again.")
    await page.keyboard.press("Control+Enter")
    await expect(row).to_contain_text("It is the latest")
    await page.locator("#toast").get_by_role("button", name="Undo").click()
    await expect(row).to_contain_text("Pinned today by Alice")


async def test_whoever_was_slower_sees_what_stands_now(desk: Company, signed_in: SignedIn, ines: str) -> None:
    page, row = await looked_at(signed_in, ines)
    await row.get_by_role("button", name="Pin a value").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Which value stands").select_option(index=2)
    code = {"value": {"code": "premium"}}
    await desk.ask(ALICE, "POST", f"{ines}/attributeValues/{TARIFF}:pin", **code)
    await page.keyboard.press("Control+Enter")
    await expect(form).to_contain_text("Somebody changed this meanwhile. Stands now: Premium.")
    await page.keyboard.press("Control+Enter")
    await expect(row).to_contain_text("Tariff: Basic")


async def test_the_history_of_a_value_has_everything_that_was_said(
    desk: Company, signed_in: SignedIn, ines: str
) -> None:
    none = {"source": "crm", "values": [{"attribute": f"attributes/{TARIFF}"}]}
    none |= {"observeTime": moment(desk, days=1)}
    await desk.ask(ALICE, "POST", f"{ines}/observations:recordObservation", observation=none)
    page, row = await looked_at(signed_in, ines)
    await row.get_by_role("button", name="history of Tariff").click()
    said = page.get_by_role("dialog").get_by_role("listitem")
    await expect(said).to_have_count(3)
    await expect(said.nth(0)).to_contain_text("nothing any more")
    await expect(said.nth(1)).to_contain_text("Premium")
    await expect(said.nth(2)).to_contain_text("Basic")
    assert await barriers(page) == []


async def test_a_corrected_name_is_held_until_it_is_released(
    desk: Company, signed_in: SignedIn, ines: str
) -> None:
    page, _ = await looked_at(signed_in, ines)
    row = page.locator('[id="profile.given-name"]')
    await page.get_by_role("main").get_by_role("button", name="Edit details").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("First name").fill("Inez")
    await page.keyboard.press("Control+Enter")
    await expect(row).to_contain_text("First name: Inez")
    await expect(row).to_contain_text("Pinned today by Alice")
    await row.get_by_role("button", name="Release the value").click()
    await expect(form).to_contain_text("an import may")
    await page.keyboard.press("Control+Enter")
    await expect(row).to_contain_text("First name: Inez")
    await expect(row.get_by_role("button", name="Release the value")).to_have_count(0)


async def test_who_may_only_read_pins_nothing(signed_in: SignedIn, ines: str) -> None:
    page, row = await looked_at(signed_in, ines, Person("rosa", "auditor"))
    await expect(row).to_contain_text("Tariff: Premium")
    await expect(page.locator("main .act")).to_have_count(0)


async def test_at_320_pixels_in_german_the_card_reads_whole(
    desk: Company, signed_in: SignedIn, ines: str
) -> None:
    page = (await signed_in(ALICE, locale="de-DE")).page
    await page.set_viewport_size(NARROWEST)  # type: ignore[arg-type]
    await page.goto(f"/{ines}/known")
    card = page.locator("#values")
    await expect(card).to_contain_text("Woher jeder Wert kommt")
    await expect(card).to_contain_text("zu 80 % sicher".replace(" %", "\N{NO-BREAK SPACE}%"))
    assert await page.evaluate("document.documentElement.scrollWidth") <= NARROWEST["width"]
    assert await barriers(page) == []
