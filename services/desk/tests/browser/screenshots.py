"""Pictures of every page in each of its states, for docs/desk: `make screenshots`. No test run collects it.

One more page or state is a line in `SHOTS`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from rapport_testing.clock import ManualClock
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.wait import eventually
from tests.browser import customers
from tests.browser.company import ALICE, DORA, Company, Person
from tests.browser.fixtures import Visit
from tests.browser.pictures import small
from tests.browser.troubles import TRACE, give_up, traces

NILS = Person("nils", "sre", "platform")
SUSAN = Person("susan", "manager")  # who may merge customers
OF_TWO = "+49 30 5550101"  # the number of two customers
FOLDER = Path(__file__).parents[4] / "docs" / "desk"
NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


async def nothing(page: Page) -> None:
    """As it opens."""


async def why(page: Page) -> None:
    """The reason of the promise at risk."""
    await page.locator("#promises").get_by_role("button", name="why").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text("Because")


def form(*keys: str) -> Callable[[Page], Awaitable[None]]:
    """The form that keys open: a letter, and which of several."""

    async def opened(page: Page) -> None:
        for key in keys:
            await page.keyboard.press(key)
        await expect(page.get_by_role("dialog").locator("form")).to_be_visible()

    return opened


async def other_record(page: Page) -> None:
    """Whose other record it may be."""
    await form("j")(page)
    await page.get_by_role("dialog").get_by_label("Their other record").fill(OF_TWO)
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog").locator(".hit")).to_have_count(1)


async def undoing(page: Page) -> None:
    """What undoing a merge means."""
    await page.get_by_role("button", name="Undo the merge").click()
    await expect(page.get_by_role("dialog").locator("form")).to_be_visible()


async def typed(page: Page) -> None:
    """A note that is being written."""
    await page.get_by_label("What did the customer say?").fill("Asks for the parcel to go to a neighbour.")


async def refused(page: Page) -> None:
    """A form that was refused."""
    await form("P")(page)
    await page.get_by_role("dialog").get_by_label("What").first.fill("")
    await page.keyboard.press("Control+Enter")


async def reveal(page: Page) -> None:
    """What a masked value asks for."""
    await page.locator("#who .masked").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text("Purpose")


async def relate(page: Page) -> None:
    """A relationship whose other customer was looked for."""
    await page.get_by_role("button", name="Add a relationship").click()
    asked = page.get_by_role("dialog")
    await asked.get_by_label("What this customer is").select_option("employee of")
    await asked.get_by_label("To whom").fill("Nordwerk")
    await page.keyboard.press("Control+Enter")
    await expect(asked.get_by_label("Who is meant")).to_be_visible()


async def verify(page: Page) -> None:
    """How it was proved."""
    await page.get_by_role("button", name="Note as verified").first.click()
    await expect(page.get_by_role("dialog").locator("form")).to_be_visible()


async def offered(page: Page) -> None:
    """Who may be meant, while one types."""
    await page.get_by_role("combobox", name="Find a customer").fill("Sommer")
    await expect(page.locator("#found").get_by_role("option")).to_be_visible()


async def found(page: Page) -> None:
    """The page of several who may be meant; one alone is opened."""
    await page.get_by_role("combobox", name="Find a customer").fill(OF_TWO)
    await expect(page.locator("#found").get_by_role("option")).to_have_count(2)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/find/*")


async def unfolded(page: Page) -> None:
    """What is alike, one by one."""
    await page.locator("summary", has_text="more like it").first.click()


async def first_case(page: Page) -> None:
    """The page of their case."""
    await page.locator('main a[href^="/cases/"]').first.click()
    await page.wait_for_url("**/cases/*")


async def tried(page: Page) -> None:
    """Who may do what by limits that are not kept yet."""
    await page.get_by_label("Code").fill("front-line")
    limit = page.get_by_role("group", name="Another limit")
    await limit.get_by_label("Points").fill("800")
    await limit.get_by_label("When").select_option("LOSS")
    await page.get_by_role("button", name="Who may do what then?").click()
    await expect(page.get_by_role("region", name="What they may do then")).to_be_visible()


async def drop(page: Page) -> None:
    """How many, and why."""
    await page.get_by_role("button", name="Drop").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("for good?")


@dataclass(frozen=True)
class Shot:
    """A page in a state.

    Attributes:
        name: of the file.
        words: what it shows.
        path: of the page; `{trouble}`, `{unknown}`, `{much}`, `{one}` and `{merged}` are customers,
            `{other}` and `{merge}` the ids of another and of a merge, `{letter}` is a dead letter,
            `{match}` two who may be one.
        person: who looks; nobody is signed in without.
        state: what brings the page into the state.
    """

    name: str
    words: str
    path: str
    person: Person | None = ALICE
    state: Callable[[Page], Awaitable[None]] = nothing


SHOTS = [
    Shot("work", "What waits for somebody", "/", DORA),
    Shot("cases", "The open cases of a department", "/cases"),
    Shot("case", "A case: who has it, and who waited for whom", "/{trouble}", DORA, first_case),
    Shot("queue", "What waits in a department, and who is there", "/queue", DORA),
    Shot("departments", "How departments keep their promises", "/departments", DORA),
    Shot("department", "How one does, week by week", "/departments/delivery", DORA),
    Shot("handoffs", "Who waits for whom", "/handoffs", DORA),
    Shot("promises", "Every promise, and what became of it", "/promises", DORA),
    Shot("topics", "What cases are about", "/topics", SUSAN),
    Shot("times", "Opening hours and clocks", "/times", SUSAN),
    Shot("clock-policy", "How long things may take", "/clockPolicies/new", SUSAN),
    Shot("authority", "What may be done alone, before it is kept", "/authorityPolicies/new", SUSAN, tried),
    Shot("customer", "A customer in trouble", "/{trouble}"),
    Shot("customer-why", "Why the promise moved", "/{trouble}", state=why),
    Shot("customer-note", "Writing down what they said", "/{trouble}", Person("anna"), typed),
    Shot("customer-promise", "Promising something", "/{trouble}", state=form("p")),
    Shot("customer-goodwill", "Giving goodwill", "/{trouble}", state=form("g")),
    Shot("customer-correct", "Correcting who they are", "/{trouble}", state=form("e")),
    Shot("customer-reveal", "Asking for a masked number", "/{trouble}", state=reveal),
    Shot("customer-reader", "The same for who may only read", "/{trouble}", Person("rosa", "auditor")),
    Shot("customer-unknown", "A customer of whom one knows a number", "/{unknown}"),
    Shot("known", "What is known of a customer, and what they are to others", "/{trouble}/known"),
    Shot("known-relate", "Adding a relationship", "/{trouble}/known", state=relate),
    Shot("known-verify", "Noting that a number is verified", "/{trouble}/known", state=verify),
    Shot("customer-much", "A customer with too much of everything", "/{much}"),
    Shot("customer-same", "Looking for their other record", "/{one}", SUSAN, other_record),
    Shot("customer-merge", "Two records side by side", "/{one}/same/{other}", SUSAN),
    Shot("customer-merged", "A customer of two records, and undoing that", "/{merged}", SUSAN, undoing),
    Shot("customer-meanwhile", "What was recorded while they were one", "/{merged}/merges/{merge}", SUSAN),
    Shot("timeline", "Everything that happened", "/{trouble}/timeline"),
    Shot(
        "timeline-chosen",
        "What is chosen of it, a burst unfolded",
        "/{much}/timeline?kind=contacts",
        state=unfolded,
    ),
    Shot("find-offered", "Who may be meant, while one types", "/{unknown}", state=offered),
    Shot("find", "Everybody who may be meant", "/{unknown}", state=found),
    Shot("call", "A call from a number that nobody has", "/call?from=%2B4930777777"),
    Shot("received", "What came and waits for a person", "/received"),
    Shot("matches", "Who may be one customer", "/matchCandidates"),
    Shot("match", "Both records, and what speaks for it", "/{match}"),
    Shot("operations", "How the services are", "/operations", NILS),
    Shot("operations-service", "What one has still to do", "/operations/services/cases", NILS),
    Shot("dead-letters", "Events that were given up on", "/operations/dead-letters", NILS),
    Shot("dead-letter", "One of them", "/operations/{letter}", NILS),
    Shot("dead-letter-drop", "Before it is dropped", "/operations/{letter}", NILS, drop),
    Shot("providers", "Who takes our messages", "/operations/providers", NILS),
    Shot("traces", "Traces that failed", "/operations/traces", NILS),
    Shot("trace", "One as a waterfall", f"/traces/{TRACE}", NILS),
    Shot("ui", "Every component and card, in every state", "/ui"),
    Shot("not-here", "Nothing of that name", "/customers/00000000-0000-0000-0000-000000000000"),
    Shot("signed-out", "Signed out", "/signed-out", None),
]


@pytest.fixture(scope="module")
def time_of_day() -> ManualClock:
    """Stands still, but for the days that a customer takes to get into trouble."""
    return ManualClock(NOW - timedelta(days=3))


@pytest.fixture(scope="module")
async def desk_settings(infrastructure: Infrastructure) -> AsyncIterator[dict[str, Any]]:
    """The desk knows where traces are."""
    async with traces(infrastructure, NOW) as url:
        yield {"traces_url": url}


@pytest.fixture(scope="module")
async def names(desk: Company, time_of_day: ManualClock) -> dict[str, str]:
    """The customers."""
    one, other = await _call_of_two(desk)
    lea = await customers.somebody(desk, "Lea")
    merge = await customers.merged(
        desk, lea, await customers.somebody(desk, "Leah"), comment="Her sister says so."
    )
    await customers.say(desk, lea, "Asks for the invoice.")
    trouble = await customers.in_trouble(desk, time_of_day)
    await customers.well_known(desk, trouble)
    assert time_of_day.now() == NOW
    await eventually(lambda: _waits(desk), timeout_s=60)
    return {
        "trouble": trouble,
        "unknown": await customers.unknown(desk),
        "much": await customers.too_much(desk),
        "one": one,
        "other": other.removeprefix("customers/"),
        "merged": lea,
        "merge": merge.removeprefix("customerMerges/"),
        "letter": (await give_up(desk, 3))[0],
        "match": (await customers.twice(desk, "Kehler", date(1960, 1, 17))).question,
    }


async def _call_of_two(desk: Company) -> list[str]:
    """A call from a number that two have: once it has settled, it waits for a person."""
    number = {"type": "TYPE_PHONE", "value": OF_TWO}
    both = [await customers.somebody(desk, given, identifiers=[number]) for given in ("Karl", "Klara")]
    await desk.call("shared", OF_TWO, "ended")
    return both


async def _waits(desk: Company) -> bool:
    async with desk.reading("desk") as connection:
        return bool(await connection.fetchval("SELECT count(*) FROM received WHERE state = 'WAITING'"))


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("narrow", [False, True], ids=["1280", "390"])
async def test_picture(
    desk: Company, visit: Visit, names: dict[str, str], shot: Shot, dark: bool, narrow: bool
) -> None:
    visitor = await visit(desk.url, dark=dark, narrow=narrow)
    if shot.person:
        await desk.sign_in(visitor, shot.person)
    visitor.let(r"status of 40\d")
    await visitor.context.clock.set_fixed_time(NOW)
    page = visitor.page
    await page.goto(shot.path.format(**names))
    if await page.locator("#live").count() and "customers/" in page.url:
        await expect(page.locator("#live")).not_to_be_empty()
    await shot.state(page)
    picture = await small(page)
    file = f"{shot.name}-{'390' if narrow else '1280'}-{'dark' if dark else 'light'}.webp"
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / file).write_bytes(picture)


def test_list_of_pictures() -> None:
    """Every picture has its line, and what no line names is gone."""
    lines = [
        "# The desk in pictures",
        "",
        "Each page in each of its states, wide and narrow, light and dark: `make screenshots` takes them.",
        "",
        "| | 1280 | 390 |",
        "|---|---|---|",
    ]
    kept = {"README.md"}
    for shot in SHOTS:
        cells = []
        for width in (1280, 390):
            files = {scheme: f"{shot.name}-{width}-{scheme}.webp" for scheme in ("light", "dark")}
            kept |= set(files.values())
            cells.append(", ".join(f"[{scheme}]({file})" for scheme, file in files.items()))
        lines.append(f"| {shot.words} | {' | '.join(cells)} |")
    (FOLDER / "README.md").write_text("\n".join(lines) + "\n")
    for file in FOLDER.iterdir():
        if file.name not in kept:
            file.unlink()
