"""Everything that happened with a customer: endless, by choice, with the keyboard alone, and on paper."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from playwright.async_api import Page, expect
from pypdf import PdfReader

from tests.browser.company import ALICE, Company, SignedIn
from tests.browser.customers import somebody
from tests.browser.looking import barriers

CONTACTS, BURST = 120, 40


async def in_touch(desk: Company, topic: str, often: int, every: timedelta, *channels: str) -> str:
    """A customer who was in touch so often, about `topic-0`, `topic-1`, ...: the latest first."""
    customer, now = await somebody(desk), desk.clock.now()
    requests = [
        {
            "parent": customer,
            "timelineEntry": {
                "channel": f"CHANNEL_{channels[number % len(channels)]}",
                "direction": "DIRECTION_INBOUND",
                "topic": f"{topic}-{number}",
                "occurTime": (now - every * (number + 1)).isoformat(),
            },
        }
        for number in range(often)
    ]
    await desk.ask(ALICE, "POST", "customers:batchRecordInteractions", requests=requests)
    return customer


@pytest.fixture(scope="module")
async def erika(desk: Company) -> str:
    """A customer who was in touch often."""
    return await in_touch(desk, "topic", CONTACTS, timedelta(hours=1), "VOICE", "EMAIL")


@pytest.fixture(scope="module")
async def burst(desk: Company) -> str:
    """A customer who wrote message upon message."""
    return await in_touch(desk, "burst", BURST, timedelta(minutes=1), "SMS")


async def test_what_comes_next_comes_when_its_end_is_near_and_back_shows_as_much(
    desk: Company, signed_in: SignedIn, erika: str
) -> None:
    visitor = await signed_in()
    page, entries = visitor.page, visitor.page.locator(".tl > li[data-key]")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/timeline?" in request.url else None)
    await page.goto(f"/{erika}/timeline?kind=contacts")
    await expect(entries).to_have_count(50)
    await page.locator(".further").scroll_into_view_if_needed()
    await expect(entries).to_have_count(100)
    await page.locator(".further").scroll_into_view_if_needed()
    await expect(entries).to_have_count(CONTACTS)
    await expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    assert len(asked) == 3  # a request for fifty
    await page.reload()
    await expect(entries).to_have_count(CONTACTS)


async def test_the_keyboard_chooses_and_each_choice_has_a_url(
    desk: Company, signed_in: SignedIn, erika: str
) -> None:
    visitor = await signed_in()
    page = visitor.page
    await page.goto(f"/{erika}/timeline")
    await page.get_by_role("link", name="E-mail", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/timeline?channel=email")
    await expect(page.get_by_role("link", name="E-mail", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    await expect(page.locator(".tl")).not_to_contain_text("Called us")
    await page.get_by_label("From", exact=True).fill("2000-01-01")
    await page.get_by_label("To", exact=True).fill("2000-01-02")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/timeline?channel=email&since=2000-01-01&until=2000-01-02")
    await expect(page.get_by_role("main")).to_contain_text("Nothing like this happened.")
    await page.go_back()
    await expect(page.locator(".tl")).to_contain_text("Wrote by e-mail")


async def test_row_25_a_burst_is_one_line_that_unfolds_in_place_by_keyboard(
    desk: Company, signed_in: SignedIn, burst: str
) -> None:
    page = (await signed_in()).page
    await page.goto(f"/{burst}/timeline?kind=contacts")
    await expect(page.locator(".tl > li[data-key]:visible")).to_have_count(1)
    folded = page.locator("summary", has_text=f"and {BURST - 1} more like it")
    await expect(page.get_by_text(f"burst {BURST - 1}", exact=False)).to_be_hidden()
    await folded.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(f"burst {BURST - 1}", exact=False)).to_be_visible()
    assert await barriers(page) == []
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(f"burst {BURST - 1}", exact=False)).to_be_hidden()


async def test_row_27_paper_has_the_last_item_also_of_a_burst_and_says_that_there_is_more(
    desk: Company, signed_in: SignedIn, erika: str, burst: str
) -> None:
    page = (await signed_in()).page
    await page.goto(f"/{burst}/timeline?kind=contacts")
    assert f"burst {BURST - 1}" in (await printed(page))[-1]
    await page.goto(f"/{erika}/timeline?kind=contacts")
    assert "50 of more" not in await page.get_by_role("main").inner_text()
    sheets = await printed(page)
    assert len(sheets) > 1
    assert "topic 49" in sheets[-1]
    assert "50 of more" in sheets[-1]
    assert not {"Find a customer", "Show more", "Sign out"} & set(" ".join(sheets).splitlines())


async def printed(page: Page) -> list[str]:
    """What each sheet of paper says."""
    return [sheet.extract_text() for sheet in PdfReader(BytesIO(await page.pdf())).pages]


async def test_files_are_brought_with_a_contact_also_one_that_was_refused_and_opened_from_the_timeline(
    desk: Company, signed_in: SignedIn
) -> None:
    visitor, customer = await signed_in(), await somebody(desk)
    page = visitor.page
    await page.goto(f"/{customer}")
    await page.get_by_label("What did the customer say?").fill("A letter and a picture.")
    letter = {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    photo = {"name": "box.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"}
    await page.get_by_label("Minutes").fill("99999")
    await page.get_by_label("Files").set_input_files([letter, photo])
    await page.get_by_label("What did the customer say?").press("Control+Enter")
    await expect(page.get_by_label("Minutes")).to_have_attribute("aria-invalid", "true")
    assert await page.get_by_label("Files").evaluate("chosen => chosen.files.length") == 2
    await page.get_by_label("What did the customer say?").focus()
    await page.get_by_label("Minutes").fill("5")
    await page.get_by_label("What did the customer say?").press("Control+Enter")
    files = page.get_by_role("list", name="Files").get_by_role("listitem")
    await expect(files).to_have_text([re.compile("letter.pdf, PDF"), re.compile("box.png, picture")])
    async with page.expect_download() as began:  # from where they wrote it, which gets smaller then
        await files.first.get_by_role("link").click()
    had = await began.value
    assert (had.suggested_filename, (await had.path()).read_bytes()) == ("letter.pdf", b"%PDF-1.7")
    assert await barriers(page) == []
