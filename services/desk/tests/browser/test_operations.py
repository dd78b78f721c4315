"""Operators find what went wrong, mend it, and are told what became of each."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from chassis.inbox import parked
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, Company, Person, SignedIn
from tests.browser.looking import tab_to
from tests.browser.troubles import TRACE, give_up, traces

NILS = Person("nils", "sre", "platform")


class Reader(Person):
    """Somebody who may look at how services are, and change nothing."""

    permissions = ("loyalty.operations.read",)


@pytest.fixture(scope="module")
async def desk_settings(infrastructure: Infrastructure) -> AsyncIterator[dict[str, Any]]:
    """The desk knows where traces are."""
    async with traces(infrastructure, datetime.now(UTC)) as url:
        yield {"traces_url": url}


async def found(desk: Company, table: str, **where: str) -> bool:
    """Whether loyalty has such a row."""
    [(column, value)] = where.items()
    async with desk.reading("loyalty") as connection:
        query = f"SELECT true FROM {table} WHERE {column}::text = $1"
        return bool(await connection.fetchval(query, value))


@pytest.fixture
def hasty() -> Iterator[None]:
    """Consumers give up upon the second failure that may be a bug, rather than the tenth."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parked, "UNKNOWN_ATTEMPTS", 1)
        yield


async def statement(desk: Company, sql: str) -> None:
    async with desk.reading("loyalty") as connection:
        await connection.execute(sql)


async def heading(page: Page, words: str) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(words)


async def test_a_dead_letter_is_found_its_cause_is_mended_and_it_is_replayed(
    desk: Company, signed_in: SignedIn, hasty: None
) -> None:
    promise = str(uuid4())
    await statement(desk, "ALTER TABLE promises ADD CONSTRAINT broken CHECK (false) NOT VALID")
    [name] = await give_up(desk, promise=f"promises/{promise}")
    visitor = await signed_in(NILS)
    visitor.expect("404")  # once it is replayed
    page = visitor.page
    await page.goto("/operations")
    await expect(page.locator("#service-loyalty")).to_contain_text("Serves")
    await expect(
        page.get_by_text("loyalty-promises gave up on 1 event (CheckViolationError).")
    ).to_be_visible()
    await page.get_by_role("link", name="Look").click()
    await page.get_by_role("link", name="Promise at risk").click()
    await expect(page.get_by_text("loyalty-promises gave up on it")).to_be_visible()
    await expect(page.locator("pre")).to_be_hidden()  # names and ids are a click away
    await page.get_by_text("What it says, with names and ids").click()
    await expect(page.locator("pre")).to_contain_text(f'"promise": "promises/{promise}"')
    await statement(desk, "ALTER TABLE promises DROP CONSTRAINT broken")
    await page.get_by_role("button", name="Replay").click()
    await heading(page, "1 of 1 dead letter replayed")
    await eventually(lambda: found(desk, "promises", id=promise))
    await page.goto(f"/operations/{name}")
    await heading(page, "There is nothing here")


async def test_a_dead_letter_is_dropped_for_a_reason_by_keyboard_alone(
    desk: Company, signed_in: SignedIn
) -> None:
    [name] = await give_up(desk)
    visitor = await signed_in(NILS)
    visitor.expect("422")
    page = visitor.page
    await page.goto(f"/operations/{name}")
    await tab_to(page, page.get_by_role("button", name="Drop"))
    await page.keyboard.press("Enter")
    await heading(page, "Drop 1 dead letter for good?")
    reason = page.get_by_label("Why they may stay missing")
    for said, then in (
        ("Because!", "Drop 1 dead letter for good?"),
        ("malformed", "1 of 1 dead letter dropped"),
    ):
        await tab_to(page, reason)
        await page.keyboard.press("Control+a")
        await page.keyboard.type(said)
        await page.keyboard.press("Enter")
        await heading(page, then)


