"""Who may be one customer: somebody sees both records, says so or not by one key, and comes to the next."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from desk.pages.matches import route
from rapport_testing.wait import eventually
from tests.browser.company import ALICE, Company, Person, SignedIn
from tests.browser.customers import twice

KARL = Person("karl")


class Reader(Person):
    """Somebody who may see who may be one, and say nothing of it."""

    permissions = ("customer.customers.read", "customer.match_candidates.read")


async def state(desk: Company, question: str) -> tuple[str, str]:
    """What came of it, and why."""
    told = await desk.ask(ALICE, "GET", question)
    return told["state"], told.get("reasonCode", "")


async def waiting(desk: Company) -> list[str]:
    """Who waits, most certain first."""
    told = await desk.ask(ALICE, "GET", "matchCandidates?pageSize=1000&filter=state%3DPENDING")
    return [each["name"] for each in told.get("matchCandidates", [])]


def shown(page: Page) -> str:
    """The question that is on the page."""
    return urlsplit(page.url).path[1:]


async def all_rows(page: Page) -> None:
    """The list as far as it goes: what is near comes by itself."""

    async def ended() -> bool:
        await page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        return await page.locator("[data-more]").count() == 0

    await eventually(ended)


async def followed(page: Page, question: str) -> None:
    """The next one is there, and says what became of that."""
    await page.wait_for_url(f"**decided={question.rpartition('/')[2]}")


async def test_both_records_are_side_by_side_with_what_each_field_says_in_words(
    desk: Company, signed_in: SignedIn
) -> None:
    question, _, _, born = await twice(desk)
    page = (await signed_in()).page
    await page.goto(f"/{question}")
    row = page.get_by_role("row", name=re.compile("First name"))
    await expect(row).to_contain_text("nickname: speaks")
    await expect(row.get_by_role("cell")).to_have_text(["Robert", "Bob"])
    await expect(page.get_by_role("row", name=re.compile("Date of birth"))).to_contain_text(str(born.year))
    await expect(page.get_by_role("row", name=re.compile("E-mail"))).not_to_contain_text("nora.")
    await expect(page.get_by_text("Why somebody is asked")).to_be_visible()
    await expect(page.get_by_text("They become one customer")).to_be_visible()


async def test_by_keys_alone_one_is_said_to_be_one_the_next_to_be_two_and_that_is_undone(
    desk: Company, signed_in: SignedIn
) -> None:
    for _ in range(2):
        await twice(desk)
    page = (await signed_in()).page
    await page.goto("/matchCandidates")
    first = str(await page.locator("li[data-key]").first.get_attribute("data-key"))
    await page.keyboard.press("l")
    await page.wait_for_url(f"**/{first}")
    await page.keyboard.press("1")
    await followed(page, first)
    assert await state(desk, first) == ("STATE_LINKED", "accepted")
    second = shown(page)
    assert (await state(desk, second))[0] == "STATE_PENDING"
    await expect(page.locator("[data-told]")).to_contain_text("One customer: Alice, today")
    await page.get_by_label("What colleagues should know").fill("Both rang at once.")
    await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("5")
    await followed(page, second)
    assert await state(desk, second) == ("STATE_REJECTED", "twins")
    await expect(page.locator("[data-told]")).to_contain_text("Two customers (twins): Alice, today")
    await page.keyboard.press("z")
    await page.wait_for_url(f"**/{second}")
    await expect(page.get_by_role("button", name="Same person", exact=True)).to_be_visible()
    assert (await state(desk, second))[0] == "STATE_PENDING"


async def test_who_said_that_they_are_one_takes_it_back(desk: Company, signed_in: SignedIn) -> None:
    question = (await twice(desk)).question
    page = (await signed_in()).page
    await page.goto(f"/{question}")
    await page.keyboard.press("1")
    await followed(page, question)
    await page.keyboard.press("z")
    await page.wait_for_url(f"**/{question}")
    await expect(page.get_by_role("button", name="Same person", exact=True)).to_be_visible()
    assert (await state(desk, question))[0] == "STATE_PENDING"


async def test_who_was_slower_hears_who_decided_what_and_when(desk: Company, signed_in: SignedIn) -> None:
    question = (await twice(desk)).question
    page = (await signed_in()).page
    await page.goto(f"/{question}")
    await desk.ask(KARL, "POST", f"{question}:reject", reasonCode="twins", comment="I know both.")
    await page.keyboard.press("1")
    told = page.locator("[data-told]")
    await expect(told).to_contain_text("That was decided already. Two customers (twins): Karl, today")
    await expect(page.locator("#told")).to_contain_text("Karl")
    await expect(page.get_by_text("I know both.")).to_be_visible()
    assert await state(desk, question) == ("STATE_REJECTED", "twins")
    await page.keyboard.press("y")  # asks again
    await expect(page.get_by_role("button", name="Same person", exact=True)).to_be_visible()


async def test_a_record_that_changed_meanwhile_is_shown_anew_before_anything_is_decided(
    desk: Company, signed_in: SignedIn
) -> None:
    question = (await twice(desk)).question
    page = (await signed_in()).page
    await page.goto(f"/{question}")
    seen = await desk.ask(ALICE, "GET", question)
    renamed = {"person": {"givenName": "Roberta"}}
    await desk.ask(ALICE, "PATCH", f"{seen['customer']}?updateMask=person.givenName", **renamed)

    async def scored_anew() -> bool:
        return (await desk.ask(ALICE, "GET", question))["etag"] != seen["etag"]

    await eventually(scored_anew)
    await page.keyboard.press("1")
    await expect(page.locator("[data-told]")).to_have_text("Somebody changed this meanwhile.")
    await expect(page.get_by_role("cell", name="Roberta", exact=True)).to_be_visible()
    assert (await state(desk, question))[0] == "STATE_PENDING"


async def test_the_bar_says_how_many_wait_and_a_customer_whom_they_may_be_the_same_as(
    desk: Company, signed_in: SignedIn
) -> None:
    question, customer, (_, other), _ = await twice(desk)
    page = (await signed_in()).page

    async def counted() -> bool:  # others may be asked about meanwhile
        await page.goto(f"/{customer}")
        count = len(await waiting(desk))
        link = page.get_by_role("link", name=re.compile(r"^Same person\? \d"))
        return await link.inner_text() == f"Same person? {count}"

    await eventually(counted)
    line = page.locator("#who p", has_text="May be the same as")
    await expect(line.get_by_role("link")).to_have_text(other)
    await line.get_by_role("link").click()
    await page.wait_for_url(f"**/{question}")


async def test_the_list_goes_on_by_pages_most_certain_first(
    desk: Company, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "PAGE", 1)
    for _ in range(2):
        await twice(desk)
    page = (await signed_in()).page
    links, following = page.locator("li[data-key] b a"), page.get_by_role("link", name="The next one")

    async def listed() -> list[str]:  # others may be asked about meanwhile
        await page.goto("/matchCandidates")
        await all_rows(page)
        found = [
            str(await each.get_attribute("data-key")) for each in await page.locator("li[data-key]").all()
        ]
        assert found == await waiting(desk)
        return found

    async def first_is_followed_by_the_next_page() -> bool:
        _, second, *_ = await listed()
        await expect(page.locator("[data-letter=L]")).to_have_count(1)
        await links.first.click()
        await following.click()
        await page.wait_for_url("**among=*")
        return shown(page) == second

    async def last_is_followed_by_none() -> bool:
        *_, last = await listed()
        await links.last.click()
        await page.wait_for_url(f"**/{last}?among=*")
        return await following.count() == 0

    await eventually(first_is_followed_by_the_next_page)
    await eventually(last_is_followed_by_none)


async def test_namesakes_are_told_apart_in_the_list_by_town_and_birth(
    desk: Company, signed_in: SignedIn
) -> None:
    question, _, _, born = await twice(desk)
    page = (await signed_in()).page
    await page.goto("/matchCandidates")
    await all_rows(page)
    await expect(page.locator(f"li[data-key='{question}']")).to_contain_text(str(born.year))


async def test_who_may_not_decide_is_not_asked(desk: Company, signed_in: SignedIn) -> None:
    question = (await twice(desk)).question
    page = (await signed_in(Reader("rosa"))).page
    await page.goto(f"/{question}")
    await expect(page.get_by_role("row", name=re.compile("First name"))).to_be_visible()
    await expect(page.get_by_role("link", name="Same person?")).to_have_count(0)
    await expect(page.get_by_role("button", name="Same person", exact=True)).to_have_count(0)
