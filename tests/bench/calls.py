"""The paths of one RPC: the processor time of a call, as a ratio to ECHO's in the same round."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg

from cases.service import service as cases
from customer.service import service as customer
from rapport.cases.v1 import case_pb2, case_service_pb2
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.customer.v1 import customer_service_pb2, timeline_service_pb2, view_service_pb2
from rapport_testing.wait import eventually
from tests.bench import echo as floor_call
from tests.bench import empty, seed
from tests.bench.load import CONNECTIONS, Call, drive
from tests.bench.platform import EMPTY, Platform, Started, stalled_s
from tests.bench.result import CPU, OF_ECHO, Result, quartiles

ROUNDS, MOST_ROUNDS = 7, 10
CALLS, WARM_UP, PAGES = 4000, 1000, 1000
THINGS = ROUNDS * CONNECTIONS  # of which each round has others: one alone would flatter what is kept
FILLED = 0.9  # of the time: a server that waits for its clients costs more by the call
AGREE = 0.10  # how far the ratios of processor time and of rates may be apart
_CUSTOMERS = "/rapport.customer.v1.CustomerService"
_CASES = "/rapport.cases.v1.CaseService"
_VIEWS = "/rapport.customer.v1.ViewService"
_TIMELINE = "/rapport.customer.v1.TimelineService"
_UNSETTLED = "SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL)"


@dataclass(frozen=True)
class Target:
    """A call to measure, and who answers it."""

    call: Call
    service: Started
    note: str = ""
    settles: bool = False  # what the calls set off must be over before the next measurement

    async def measured(self, turn: int = 0, count: int = CALLS) -> "Measured":
        """What so many calls cost."""
        before, busy_s, began = self.service.cpu_s(), self.service.busy_s(), time.monotonic()
        rate = await drive(self.call, count, turn)
        took_s, cpu_s = time.monotonic() - began, self.service.cpu_s() - before
        filled = (self.service.busy_s() - busy_s) / took_s
        self.service.require_answers(self.call.method)
        await self.settled()
        return Measured(cpu_s * 1e6 / count, rate, filled)

    async def settled(self) -> None:
        """Wait until everything is published."""
        if not self.settles:
            return
        connection: Any = await asyncpg.connect(self.service.database_url)
        try:

            async def is_published() -> bool:
                return not await connection.fetchval(_UNSETTLED)

            await eventually(is_published, 60)
        finally:
            await connection.close()


class Measured(NamedTuple):
    """Microseconds of the server's processor time for a call, calls per second, and how full its core was."""

    cpu_us: float
    rate: float
    filled: float


Prepare = Callable[[Platform], Awaitable[Target]]


def echo_of(platform: Platform) -> Target:
    """The call that does nothing, with the headers of all others."""
    return Target(Call(platform.echo.address, floor_call.METHOD, token=platform.token), platform.echo)


def ratio_to_echo(
    path: str, prepare: Prepare, floor: float | None = None, aim: float | None = None
) -> Callable[[Platform], Awaitable[list[Result]]]:
    """A benchmark: ECHO and the path take turns, and the path as another checkout has it, if there is one."""

    async def run(platform: Platform) -> list[Result]:
        targets = [echo_of(platform), await prepare(platform)]
        if platform.against is not None:
            targets.append(await prepare(platform.against))
        for target in targets:
            await target.measured(count=WARM_UP)
        began = time.monotonic(), stalled_s()
        rounds: list[list[Measured]] = []
        for turn in range(MOST_ROUNDS):
            order = targets if turn % 2 else targets[::-1]
            by_target = {id(target): await target.measured(turn) for target in order}
            found = [by_target[id(target)] for target in targets]
            if found[0].filled >= FILLED:
                rounds.append(found)
            if len(rounds) == ROUNDS:
                break
        pressure = (stalled_s() - began[1]) / (time.monotonic() - began[0])
        return _results(path, targets[1].note, rounds, (floor, aim), pressure)

    return run


def _results(
    path: str,
    note: str,
    rounds: Sequence[Sequence[Measured]],
    bounds: tuple[float | None, float | None],
    pressure: float,
) -> list[Result]:
    if not rounds:
        return [Result(path, None, OF_ECHO, *bounds, "ECHO never filled its core", busy=True)]
    low, middle, high = quartiles([echo.cpu_us / ours.cpu_us for echo, ours, *_ in rounds])
    by_rate = quartiles([ours.rate / echo.rate for echo, ours, *_ in rounds])[1]
    echo_us, ours_us = [quartiles([found[i].cpu_us for found in rounds])[1] for i in range(2)]
    busy = len(rounds) < ROUNDS or abs(by_rate / middle - 1) > AGREE
    told = (
        f"{low:.2f} to {high:.2f}; {ours_us:.0f} us each, ECHO {echo_us:.0f}; "
        f"{by_rate:.2f} by rates; load {os.getloadavg()[0]:.0f}, pressure {pressure:.0%}"
    )
    results = [Result(path, middle, OF_ECHO, *bounds, f"{told}; {note}" if note else told, busy)]
    if len(rounds[0]) > 2:
        low, middle, high = quartiles([ours.cpu_us / theirs.cpu_us for _, ours, theirs in rounds])
        results.append(Result(f"{path}, against that", middle, CPU, note=f"{low:.2f} to {high:.2f}"))
    return results


