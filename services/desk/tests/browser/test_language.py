"""Who speaks German sees the desk in German: words, days, money; what people wrote stays as they wrote it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from rapport_testing.clock import ManualClock
from services.desk.catalogues import catalogues
from tests.browser.company import ADMIN, Company, SignedIn
from tests.browser.customers import in_trouble, say, somebody
from tests.browser.looking import barriers

SERVICES = {"customer", "cases", "loyalty", "notifications", "desk"}  # called so by who runs them
# What is seen and heard of a page, apart from what is in a language of its own.
SEEN = """() => {
    const seen = [], every = NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT;
    const walker = document.createTreeWalker(document.body, every);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
        if (node.parentElement.closest("[lang]:not(html)")) continue;
        if (node.nodeType === Node.TEXT_NODE) seen.push(node.data);
        else seen.push(...["aria-label", "title", "placeholder"].map(name => node.getAttribute(name)));
    }
    return seen.map(text => (text ?? "").trim().replace(/\\s+/g, " ")).filter(Boolean);
}"""


@pytest.fixture(scope="module")
def time_of_day() -> ManualClock:
    """Three days ago, which a customer takes to get into trouble."""
    return ManualClock(datetime.now(UTC) - timedelta(days=3))


@pytest.fixture(scope="module", autouse=True)
async def erika(desk: Company, time_of_day: ManualClock) -> str:
    """The customer in trouble; then it is now."""
    return await in_trouble(desk, time_of_day)


@pytest.fixture
async def page(signed_in: SignedIn) -> Page:
    """Of somebody whose browser prefers German."""
    return (await signed_in(locale="de-DE")).page


async def test_a_customer_in_trouble_is_shown_in_german(page: Page, erika: str) -> None:
    await page.goto(f"/{erika}")
    await expect(page.locator("html")).to_have_attribute("lang", "de-DE")
    await expect(page.locator("#live")).to_have_text("live,")
    assert await english(page) == []
    assert await barriers(page) == []
    await expect(page.locator("#worth .big")).to_have_text(re.compile(r"^\d{1,3}(\.\d{3})*,\d\d\s\S+$"))
    days = await page.locator("#promises .moved").first.inner_text()
    assert re.search(r"\b(Mo|Di|Mi|Do|Fr|Sa|So)\., \d{1,2}\. \S+ \d\d:\d\d|heute|morgen|gestern", days), days


@pytest.mark.parametrize("letter", ["p", "g", "e", "o", "s"])
async def test_forms_open_in_german(page: Page, erika: str, letter: str) -> None:
    await page.goto(f"/{erika}")
    await page.keyboard.press(letter)
    await expect(page.get_by_role("dialog").locator("form")).to_be_visible()
    assert await english(page) == []


async def test_why_is_asked_in_german(page: Page, erika: str) -> None:
    await page.goto(f"/{erika}")
    await page.locator("#promises").get_by_role("button", name="warum").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text("Grund")
    assert await english(page) == []


@pytest.mark.parametrize("path", ["/", "/ui", "/received", "/operations", "/operations/dead-letters"])
async def test_every_page_is_german(signed_in: SignedIn, path: str) -> None:
    page = (await signed_in(ADMIN, locale="de-DE")).page
    await page.goto(path)
    assert await english(page) == []


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
async def test_longer_words_do_not_stick_out(signed_in: SignedIn, erika: str, narrow: bool) -> None:
    page = (await signed_in(locale="de-DE", narrow=narrow)).page
    await page.goto(f"/{erika}")
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


async def test_what_somebody_wrote_stays_as_it_is(page: Page, desk: Company) -> None:
    customer = await somebody(desk)
    await say(desk, customer, "Save the date")
    await page.goto(f"/{customer}")
    entry = page.locator("#timeline li").filter(has_text="Save the date")
    await expect(entry.locator("[lang='']")).to_contain_text("Save the date")


async def english(page: Page) -> list[str]:
    """What of the messages is on a page as the source has it: a phrase anywhere, a word by itself."""
    seen = await page.evaluate(SEEN)
    assert len(seen) > 10
    return [text for text in seen if text not in SERVICES and FOREIGN.search(text)]


_WORDS = re.compile(r"^(?:[^{]|\{\w+\})*?[A-Za-z]")  # more than placeholders and signs


def foreign() -> Iterator[str]:
    """Patterns of the messages that are said otherwise in German."""
    (german,) = (each for each in catalogues().values() if str(each.locale) == "de")
    for message in german:
        ids, strings = (
            [each] if isinstance(each, str) else list(each) for each in (message.id, message.string)
        )
        for text in filter(_WORDS.search, ids if ids != strings else ()):
            phrase = re.sub(r"\\{\w+\\}", ".+", re.escape(text))
            yield rf"\b{phrase}\b" if re.search(r"\w+ \w+", text) else rf"^{phrase}$"


FOREIGN = re.compile("|".join(foreign()))
