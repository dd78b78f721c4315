from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from chassis import ids
from chassis.api.actors import what
from chassis.db.maintain import keep
from chassis.db.migrate import migrate
from chassis.errors import InvalidArgument
from chassis.events.envelope import Event
from chassis.explain.chain import Chain, chain
from chassis.work.timers import TimerRunner
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually

MIGRATIONS = Path(__file__).parent.parent / "migrations"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def said(found):
    return [(cause.service, what(cause), cause.resource, cause.actor) for cause in found.causes]


async def test_a_chain_ends_with_the_request_of_a_person(bench):
    db = await bench.database()
    with bench.acting(
        "rapport.cases.v1.WorkItemService/Forecast", traceparent=f"00-{TRACE}-b7ad6b7169203331-01"
    ):
        async with db.transaction() as tx:
            first = tx.record(bench.opened("cases/1"), version=1)
            tx.record(bench.opened("cases/2"), version=1, caused_by=first)

    found = await chain(db, resource="cases/2")

    assert said(found) == [
        ("services/cases", "rapport.cases.v1.CaseOpened", "cases/2", "agents/alice"),
        ("services/cases", "rapport.cases.v1.CaseOpened", "cases/1", "agents/alice"),
        ("services/cases", "rapport.cases.v1.WorkItemService/Forecast", "", "agents/alice"),
    ]
    assert {cause.trace_id for cause in found.causes} == {TRACE}
    assert found.continues is None


async def test_a_chain_ends_with_the_clock(bench):
    db = await bench.database(clock=ManualClock(NOON))

    async def open_case(tx, timer):
        tx.record(bench.opened("cases/1"), version=1)

    with bench.acting():
        async with db.transaction() as tx:
            await tx.schedule("promise-due", "1", NOON)
    await TimerRunner(db, {"promise-due": open_case}).fire()

    found = await chain(db, resource="cases/1")

    assert said(found) == [
        ("services/cases", "rapport.cases.v1.CaseOpened", "cases/1", "services/cases"),
        ("services/cases", "promise-due", "", "services/cases"),
    ]


async def test_a_chain_goes_on_in_the_service_that_published_the_cause(bench):
    cases, loyalty = await bench.database(), await bench.database("loyalty")

    async def grant(tx, event: Event[CaseOpened]) -> None:
        tx.record(bench.opened("goodwill/1"), version=1)

    await bench.relay(cases)
    await bench.consume(loyalty, grant)
    [event_id] = await bench.open(cases, "cases/1")

    async def granted():
        return (await chain(loyalty, resource="goodwill/1")).causes

    await eventually(granted)
    here = await chain(loyalty, resource="goodwill/1")
    assert said(here) == [
        ("services/loyalty", "rapport.cases.v1.CaseOpened", "goodwill/1", "services/loyalty")
    ]
    assert (here.continues.source, here.continues.resource) == ("cases", "cases/1")
    assert here.continues.event_id == event_id
    assert here.continues.cause.actor == "agents/alice"

    there = await chain(cases, event_id=here.continues.event_id)
    assert [what(cause) for cause in there.causes] == ["rapport.cases.v1.CaseOpened", "Test/Record"]


async def test_the_latest_fact_about_a_resource_is_explained(bench):
    db = await bench.database()
    await bench.open(db, "cases/1", version=1)
    [latest] = await bench.open(db, "cases/1", version=2)

    assert (await chain(db, resource="cases/1")).causes[0].id == str(latest)


async def test_what_is_unknown_has_no_causes(bench):
    db = await bench.database()

    found = await chain(db, resource="cases/unknown")

    assert (found.causes, found.continues) == ([], None)


async def test_an_event_explains_the_resource_that_it_is_about_and_no_other(bench):
    db = await bench.database()
    with bench.acting():
        async with db.transaction() as tx:
            of_one = tx.record(bench.opened("cases/1"), version=1)
            tx.record(bench.opened("cases/2"), version=1)
            request = tx.id

    assert said(await chain(db, resource="cases/1", event_id=of_one))
    for event_id in (of_one, request):
        with pytest.raises(InvalidArgument) as caught:
            await chain(db, resource="cases/2", event_id=event_id)
        assert [violation.reason for violation in caught.value.violations] == ["EVENT_OF_OTHER_RESOURCE"]
    assert said(await chain(db, resource="cases/2", event_id=uuid4())) == []


