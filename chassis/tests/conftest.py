"""A database and a broker without a whole service around them, for testing what services are made of."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chassis.clock import Clock
from chassis.context import Call, Principal, current_call
from chassis.db.database import Database
from chassis.events.facts import FactCodec
from chassis.events.nats import Connection, connect
from chassis.events.provision import Declaration, provision
from rapport.cases.v1 import cases_events_pb2
from rapport_testing.infrastructure import Infrastructure

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
        await infrastructure.drop_database(url)


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
