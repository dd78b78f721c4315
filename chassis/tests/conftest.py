"""A database and a broker without a whole service around them: `cases` publishes, `loyalty` consumes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.clock import Clock
from chassis.context import Call, Principal, current_call
from chassis.db.database import Database
from chassis.db.schema import PARKED
from chassis.db.statement import Statement
from chassis.events.declarations import Declaration
from chassis.events.envelope import Event
from chassis.events.facts import FactCodec
from chassis.events.nats import Connection, connect
from chassis.events.provision import provision
from chassis.inbox.consumer import Consumer
from chassis.inbox.subscription import Subscription
from chassis.operations.store import REPLAY, DeadLetter
from chassis.outbox.relay import Relay
from rapport.cases.v1 import cases_events_pb2
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.sql import Sql

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """A fact of the cases service."""

    case: str
    customer: str = ""
    topic: str = ""
    owner: str = ""
    open_time: datetime | None = None


@pytest.fixture
async def database(infrastructure: Infrastructure) -> AsyncIterator[Callable[..., Awaitable[Database]]]:
    """Makes a fresh, migrated database that publishes as `cases`: `await database()`.

    With `beside=other`, a second pool on the database of `other`, as another replica has it.
    """
    made: list[Database] = []

    async def make(
        service: str = "cases", clock: Clock | None = None, beside: Database | None = None
    ) -> Database:
        url = beside._url if beside else await infrastructure.fresh_database("sample", MIGRATIONS)
        db = Database(url, service, FactCodec(cases_events_pb2), clock or Clock(), pool_size=8)
        await db.open()
        made.append(db)
        return db

    yield make
    for db in made:
        await db.close()
    for url in {db._url for db in made}:
        infrastructure.leave_database(url)


@pytest.fixture
async def broker(infrastructure: Infrastructure) -> AsyncIterator[Callable[..., Awaitable[Connection]]]:
    """Makes connections to a broker with what was declared: `await broker(Declaration("cases"))`."""
    made: list[Connection] = []

    async def make(declaration: Declaration, **options: Any) -> Connection:
        await provision(infrastructure.nats_url, declaration)
        connection = await connect(infrastructure.nats_url, declaration.service, **options)
        made.append(connection)
        return connection

    yield make
    for connection in made:
        await connection.close()
    await infrastructure.drop_streams()


@pytest.fixture
def opened() -> type[CaseOpened]:
    """A fact to record: `opened("cases/1")`."""
    return CaseOpened


@pytest.fixture
def acting() -> Callable[..., contextlib.AbstractContextManager[None]]:
    """Runs a block as a call: `with acting("rapport.cases.v1.CaseService/OpenCase"):`."""

    @contextlib.contextmanager
    def as_call(what: str = "Test/Record", **fields: Any) -> Any:
        token = current_call.set(Call(what, Principal("agent:alice"), **fields))
        try:
            yield
        finally:
            current_call.reset(token)

    return as_call


DEAD_LETTERS = Statement(
    sa.select(*(PARKED.c[name] for name in DeadLetter.__dataclass_fields__))
    .where(PARKED.c.state == "DEAD")
    .order_by(PARKED.c.parked_at),
    DeadLetter,
)
NOTE = Sql("INSERT INTO notes (text) VALUES ($1)")


async def note(tx: Any, event: Event[cases_events_pb2.CaseOpened]) -> None:
    """The simplest effect: one row for each event."""
    await tx.fetch(NOTE, [event.data.case])


async def notes(db: Database) -> list[str]:
    async with db.connection() as connection:
        return [row["text"] for row in await connection.fetch("SELECT text FROM notes ORDER BY id")]


@dataclass
class Bench:
    """Starts relays and consumers, and stops them after the test."""

    database: Callable[..., Any]
    broker: Callable[..., Any]
    acting: Callable[..., Any]
    opened: Callable[..., Any]
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def open(self, db: Database, *cases: str, version: int = 1, together: bool = False) -> list[Any]:
        """Record that cases were opened: each in its own transaction, or all in one."""
        ids = []
        for group in [cases] if together else [[case] for case in cases]:
            with self.acting():
                async with db.transaction() as tx:
                    ids += [tx.record(self.opened(case), version=version) for case in group]
        return ids

    async def relay(self, db: Database) -> Relay:
        connection = await self.broker(Declaration("cases"), pending_size=0)
        relay = Relay(db, connection)
        self.run(relay.run())
        return relay

    async def consume(self, db: Database, handler: Any = note, durable: str = "loyalty-cases") -> Consumer:
        return await self.start(db, Subscription.of_handlers(durable, "cases", [handler]))

    async def project(self, db: Database, handler: Any, durable: str = "loyalty-view") -> Consumer:
        return await self.start(
            db, Subscription.of_batches(durable, "cases", [cases_events_pb2.CaseOpened], handler)
        )

    async def start(self, db: Database, subscription: Subscription) -> Consumer:
        await self.broker(Declaration(db.service, (subscription.declared(),)))
        return await self.start_as_provisioned(db, subscription)

    async def start_as_provisioned(self, db: Database, subscription: Subscription) -> Consumer:
        consumer = Consumer(db, await self.broker(Declaration(db.service)), subscription)
        self.run(consumer.run())
        return consumer

    def run(self, work: Any) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    async def dead_letters(self, db: Database) -> list[DeadLetter]:
        """What the consumers of a service gave up on, oldest first."""
        return await DEAD_LETTERS.all(db)

    async def replay(self, db: Database, letter: DeadLetter) -> None:
        assert await REPLAY.maybe(db, consumer_id=letter.consumer, id=letter.event_id)

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def bench(database, broker, acting, opened):
    bench = Bench(database, broker, acting, opened)
    yield bench
    await bench.stop()


@pytest.fixture
def noted():
    """What the effects left: `await noted(db)`."""
    return notes


@dataclass
class Stream:
    """Reads a stream as it is, apart from any consumer."""

    connection: Connection
    name: str

    async def messages(self) -> list[Any]:
        info = await self.connection.js.stream_info(self.name)
        state = info.state
        found = []
        for sequence in range(state.first_seq, state.last_seq + 1):
            with contextlib.suppress(Exception):
                found.append(await self.connection.js.get_msg(self.name, sequence))
        return found

    async def resources(self) -> list[str]:
        return [message.headers["ce-subject"] for message in await self.messages()]


@pytest.fixture
def stream(broker):
    async def of(name: str = "CASES") -> Stream:
        return Stream(await broker(Declaration("cases")), name)

    return of