@pytest.fixture
def partition(infrastructure):
    """Makes a partition of the past, of which nobody but the owner decides."""

    async def make(db, table, first, past):
        async with infrastructure.superuser(db._url) as connection:
            await connection.execute("SET ROLE sample_owner")
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table}_{first:%Y%m%d} PARTITION OF {table}"
                f" FOR VALUES FROM ('{ids.floor(first)}') TO ('{ids.floor(past)}')"
            )

    return make


def midnight(days):
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


async def tables(db, name):
    async with db.connection() as connection:
        return await connection.fetchval(f"SELECT count(*) FROM {name}")


async def record(bench, db, monkeypatch):
    """Two facts about one thing, which another one led to, and an event that led to that."""
    monkeypatch.setattr(ids, "_last", 0)  # this process has made later ids
    at = db.clock.now()
    event = ids.uuid7(at)
    values = "$1, 'cases-orders', 'orders', 'o.Placed', 'orders/1', $2, 'agent:bob', 'c', $1, ''"
    async with db.connection() as connection:
        await connection.execute(f"INSERT INTO inbox VALUES ({values})", event, at)
    with bench.acting(cause_id=event):
        async with db.transaction() as tx:
            first = tx.record(bench.opened("cases/1"), version=1)
            tx.record(bench.opened("cases/2"), version=1, caused_by=first)
            tx.record(bench.opened("cases/2"), version=2, caused_by=first)
    async with db.connection() as connection:
        await connection.execute("UPDATE outbox SET published_at = $1", at)


@pytest.mark.parametrize(("days", "lasts"), [(15, True), (31, True), (120, True), (395, True), (440, False)])
@pytest.mark.parametrize("in_partitions", [True, False])
async def test_a_chain_is_found_long_after_outbox_and_inbox_have_let_go(
    bench, partition, monkeypatch, days, lasts, in_partitions
):
    db = await bench.database(clock=ManualClock(midnight(days) + timedelta(hours=9)))
    if in_partitions:  # else it lies in those that take what has none
        for table in ("outbox", "inbox"):
            await partition(db, table, midnight(days), midnight(days - 1))
        month = midnight(days).replace(day=1)
        await partition(db, "causes", month, (month + timedelta(days=31)).replace(day=1))
    await record(bench, db, monkeypatch)
    before = await chain(db, resource="cases/2")
    assert [each[2] for each in said(before)] == ["cases/2", "cases/1"]
    db.clock.advance(datetime.now(UTC) - db.clock.now())

    await keep(db)
    await keep(db)  # what was copied may itself be past its keeping

    assert await tables(db, "outbox") == 0
    assert await tables(db, "inbox") == (1 if days < 31 else 0)
    after = await chain(db, resource="cases/2")
    assert after == (before if lasts else Chain([], None))
    assert (after.continues is not None) == lasts


async def ignore(tx, event: Event[CaseOpened]) -> None:
    pass


@pytest.mark.parametrize("days", [1, 15, 31])
async def test_what_a_service_heard_of_itself_is_explained_as_its_own_fact_however_old(
    bench, monkeypatch, days
):
    db = await bench.database(clock=ManualClock(midnight(days) + timedelta(hours=9)))
    monkeypatch.setattr(ids, "_last", 0)
    await bench.relay(db)
    await bench.consume(db, ignore, durable="cases-view-cases")
    await bench.open(db, "cases/1", version=1)
    await eventually(lambda: tables(db, "inbox"))
    await eventually(lambda: tables(db, "outbox WHERE published_at IS NOT NULL"))
    before = await chain(db, resource="cases/1", version=1)
    assert [what(cause) for cause in before.causes] == ["rapport.cases.v1.CaseOpened", "Test/Record"]
    await bench.stop()
    db.clock.advance(datetime.now(UTC) - db.clock.now())

    await keep(db)

    assert await chain(db, resource="cases/1", version=1) == before


async def test_how_long_causes_are_kept_is_for_the_owner_to_say(bench, infrastructure, monkeypatch):
    db = await bench.database(clock=ManualClock(midnight(120)))
    await record(bench, db, monkeypatch)
    db.clock.advance(datetime.now(UTC) - db.clock.now())
    await keep(db)
    assert await tables(db, "causes") == 4

    url = infrastructure.database_url(urlsplit(db._url).path[1:])
    await migrate(url, MIGRATIONS, "sample", {"causes": 100})
    await keep(db)

    assert await tables(db, "causes") == 0