async def test_row_16_of_a_hundred_each_that_is_refused_is_named(desk: Company, signed_in: SignedIn) -> None:
    names = await give_up(desk, 100)
    page = (await signed_in(NILS)).page
    await page.goto("/operations/dead-letters?service=loyalty")
    await page.get_by_role("button", name="Drop all of loyalty").click()
    await heading(page, "Drop 100 dead letters for good?")
    for name in names[:3]:
        await desk.ask(ADMIN, "DELETE", f"{name}?reasonCode=malformed")
    await page.get_by_label("Why they may stay missing").fill("malformed")
    await page.get_by_role("button", name="Drop 100 dead letters").click()
    await heading(page, "97 of 100 dead letters dropped")
    refused = page.get_by_role("listitem").filter(has_text="is no dead letter any more")
    await expect(refused).to_have_count(3)
    for name in names[:3]:
        await expect(refused.filter(has_text=name[-6:])).to_have_count(1)


async def test_a_trace_is_found_by_its_failure_and_seen_as_a_waterfall(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in(NILS)).page
    await page.goto("/operations/traces")
    row = page.get_by_role("row").filter(has_text="INTERNAL in loyalty")
    await expect(row.get_by_role("link", name="customer 000001")).to_be_visible()
    await row.get_by_role("link", name="CaseService/Do1").click()
    await expect(page.get_by_text("500 of 600 spans are shown")).to_be_visible()
    await page.get_by_role("link", name="1 failed.").click()
    failure = page.locator("#failed")
    await expect(failure).to_be_in_viewport()
    await expect(failure).to_contain_text("CaseService/Do600")
    box = await failure.locator("rect").bounding_box()
    assert box is not None
    assert box["width"] > 0


async def test_row_17_who_may_only_look_is_offered_nothing_and_who_may_not_is_not_led_there(
    desk: Company, signed_in: SignedIn
) -> None:
    [name] = await give_up(desk)
    alice = await signed_in()
    await alice.page.goto(f"/traces/{TRACE}")  # traces are for everybody
    await expect(alice.page.get_by_role("link", name="Operations")).to_have_count(0)
    for person, offered in ((NILS, 1), (Reader("rosa"), 0)):
        page = (await signed_in(person)).page
        await page.goto("/operations/dead-letters")
        await expect(page.get_by_role("link", name="Operations")).to_be_visible()
        await expect(page.get_by_role("link", name="Promise at risk").first).to_be_visible()
        await expect(page.get_by_role("button", name="Replay the chosen")).to_have_count(offered)
        await page.goto(f"/operations/{name}")
        await expect(page.get_by_role("button", name="Drop")).to_have_count(offered)


async def test_row_24_the_overview_counts_as_many_dead_letters_as_are_listed(
    desk: Company, signed_in: SignedIn
) -> None:
    await give_up(desk, 3)
    page = (await signed_in(NILS)).page
    await page.goto("/operations/dead-letters?service=loyalty")
    listed = await page.get_by_role("table").get_by_role("checkbox").count()
    await page.goto("/operations")
    column = await page.get_by_role("columnheader").all_inner_texts()
    cell = page.locator("#service-loyalty").locator("th, td").nth(column.index("Dead letters"))
    assert await cell.inner_text() == str(listed)


async def test_row_22_a_service_that_stops_is_unknown_and_says_since_when(
    desk: Company, signed_in: SignedIn
) -> None:
    page = (await signed_in(NILS)).page
    await page.goto("/operations")
    await expect(page.locator("#service-cases")).to_contain_text("Serves")
    await desk.services["cases"].stop()
    await page.reload()
    row = page.locator("#service-cases")
    await expect(row).to_contain_text("No answer")
    await expect(row).to_contain_text("last answered today")
    await expect(row.get_by_text("unknown", exact=True)).to_have_count(6)
    await expect(page.locator("#service-loyalty")).to_contain_text("Serves")
    await desk.restart("cases")

    async def serves() -> bool:
        await page.reload()
        return "Serves" in await row.inner_text()

    await eventually(serves, timeout_s=60)  # gRPC takes its time to call again


async def test_how_it_is_with_providers_is_a_key_away(desk: Company, signed_in: SignedIn) -> None:
    page = (await signed_in(NILS)).page
    await page.goto("/operations")
    await page.get_by_role("link", name="Providers").focus()
    await page.keyboard.press("Enter")
    await heading(page, "Providers")
    await expect(page.locator("#provider-smtp")).to_contain_text("Takes messages")


def test_the_permissions_of_the_role_are_those_of_the_pages() -> None:
    needed: list[Any] = [
        f"{name}.operations.{verb}" for name in ("cases", "loyalty") for verb in ("read", "write")
    ]
    assert set(needed) <= set(NILS.permissions)
