"""Which names are of one customer: lists and filters by any of them, and decisions that merges wait for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.context import Call, Principal, acting
from chassis.db.aliases import groups_of, lock_person, regroup
from chassis.db.database import Database
from chassis.names import Pattern
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesRequest
from rapport_testing.infrastructure import Infrastructure

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CUSTOMER = Pattern("customers/{customer}")
ONE, OTHER, STRANGER = (UUID(int=n) for n in range(1, 4))
NOTES = sa.Table(
    "noted",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("customer_id", sa.Uuid),
    sa.Column("customer", sa.Text),
    sa.Column("kind", sa.Text),
)


@dataclass(slots=True)
class Note:
    id: int
    customer_id: UUID
    customer: str
    kind: str


ROWS = [
    Note(n, whose, CUSTOMER.format(whose), "ab"[n % 2])
    for n, whose in enumerate([ONE, OTHER, STRANGER, OTHER, ONE, STRANGER, ONE, OTHER, OTHER])
]
BY_ID = Listing(
    sa.select(NOTES),
    NOTES.c.id,
    row=Note,
    filters={
        "customer": filters.customer(NOTES.c.customer_id, CUSTOMER),
        "named": filters.customer(NOTES.c.customer, CUSTOMER),
        "kind": filters.text(NOTES.c.kind),
    },
)
OF_ONE = Listing(sa.select(NOTES), NOTES.c.id, row=Note, of_customer=NOTES.c.customer_id)


@pytest.fixture
async def db(
    database: Callable[..., Awaitable[Database]], infrastructure: Infrastructure
) -> AsyncIterator[Database]:
    """A service's database in which ONE and OTHER were merged, with notes of them and a stranger."""
    db = await database()
    async with infrastructure.superuser(db._url) as connection:
        await connection.execute(
            "CREATE TABLE noted (id bigint PRIMARY KEY, customer_id uuid, customer text, kind text);"
            " GRANT SELECT ON noted TO PUBLIC"
        )
        rows = [(row.id, row.customer_id, row.customer, row.kind) for row in ROWS]
        await connection.copy_records_to_table("noted", records=rows)
    with acting(Call("test", Principal("service:cases"))):
        await merged(db, {ONE: ONE, OTHER: ONE}, 1)
        yield db


async def merged(db: Database, survivors: dict[UUID, UUID], sequence: int) -> None:
    async with db.transaction() as tx:
        await regroup(tx, survivors, sequence, NOW)


async def listed(db: Database, listing: Listing[Note], size: int = 50, **asked: Any) -> list[int]:
    """The ids on all pages."""
    request, found = ListCasesRequest(page_size=size, filter=asked.pop("filter", "")), []
    while True:
        shown, request.page_token = await listing.page(
            db, request, lambda row: Case(name=str(row.id)), **asked
        )
        found += [int(each.name) for each in shown]
        if not request.page_token:
            return found


async def test_a_list_by_any_name_has_what_is_of_all_in_its_order(db: Database) -> None:
    whole = [row.id for row in ROWS if row.customer_id != STRANGER]
    for name in (ONE, OTHER):
        for size in (1, 2, 3, 50):
            assert await listed(db, OF_ONE, size, customer_id=name) == whole
            assert await listed(db, BY_ID, size, filter=f"customer = {CUSTOMER.format(name)}") == whole
            assert await listed(db, BY_ID, size, filter=f"named = {CUSTOMER.format(name)}") == whole


async def test_a_filter_means_all_names_wherever_it_stands(db: Database) -> None:
    one, other, stranger = (f"customer = {CUSTOMER.format(each)}" for each in (ONE, OTHER, STRANGER))
    for asked, found in {
        f"{other} AND kind = a": [0, 4, 6, 8],
        f"kind = a AND {other}": [0, 4, 6, 8],
        other.replace("=", "!="): [2, 5],
        f"-{other}": [2, 5],
        f"{other} OR {stranger}": list(range(9)),
        f"{other} AND {stranger}": [],
        f"({one} OR kind = b) AND kind = b": [1, 3, 5, 7],
        f"named = {CUSTOMER.format(ONE)} AND -({other})": [],
        stranger: [2, 5],
    }.items():
        assert await listed(db, BY_ID, filter=asked) == found, asked


async def test_what_a_later_merge_said_holds_whatever_the_order(db: Database) -> None:
    await merged(db, {ONE: ONE, OTHER: OTHER}, 5)
    await merged(db, {ONE: OTHER, OTHER: OTHER, STRANGER: OTHER}, 4)

    groups = await groups_of(db, [ONE, OTHER, STRANGER])

    assert groups.survivors == {ONE: ONE, OTHER: OTHER, STRANGER: OTHER}
    assert await listed(db, OF_ONE, customer_id=ONE) == [0, 4, 6]


async def test_who_was_never_merged_is_a_group_of_their_own(db: Database) -> None:
    groups = await groups_of(db, [STRANGER])
    assert (groups.survivors, groups.members) == ({STRANGER: STRANGER}, {STRANGER: [STRANGER]})


async def test_what_is_decided_about_a_person_sees_a_merge_or_comes_before_it(db: Database) -> None:
    """Who holds a person is not overtaken by a merge; who waited for one knows the names that it brought."""
    async with db.transaction() as deciding:
        assert await lock_person(deciding, STRANGER) == [STRANGER]
        merging = asyncio.ensure_future(merged(db, {ONE: ONE, OTHER: ONE, STRANGER: ONE}, 2))
        done, _ = await asyncio.wait([merging], timeout=0.2)
        assert not done
    await merging
    async with db.transaction() as deciding:
        assert await lock_person(deciding, STRANGER) == [ONE, OTHER, STRANGER]


async def test_two_who_decide_about_one_person_by_different_names_take_turns(db: Database) -> None:
    async def decide() -> None:
        async with db.transaction() as tx:
            await lock_person(tx, OTHER)

    async with db.transaction() as tx:
        await lock_person(tx, ONE)
        waiting = asyncio.ensure_future(decide())
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
    await waiting


async def test_many_who_decide_about_one_person_by_different_names_all_come_to_it(db: Database) -> None:
    """Whichever name they know: their locks are taken in one order."""

    async def decide(name: UUID) -> None:
        async with db.transaction() as tx:
            assert await lock_person(tx, name) == [ONE, OTHER]
            await groups_of(tx, [name])

    for _ in range(20):
        await asyncio.gather(*(decide(name) for name in (ONE, OTHER, ONE, OTHER)))