async def empty_rpc(platform: Platform) -> Target:
    """The interceptor stack alone."""
    service = await platform.process(EMPTY, platform.environment("loyalty"))
    bodies = [empty.request().SerializeToString() for _ in range(THINGS)]
    return Target(Call(service.address, empty.METHOD, bodies, platform.token), service)


async def cached_view(platform: Platform) -> Target:
    """Views from memory."""
    return await _view(platform)


async def stored_view(platform: Platform) -> Target:
    """Views from PostgreSQL."""
    return await _view(platform, "uncached")


async def _view(platform: Platform, *variations: str) -> Target:
    service = await platform.service(customer, *variations)
    made = await asyncio.gather(*(seed.customer_with_view(platform, service) for _ in range(THINGS)))
    requests = [view_service_pb2.GetCustomerViewRequest(name=f"{name}/view") for name, _ in made]
    bodies = [each.SerializeToString() for each in requests]
    call = Call(service.address, f"{_VIEWS}/GetCustomerView", bodies, platform.token)
    return Target(call, service, f"{made[0][1] / 1024:.1f} KB")


async def read_by_key(platform: Platform) -> Target:
    """One row by its primary key."""
    service = await platform.service(cases, "unpublished")
    stub = platform.stub(CaseServiceStub, service.address)
    bodies = []
    for _ in range(THINGS):
        opened = await stub.OpenCase(_opening(), timeout=10, metadata=platform.identity)
        bodies.append(case_service_pb2.GetCaseRequest(name=opened.name).SerializeToString())
    return Target(Call(service.address, f"{_CASES}/GetCase", bodies, platform.token), service)


def write(*variations: str, settles: bool = False) -> Prepare:
    """A row, its fact and its audit row, committed for each call."""

    async def prepare(platform: Platform) -> Target:
        service = await platform.service(cases, *variations)
        bodies = [_opening().SerializeToString() for _ in range(THINGS)]
        call = Call(service.address, f"{_CASES}/OpenCase", bodies, platform.token)
        return Target(call, service, settles=settles)

    return prepare


def ingest(*variations: str, settles: bool = False) -> Prepare:
    """The same, committed for all calls that came during the last commit."""

    async def prepare(platform: Platform) -> Target:
        service = await platform.service(customer, *variations)
        names = [await seed.customer(platform, service) for _ in range(THINGS)]
        bodies = [seed.interaction(name).SerializeToString() for name in names]
        call = Call(service.address, f"{_TIMELINE}/RecordInteraction", bodies, platform.token)
        return Target(call, service, settles=settles)

    return prepare


def search(query: str) -> Prepare:
    """What a person types in the box of the desk, of 100,000 customers."""

    async def prepare(platform: Platform) -> Target:
        service = await platform.service(customer)
        await seed.customers(service, 100_000)
        body = customer_service_pb2.SearchCustomersRequest(query=query).SerializeToString()
        return Target(Call(service.address, f"{_CUSTOMERS}/SearchCustomers", [body], platform.token), service)

    return prepare


async def timeline_page(platform: Platform) -> list[Result]:
    """A page of a long timeline against one of a short one."""
    service = await platform.service(customer)
    short, long = [await seed.customer(platform, service) for _ in range(2)]
    await seed.timeline_of(service, [(short, 100), (long, 100_000)])
    targets = []
    for name in (short, long):
        body = timeline_service_pb2.ListTimelineEntriesRequest(parent=name).SerializeToString()
        call = Call(service.address, f"{_TIMELINE}/ListTimelineEntries", [body], platform.token)
        targets.append(Target(call, service))
        await targets[-1].measured(count=WARM_UP)
    rounds = [[await target.measured(turn, PAGES) for target in targets] for turn in range(ROUNDS)]
    low, middle, high = quartiles([of_long.cpu_us / of_short.cpu_us for of_short, of_long in rounds])
    pages_us = quartiles([of_long.cpu_us for _, of_long in rounds])[1]
    note = f"{low:.2f} to {high:.2f}; {pages_us:.0f} us for a page of 50 entries"
    return [Result("timeline page: 100,000 entries against 100", middle, CPU, 1.1, 1.0, note)]


def _opening() -> case_service_pb2.OpenCaseRequest:
    return case_service_pb2.OpenCaseRequest(
        case=case_pb2.Case(
            customer=f"customers/{uuid4()}",
            topic="delivery",
            owner="agents/front-desk",
            display_name="Parcel late",
        )
    )
