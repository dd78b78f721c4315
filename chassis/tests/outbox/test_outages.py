"""The broker and the database go away and come back; nothing is lost, nothing is applied twice."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from chassis.clock import Clock
from chassis.db.database import Database
from chassis.db.migrate import migrate
from chassis.events.declarations import Declaration
from chassis.events.envelope import Event
from chassis.events.facts import FactCodec
from chassis.events.nats import connect
from chassis.events.provision import provision
from chassis.inbox.consumer import Consumer
from chassis.inbox.subscription import Subscription
from chassis.outbox.relay import Relay
from rapport.cases.v1 import cases_events_pb2
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport_testing.engines.nats import Nats
from rapport_testing.engines.postgres import Postgres, owner_of
from rapport_testing.sql import Sql
from rapport_testing.wait import eventually

MIGRATIONS = Path(__file__).parent.parent / "migrations"


NOTE = Sql("INSERT INTO notes (text) VALUES ($1)")


async def note(tx, event: Event[CaseOpened]) -> None:
    await tx.fetch(NOTE, [event.data.case])


@pytest.fixture
def servers(tmp_path):
    """A pair of servers of this test's own, to be stopped and started."""
    with (
        Postgres(tmp_path / "postgres", options={"fsync": "off"}) as postgres,
        Nats(tmp_path / "nats") as nats,
    ):
        yield postgres, nats


@pytest.fixture
async def pair(servers, acting, opened):
    """`cases` relays, `loyalty` consumes: `await open_case("cases/1")`, `await noted()`, `await dead()`."""
    postgres, nats = servers
    subscription = Subscription.of_handlers("loyalty-cases", "cases", [note])
    databases = []
    for service in ("cases", "loyalty"):
        await postgres.create_database(service)
        await migrate(postgres.url_for(service, owner_of(service)), MIGRATIONS, service)
        db = Database(postgres.url_for(service), service, FactCodec(cases_events_pb2), Clock(), pool_size=8)
        await db.open()
        databases.append(db)
    cases, loyalty = databases
    await provision(nats.url, Declaration("cases"))
    await provision(nats.url, Declaration("loyalty", (subscription.declared(),)))
    connections = [await connect(nats.url, "cases", pending_size=0), await connect(nats.url, "loyalty")]
    work = [Relay(cases, connections[0]).run(), Consumer(loyalty, connections[1], subscription).run()]
    tasks = [asyncio.create_task(each) for each in work]

    async def open_case(case):
        with acting():
            async with cases.transaction() as tx:
                tx.record(opened(case), version=1)

    async def noted():
        async with loyalty.connection() as connection:
            return [row["text"] for row in await connection.fetch("SELECT text FROM notes")]

    async def dead():
        async with loyalty.connection() as connection:
            return await connection.fetch("SELECT * FROM parked WHERE state = 'DEAD'")

    yield open_case, noted, dead
    assert [task for task in tasks if task.done()] == []
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for connection in connections:
        await connection.close()
    for db in databases:
        await db.close()


async def test_a_restart_of_the_broker_loses_nothing(servers, pair):
    _, nats = servers
    open_case, noted, _ = pair
    await open_case("cases/before")
    await eventually(noted)

    await asyncio.to_thread(nats.stop)
    for n in range(20):
        await open_case(f"cases/{n}")
    nats.start()

    async def all_of_them():
        return len(await noted()) >= 21

    await eventually(all_of_them, timeout_s=40)
    assert Counter(await noted()) == Counter(["cases/before", *[f"cases/{n}" for n in range(20)]])


async def test_a_restart_of_the_database_loses_nothing_and_makes_no_dead_letters(servers, pair):
    postgres, _ = servers
    open_case, noted, dead = pair
    written = []

    async def write(count):
        for _ in range(count):
            case = f"cases/{len(written)}"
            try:
                await open_case(case)
            except Exception:
                await asyncio.sleep(0.05)
            else:
                written.append(case)

    await write(20)
    await asyncio.to_thread(postgres.stop)
    await write(3)
    postgres.start()
    while len(written) < 40:
        await write(1)

    async def all_of_them():
        try:
            return set(written) <= set(await noted())
        except Exception:
            return False

    await eventually(all_of_them, timeout_s=40)
    assert max(Counter(await noted()).values()) == 1
    assert await dead() == []
