"""Files, by keyboard: brought, looked at, imported, mended; and what there is, exported."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.company import ADMIN, Company, SignedIn
from tests.browser.looking import barriers, flaws

# A file of what belongs to customers, with nobody's currency or department, and what asks who has it then.
OTHERS = {
    "Purchases": (
        "Order,Date,Email,Total\n4711,2026-03-04,paula@example.org,12.50\n",
        "purchases?filter=customer={customer}",
    ),
    "Orders": (
        "Order ID,Order Date,Required Date,Email\n4712,2026-03-01,2030-03-04,olga@example.org\n",
        "promises?filter=customer={customer}",
    ),
    "Consents": (
        "Email,Purpose,Consent,Consent date\ncora@example.org,marketing,yes,2026-03-04\n",
        "{customer}/consents",
    ),
}
PEOPLE = "Kundennummer;Vorname;Nachname;E-Mail;Notiz\n1;Erika;Sommer;erika@example.org;gut\n;Nie;Mand;;\n"


async def looked_at(page: Page) -> list[str]:
    """What bars anybody from a page, narrow and dark and wide and light."""
    found = []
    for width, scheme in ((320, "dark"), (768, "light"), (1920, "light")):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [*await barriers(page), *await flaws(page)]
    return found


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file of two people, of whom one is refused."""
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


async def test_a_file_is_brought_looked_at_imported_and_mended_and_the_page_follows(
    desk: Company, signed_in: SignedIn, people: Path
) -> None:
    page = (await signed_in(ADMIN)).page
    await page.goto("/imports")
    assert await looked_at(page) == []
    await page.get_by_label("File", exact=True).set_input_files(people)
    await page.get_by_role("button", name="Look at it").press("Enter")
    await expect(page.locator("#far")).to_contain_text("waits for your yes", timeout=30_000)
    await expect(page.locator("#understood")).to_contain_text("erika@example.org")
    await page.get_by_text("How it is read otherwise").press("Enter")
    await page.get_by_text("Keep how it is read").press("Enter")
    assert await looked_at(page) == []
    await page.get_by_label("Name of the profile").fill("newcomers")
    await page.get_by_role("button", name="Keep it as a profile").press("Enter")
    await expect(page.locator("#understood")).to_contain_text("As the profile newcomers says")
    await expect(page.get_by_role("button", name="Read it by this profile")).to_be_visible()
    assert await looked_at(page) == []
    await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("y")
    await expect(page.locator("#far")).to_contain_text("1 new, 0 known already, 1 refused", timeout=30_000)
    await expect(page.get_by_role("button", name="Take it back")).to_be_visible(timeout=30_000)
    await page.get_by_role("link", name="Mend the refused rows here").press("Enter")
    assert await looked_at(page) == []
    await page.get_by_label("Kundennummer, line 3").fill("2")
    await page.get_by_role("button", name="Look at these rows again").press("Enter")
    await expect(page.locator("#result")).to_contain_text("1 new", timeout=30_000)
    await page.get_by_role("link", name="All imports").press("Enter")
    await expect(page.locator("li[data-key]")).to_have_count(2)
    assert await looked_at(page) == []


async def test_an_export_is_asked_for_followed_and_downloaded(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in(ADMIN)).page
    await page.goto("/exports")
    assert await looked_at(page) == []
    await page.get_by_role("button", name="Export it").press("Enter")
    link = page.get_by_role("link", name="Download")
    await expect(link).to_be_visible(timeout=30_000)
    assert await looked_at(page) == []
    async with page.expect_download() as downloading:
        await link.press("Enter")
    assert (await downloading.value).suggested_filename.endswith(".xlsx")


@pytest.mark.parametrize("kind", OTHERS)
async def test_what_belongs_to_customers_is_imported_to_the_end(
    desk: Company, signed_in: SignedIn, tmp_path: Path, kind: str
) -> None:
    (content, asks), path, page = OTHERS[kind], tmp_path / "file.csv", (await signed_in(ADMIN)).page
    path.write_text(content)
    await page.goto("/imports")
    await page.get_by_label("What its rows are").select_option(label=kind)
    await page.get_by_label("File", exact=True).set_input_files(path)
    await page.get_by_role("button", name="Look at it").press("Enter")
    if kind == "Purchases":  # whose amounts name no currency
        await expect(page.locator("#far")).to_contain_text("“Currency”", timeout=30_000)
        await page.get_by_label("Currency").fill("EUR")
        await page.get_by_role("button", name="Look at it again").press("Enter")
    await page.get_by_role("button", name="Import it").press("Enter", timeout=30_000)
    await expect(page.locator("#far .ok")).to_have_text("done", timeout=30_000)
    await expect(page.locator("#far")).to_contain_text("1 new, 0 known already, 0 refused")
    (email,) = re.findall(r"[a-z]+@example.org", content)
    handle = {"type": "TYPE_EMAIL", "value": email}
    found = await desk.ask(ADMIN, "POST", "customers:resolve", identifier=handle)
    had = await desk.ask(ADMIN, "GET", asks.format(customer=found["customer"]))
    assert len(had[asks.format(customer="").partition("?")[0].strip("/")]) == 1
