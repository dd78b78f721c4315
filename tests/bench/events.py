"""The paths of events: relay and projector in this process, against the same one at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import asyncpg

from cases.service import service as cases
from chassis import ids
from chassis.app import App
from chassis.clock import Clock
from chassis.db.schema import OUTBOX
from chassis.events.envelope import headers
from chassis.events.nats import Connection, connect
from chassis.events.provision import provision
from chassis.events.registry import subject_of
from chassis.inbox import consumer as consuming
from chassis.inbox.consumer import Consumer
from chassis.inbox.subscription import BATCH
from chassis.outbox import publisher as publishing
from chassis.outbox.relay import Relay
from chassis.service import Service
from customer.service import service as customer
from rapport.cases.v1 import cases_events_pb2
from rapport_testing.tokens import ISSUER
from tests.bench.platform import Platform, measured_here
from tests.bench.result import FASTER, Result, median_and_spread

ROUNDS = 3
RELAYED, RELAYED_SINGLY = 20_000, 3_000
PROJECTED, PROJECTED_SINGLY = 3_000, 300
RESOURCES = 2_000
CUSTOMERS = 500
COLUMNS = [column.name for column in OUTBOX.columns if column.name != "published_at"]
_UNPUBLISHED = "SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"
_APPLIED = "SELECT count(*) FROM inbox"


async def relay(platform: Platform) -> list[Result]:
    """Outbox rows to acknowledged publications."""
    async with embedded(platform, cases) as (app, connection, admin):

        async def rate(in_flight: int, count: int) -> float:
            rows = [[row[column] for column in COLUMNS] for row in outbox_rows(count)]
            await admin.copy_records_to_table(OUTBOX.name, records=rows, columns=COLUMNS)

            async def is_done() -> bool:
                return not await admin.fetchval(_UNPUBLISHED)

            with patch.object(publishing, "IN_FLIGHT", in_flight):
                began = time.perf_counter()
                running = asyncio.create_task(Relay(app.db, connection).run())
                await _until(is_done)
                took_s = time.perf_counter() - began
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return count / took_s

        return [
            await _compared(
                "relay, against publishing one by one",
                lambda: rate(1, RELAYED_SINGLY),
                lambda: rate(publishing.IN_FLIGHT, RELAYED),
                (4.0, 6.0),
            )
        ]


async def projector(platform: Platform) -> list[Result]:
    """Events in the stream to committed customer views."""
    async with embedded(platform, customer) as (app, connection, admin):
        (subscription,) = (each for each in app.subscriptions if each.source == "cases")

        async def rate(batch: int, count: int) -> float:
            await publish(connection, outbox_rows(count), "cases")
            target = await admin.fetchval(_APPLIED) + count

            async def is_done() -> bool:
                return bool(await admin.fetchval(_APPLIED) >= target)

            consumer = Consumer(app.db, connection, subscription)
            with patch.object(consuming, "BATCH", batch):
                began = time.perf_counter()
                running = asyncio.create_task(consumer.run())
                await _until(is_done)
                took_s = time.perf_counter() - began
            consumer.stop_fetching()
            await running
            return count / took_s

        return [
            await _compared(
                "projector, against one transaction per message",
                lambda: rate(1, PROJECTED_SINGLY),
                lambda: rate(BATCH, PROJECTED),
                (10.0, 15.0),
            )
        ]


async def _compared(
    path: str, baseline: Callable[[], Any], measured: Callable[[], Any], bounds: tuple[float, float]
) -> Result:
    ratios, rates = [], []
    with measured_here():
        for _ in range(ROUNDS):
            one_by_one = await baseline()
            rates.append(await measured())
            ratios.append(rates[-1] / one_by_one)
    middle, spread = median_and_spread(ratios)
    return Result(path, middle, FASTER, *bounds, f"{spread}; {sorted(rates)[ROUNDS // 2]:.0f} events/s")


async def _until(is_done: Callable[[], Awaitable[bool]]) -> None:
    while not await is_done():  # noqa: ASYNC110 - PostgreSQL has no event to wait for
        await asyncio.sleep(0.01)


@asynccontextmanager
async def embedded(
    platform: Platform, service: Service[Any]
) -> AsyncIterator[tuple[App[Any], Connection, Any]]:
    """A service's composition in this process, connected, with none of its parts running."""
    servers = platform.infrastructure
    url = await servers.fresh_database(service.name, service.migrations)
    await provision(servers.nats_url, service.declaration())
    settings = service.settings(
        database_url=url,
        nats_url=servers.nats_url,
        jwks_url=platform.issuer.jwks_url,
        issuer=ISSUER,
        peers=dict.fromkeys(service.calls, "127.0.0.1:1"),  # never called
    )
    app = service.app(settings, Clock())
    await app.db.open()
    connection = await connect(servers.nats_url, service.name)
    admin: Any = await asyncpg.connect(url)
    try:
        yield app, connection, admin
    finally:
        await admin.close()
        await connection.close()
        await app.db.close()


def outbox_rows(count: int) -> list[dict[str, Any]]:
    """Outbox rows of the cases service, for many resources of many customers."""
    now = Clock().now()
    cases_of = [uuid4() for _ in range(RESOURCES)]
    customers = [UUID(int=n) for n in range(CUSTOMERS)]
    return [_row(n, cases_of[n % RESOURCES], customers[n % CUSTOMERS], now) for n in range(count)]


def _row(n: int, case_id: UUID, customer_id: UUID, now: Any) -> dict[str, Any]:
    name = f"cases/{case_id}"
    fact = cases_events_pb2.CaseOpened(
        case=name, customer=f"customers/{customer_id}", topic="delivery", owner="agents/alice"
    )
    return {
        "id": ids.uuid7(now),
        "shard": n % RESOURCES % 16,
        "subject": subject_of(cases_events_pb2.CaseOpened),
        "type": fact.DESCRIPTOR.full_name,
        "resource": name,
        "resource_version": 1 + n // RESOURCES,
        "data": fact.SerializeToString(),
        "time": now,
        "actor": "agent:alice",
        "correlation_id": str(case_id),
        "causation_id": case_id,
        "traceparent": "",
        "transaction_id": None,
    }


async def publish(connection: Connection, rows: Sequence[Mapping[str, Any]], source: str) -> None:
    """Have a service tell events, some at once."""
    limit = asyncio.Semaphore(publishing.IN_FLIGHT)

    async def tell(row: Mapping[str, Any]) -> None:
        async with limit:
            await connection.js.publish(row["subject"], row["data"], headers=headers(row, source))

    await asyncio.gather(*(tell(row) for row in rows))
