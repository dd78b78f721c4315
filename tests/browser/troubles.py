"""What operators are there for: events that a consumer gave up on, and calls that failed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from chassis.web import WebServer
from rapport.cases.v1.cases_events_pb2 import PromiseAtRisk
from rapport_testing.engines.ports import free_port
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.wait import eventually
from rapport_tools.local.spans import SpanStore, StoredSpan
from rapport_tools.local.trace_queries import queries
from tests.browser.company import ADMIN, Company

CUSTOMER = "customers/0198c0de-0000-7000-8000-000000000001"
LETTERS = "services/loyalty/consumers/loyalty-promises/deadLetters"
TRACE = "a" * 32


async def give_up(desk: Company, count: int = 1, promise: str = "promises/nonsense") -> list[str]:
    """Have loyalty give up on events, by a name that is none unless another is given; their dead letters."""
    fact = PromiseAtRisk(promise=promise, customer=CUSTOMER, root=promise)
    deliver = desk.services["loyalty"].deliver
    names = [f"{LETTERS}/{await deliver(fact, resource=promise, source='cases')}" for _ in range(count)]

    async def are_dead() -> bool:
        listed = await desk.ask(ADMIN, "GET", f"{LETTERS}?pageSize=1000")
        return set(names) <= {each["name"] for each in listed.get("deadLetters", [])}

    await eventually(are_dead, timeout_s=60)
    return names


@asynccontextmanager
async def traces(infrastructure: Infrastructure, now: datetime, spans: int = 600) -> AsyncIterator[str]:
    """The URL of a trace store: `TRACE` is a call that failed in loyalty, with so many spans."""
    await infrastructure.execute("CREATE DATABASE traces_in_browsers")
    database, port = infrastructure.database_url("traces_in_browsers"), free_port()
    store = await SpanStore.open(database)
    began = now - timedelta(minutes=5)
    inner = [_span(number, 1, began) for number in range(2, spans)]
    await store.add([_span(1, 0, began), *inner, _span(spans, spans - 1, began, failed=True)])
    web = WebServer(queries(store), "127.0.0.1", port)
    serving = asyncio.create_task(web.run())
    yield f"http://127.0.0.1:{port}"
    await web.stop(1)
    serving.cancel()
    await store.close()
    await infrastructure.drop_database(database)


def _span(number: int, parent: int, began: datetime, failed: bool = False) -> StoredSpan:
    about = {"error.type": "INTERNAL", "rapport.resource": [CUSTOMER]}
    return StoredSpan(
        trace_id=TRACE,
        span_id=f"{number:016}",
        parent_id=f"{parent:016}" if parent else "",
        service="loyalty" if failed else "cases",
        name=f"rapport.cases.v1.CaseService/Do{number}",
        started_at=began + timedelta(milliseconds=number),
        duration_ms=620.0 if number == 1 else 5.0,
        failed=failed,
        attributes=about if failed else {},
    )
