"""A hot row, a poisoned member of a shared commit, one customer's 10,000 promises: nobody else is refused.

How much slower everybody else gets is printed; it should be within twice.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import pytest

from chassis.api.messages import timestamp
from rapport.cases.v1 import promise_pb2, promise_service_pb2
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import timeline_pb2, timeline_service_pb2
from tests.chaos.desk import Desk, quantiles
from tests.e2e.stack import Stack

pytestmark = pytest.mark.chaos

OTHERS, NEIGHBOURS = 6, 6
PAUSE_S = 0.02  # between two acts of one: the machine is not full, so that what is slow waits for something
MEASURED_S = 8.0
BATCHES, BATCH = 10, 1000

Work = Callable[[Desk, str, int], Awaitable[None]]


async def hot_row(desk: Desk, customer: str, number: int) -> None:
    """All add to the value of one customer."""
    await desk.purchase(f"hot-{number}", customer)


async def poisoned_member(desk: Desk, _: str, number: int) -> None:
    """All want to share a commit with others, and cannot be committed: there is no such customer."""
    request = timeline_service_pb2.RecordInteractionRequest(
        parent=f"customers/{uuid4()}",
        timeline_entry=timeline_pb2.TimelineEntry(
            channel=channel_pb2.CHANNEL_VOICE,
            direction=channel_pb2.DIRECTION_INBOUND,
            topic=f"poison-{number}",
        ),
        request_id=str(uuid4()),
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.timeline.RecordInteraction(request)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def ten_thousand_promises(desk: Desk, customer: str, number: int) -> None:
    """The first makes them; all look at the view of whom they were made to."""
    if number < BATCHES:
        due = timestamp(datetime.now(UTC) + timedelta(days=30))
        promises = [
            promise_pb2.Promise(
                customer=customer,
                department="departments/delivery",
                kind="delivery",
                reference=f"many-{number}-{n}",
                due_time=due,
            )
            for n in range(BATCH)
        ]
        requests = [promise_service_pb2.MakePromiseRequest(promise=promise) for promise in promises]
        batch = promise_service_pb2.BatchMakePromisesRequest(requests=requests)
        await desk.act("many promises", f"many-{number}", desk.promises.BatchMakePromises, batch)
    await desk.look(customer)


@asynccontextmanager
async def at_work(work: Work, desk: Desk, customers: list[str]) -> AsyncIterator[None]:
    """Several do something again and again. What fails fails the block."""
    numbers = iter(range(10**9))

    async def repeat(customer: str) -> None:
        while True:
            await work(desk, customer, next(numbers))
            await asyncio.sleep(PAUSE_S)

    tasks = [asyncio.create_task(repeat(customer)) for customer in customers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def others(desk: Desk, customer: str, number: int) -> None:
    """What everybody else does: look, note, sell."""
    mark = f"other-{uuid4().hex[:12]}-{number}"
    await desk.look(customer)
    await desk.contact(mark, customer)
    await desk.purchase(mark, customer)


@pytest.mark.parametrize("neighbour", [hot_row, poisoned_member, ten_thousand_promises])
async def test_a_neighbour_refuses_nobody_else(replicated: Stack, desk: Desk, neighbour: Work) -> None:
    busy = Desk(desk.peers, desk.token)
    mark = uuid4().hex[:8]
    customers = [await desk.customer(f"other-{mark}-{n}") for n in range(OTHERS)]
    target = await busy.customer(f"neighbour-{mark}")
    desk.took_s.clear()
    async with at_work(others, desk, customers):
        await asyncio.sleep(MEASURED_S)
        before = desk.took_s[:]
        async with at_work(neighbour, busy, [target] * NEIGHBOURS):
            await asyncio.sleep(MEASURED_S)
            during = desk.took_s[len(before) :]
    await busy.close()
    print(f"\nothers before: {quantiles(before)}\nothers during: {quantiles(during)}")
    assert before
    assert during
