import operator
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import SHAPES_MAX, Listing
from chassis.api.pages import PAGE_MAX_BYTES
from chassis.db.statement import Statement
from chassis.errors import InvalidArgument
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesRequest
from rapport.common.v1 import states_pb2
from rapport_testing.infrastructure import Infrastructure

CASES = sa.Table(
    "listed",
    sa.MetaData(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("state", sa.Text),
    sa.Column("reopen_count", sa.Integer),
    sa.Column("open_time", sa.DateTime(timezone=True)),
)
FIELDS = {
    "state": filters.enum(CASES.c.state, states_pb2.CaseState.DESCRIPTOR),
    "reopen_count": filters.number(CASES.c.reopen_count, most=2**31 - 1),
    "open_time": filters.moment(CASES.c.open_time),
}


@dataclass(slots=True)
class Row:
    id: UUID
    state: str
    reopen_count: int | None
    open_time: datetime


# Times repeat, so that a page must be able to end between two rows of the same time.
ROWS = [
    Row(
        UUID(int=i),
        ["OPEN", "RESOLVED"][i % 2],
        [None, -2, 0, 3][i % 4],
        datetime(2026, 3, 1 + i // 5, tzinfo=UTC),
    )
    for i in range(23)
]


class Connection:
    """Runs statements."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def fetch(self, statement: Statement[Any], args: Sequence[Any]) -> list[Any]:
        return list(await self.connection.fetch(statement.sql, *args))


@pytest.fixture
async def on(infrastructure: Infrastructure) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(infrastructure.postgres_url)
    columns = "id uuid PRIMARY KEY, state text, reopen_count integer, open_time timestamptz"
    await connection.execute(f"CREATE TEMPORARY TABLE listed ({columns})")
    await connection.copy_records_to_table(
        "listed", records=[(row.id, row.state, row.reopen_count, row.open_time) for row in ROWS]
    )
    yield Connection(connection)
    await connection.close()


def listing(descending: bool = False) -> Listing[Row]:
    sort = (CASES.c.open_time, CASES.c.id)
    return Listing(
        sa.select(CASES), *sort, row=Row, descending=descending, order_by="open_time", filters=FIELDS
    )


async def page(
    cases: Listing[Row], on: Connection, request: ListCasesRequest, padding: int = 0
) -> tuple[list[Row], str]:
    """The rows of a page, each shown as a message with `padding` characters besides."""
    shown, token = await cases.page(
        on, request, lambda row: Case(name=str(row.id.int), display_name="x" * padding)
    )
    return [ROWS[int(each.name)] for each in shown], token


async def pages(
    found: Listing[Row], on: Connection, request: ListCasesRequest, padding: int = 0
) -> list[list[Row]]:
    """Every page, by following the tokens."""
    gathered = []
    while True:
        rows, request.page_token = await page(found, on, request, padding)
        gathered.append(rows)
        if not request.page_token:
            return gathered


@pytest.mark.parametrize("size", [1, 2, 5, 7, 22, 23, 24, 1000])
@pytest.mark.parametrize("descending", [False, True])
async def test_pages_hold_every_row_once_and_in_order(on: Connection, size: int, descending: bool) -> None:
    found = await pages(listing(descending), on, ListCasesRequest(page_size=size))
    assert [row for page in found for row in page] == (ROWS[::-1] if descending else ROWS)
    assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)
    assert found[-1]


@pytest.mark.parametrize(("asked", "rows"), [("open_time", ROWS), ("open_time desc", ROWS[::-1])])
@pytest.mark.parametrize("descending", [False, True])
async def test_whoever_asks_turns_the_order_round(
    on: Connection, asked: str, rows: list[Row], descending: bool
) -> None:
    found = await pages(listing(descending), on, ListCasesRequest(page_size=5, order_by=asked))
    assert [row for page in found for row in page] == rows


async def test_an_order_that_is_none_or_another_than_the_token_s_is_refused(on: Connection) -> None:
    with pytest.raises(InvalidArgument, match="must be empty, `open_time` or `open_time desc`") as refused:
        await page(listing(), on, ListCasesRequest(order_by="id"))
    assert refused.value.reason == "INVALID_CODE"
    _, token = await page(listing(), on, ListCasesRequest(page_size=5))
    with pytest.raises(InvalidArgument) as refused:
        await page(listing(), on, ListCasesRequest(order_by="open_time desc", page_token=token))
    assert refused.value.reason == "INVALID_PAGE_TOKEN"


@pytest.mark.parametrize("at_once", [1, 3, 22, 23, 24])
async def test_a_page_is_the_same_however_few_rows_are_read_at_once(
    on: Connection, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.api.listing.READ_AT_ONCE", at_once)
    for size in (1, 7, 23, 1000):
        found = await pages(listing(), on, ListCasesRequest(page_size=size))
        assert [row for page in found for row in page] == ROWS
        assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)


@pytest.mark.parametrize("padding", [200_000, 1_000_000, 3 * 1024 * 1024, 3_500_000])
@pytest.mark.parametrize("at_once", [2, 100])
async def test_no_page_is_larger_than_a_client_takes_and_none_is_empty(
    on: Connection, padding: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.api.listing.READ_AT_ONCE", at_once)
    found = await pages(listing(), on, ListCasesRequest(page_size=1000), padding)
    assert [row for page in found for row in page] == ROWS
    fit = max(1, PAGE_MAX_BYTES // (padding + 20))
    assert [len(page) for page in found[:-1]] == [fit] * (len(found) - 1)
    assert found[-1]


async def test_pages_of_a_filtered_list_hold_what_the_filter_lets_through(on: Connection) -> None:
    request = ListCasesRequest(page_size=3, filter='state = OPEN AND open_time >= "2026-03-02T00:00:00Z"')
    found = await pages(listing(), on, request)
    expected = [row for row in ROWS if row.state == "OPEN" and row.open_time.day >= 2]
    assert [row for page in found for row in page] == expected


async def test_rows_that_come_and_go_move_no_others_between_pages(on: Connection) -> None:
    cases, request = listing(), ListCasesRequest(page_size=10)
    first, request.page_token = await page(cases, on, request)
    await on.connection.execute("DELETE FROM listed WHERE id = $1", first[0].id)
    second, _ = await page(cases, on, request)
    assert first + second == ROWS[:20]


async def test_a_list_without_rows_is_one_empty_page(on: Connection) -> None:
    request = ListCasesRequest(filter="reopen_count > 1000")
    assert await page(listing(), on, request) == ([], "")


async def test_filters_that_differ_in_values_only_share_a_statement(on: Connection) -> None:
    cases = listing()
    for i in range(SHAPES_MAX + 10):
        await page(cases, on, ListCasesRequest(filter=f"reopen_count = {i}"))
    assert len(cases._statements) == 1


async def test_the_statements_kept_are_bounded(on: Connection) -> None:
    cases = listing()
    names = random.Random(7)
    for _ in range(SHAPES_MAX + 10):
        terms = [f"reopen_count {names.choice(['<', '<=', '>', '>=', '=', '!='])} 1" for _ in range(8)]
        await page(cases, on, ListCasesRequest(filter=" OR ".join(terms)))
    assert len(cases._statements) == SHAPES_MAX


def test_a_list_cannot_be_sorted_by_what_a_token_cannot_hold() -> None:
    column = sa.column("paid", sa.Boolean)
    with pytest.raises(TypeError, match="a list cannot be sorted by it"):
        Listing(sa.select(column), sa.column("paid", sa.LargeBinary), row=Row)


OPERATORS: dict[str, Any] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


def holds(sign: str, value: int | None, bound: int) -> bool:
    """What a comparison says of a field that may not be set."""
    return sign == "!=" if value is None else bool(OPERATORS[sign](value, bound))


def term(some: random.Random) -> tuple[bool, str, int]:
    return some.random() < 0.3, some.choice(list(OPERATORS)), some.randint(-3, 4)


async def test_a_filter_means_in_sql_what_it_says(on: Connection) -> None:
    """A hundred random filters, evaluated by PostgreSQL, agree with the same evaluated by Python."""
    some = random.Random(160)
    cases = listing()
    for _ in range(100):
        factors = [
            [
                (some.random() < 0.3, some.choice(list(OPERATORS)), some.randint(-3, 4))
                for _ in range(some.randint(1, 4))
            ]
            for _ in range(some.randint(1, 4))
        ]
        text = " AND ".join(
            " OR ".join(f"{'-' * negated}reopen_count {sign} {bound}" for negated, sign, bound in factor)
            for factor in factors
        )
        expected = [
            row
            for row in ROWS
            if all(
                any(holds(sign, row.reopen_count, b) != no for no, sign, b in factor) for factor in factors
            )
        ]
        rows, _ = await page(cases, on, ListCasesRequest(filter=text, page_size=1000))
        assert rows == expected, text
