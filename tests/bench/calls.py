"""The paths of one RPC: how many calls a second, as a ratio to ECHO in the same minute."""

import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
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
from tests.bench.load import WARM_UP_S, Call, rate
from tests.bench.platform import EMPTY, Platform, Started
from tests.bench.result import OF_ECHO, TIMES, Result, median_and_spread

ROUNDS = 3
SECONDS = 2
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

    async def rate(self) -> tuple[float, float]:
        """Calls per second, and microseconds of the server's processor time for each."""
        before = self.service.cpu_s()
        answered = await rate(self.call, SECONDS)
        cpu_us = (self.service.cpu_s() - before) * 1e6 / (answered * (SECONDS + WARM_UP_S))
        self.service.require_answers(self.call.method)
        return answered, cpu_us

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


Prepare = Callable[[Platform], Awaitable[Target]]


def ratio_to_echo(
    path: str, prepare: Prepare, floor: float | None = None, aim: float | None = None
) -> Callable[[Platform], Awaitable[list[Result]]]:
    """A benchmark: ECHO and the path take turns."""

    async def run(platform: Platform) -> list[Result]:
        target, echo = (
            await prepare(platform),
            Target(Call(platform.echo.address, floor_call.METHOD), platform.echo),
        )
        ratios, rates, cpu_us = [], [], []
        for _ in range(ROUNDS):
            floor_rate, _ = await echo.rate()
            answered, used_us = await target.rate()
            await target.settled()
            ratios.append(answered / floor_rate)
            rates.append(answered)
            cpu_us.append(used_us)
        middle, spread = median_and_spread(ratios)
        note = f"{spread}; {statistics.median(rates):.0f}/s, {statistics.median(cpu_us):.0f} us CPU each"
        return [Result(path, middle, OF_ECHO, floor, aim, f"{note}; {target.note}" if target.note else note)]

    return run


async def empty_rpc(platform: Platform) -> Target:
    """The interceptor stack alone."""
    service = await platform.process(EMPTY, platform.environment("loyalty"))
    body = empty.REQUEST.SerializeToString()
    return Target(Call(service.address, empty.METHOD, body, platform.token), service)


async def cached_view(platform: Platform) -> Target:
    """A view from memory."""
    return await _view(platform)


async def stored_view(platform: Platform) -> Target:
    """A view from PostgreSQL."""
    return await _view(platform, "uncached")


async def _view(platform: Platform, *variations: str) -> Target:
    service = await platform.service(customer, *variations)
    name, size = await seed.customer_with_view(platform, service)
    request = view_service_pb2.GetCustomerViewRequest(name=f"{name}/view")
    call = Call(service.address, f"{_VIEWS}/GetCustomerView", request.SerializeToString(), platform.token)
    return Target(call, service, f"{size / 1024:.1f} KB")


async def read_by_key(platform: Platform) -> Target:
    """One row by its primary key."""
    service = await platform.service(cases, "unpublished")
    stub = platform.stub(CaseServiceStub, service.address)
    opened = await stub.OpenCase(_opening(), timeout=10, metadata=platform.identity)
    body = case_service_pb2.GetCaseRequest(name=opened.name).SerializeToString()
    return Target(Call(service.address, f"{_CASES}/GetCase", body, platform.token), service)


def write(*variations: str, settles: bool = False) -> Prepare:
    """A row, its fact and its audit row, committed for each call."""

    async def prepare(platform: Platform) -> Target:
        service = await platform.service(cases, *variations)
        body = _opening().SerializeToString()
        call = Call(service.address, f"{_CASES}/OpenCase", body, platform.token)
        return Target(call, service, settles=settles)

    return prepare


def ingest(*variations: str, settles: bool = False) -> Prepare:
    """The same, committed for all calls that came during the last commit."""

    async def prepare(platform: Platform) -> Target:
        service = await platform.service(customer, *variations)
        body = seed.interaction(await seed.customer(platform, service)).SerializeToString()
        call = Call(service.address, f"{_TIMELINE}/RecordInteraction", body, platform.token)
        return Target(call, service, settles=settles)

    return prepare


def search(query: str) -> Prepare:
    """What a person types in the box of the desk, of 100,000 customers."""

    async def prepare(platform: Platform) -> Target:
        service = await platform.service(customer)
        await seed.customers(service, 100_000)
        body = customer_service_pb2.SearchCustomersRequest(query=query).SerializeToString()
        return Target(Call(service.address, f"{_CUSTOMERS}/SearchCustomers", body, platform.token), service)

    return prepare


async def timeline_page(platform: Platform) -> list[Result]:
    """A page of a long timeline against one of a short one."""
    service = await platform.service(customer)
    short, long = [await seed.customer(platform, service) for _ in range(2)]
    await seed.timeline_of(service, [(short, 100), (long, 100_000)])
    targets = []
    for name in (short, long):
        body = timeline_service_pb2.ListTimelineEntriesRequest(parent=name).SerializeToString()
        call = Call(service.address, f"{_TIMELINE}/ListTimelineEntries", body, platform.token)
        targets.append(Target(call, service))
    ratios, pages = [], []
    for _ in range(ROUNDS):
        (of_short, _), (of_long, _) = [await target.rate() for target in targets]
        ratios.append(of_short / of_long)
        pages.append(of_long)
    middle, spread = median_and_spread(ratios)
    note = f"{spread}; {statistics.median(pages):.0f} pages of 50 entries/s"
    return [Result("timeline page: 100,000 entries against 100", middle, TIMES, 1.2, 1.05, note)]


def _opening() -> case_service_pb2.OpenCaseRequest:
    return case_service_pb2.OpenCaseRequest(
        case=case_pb2.Case(
            customer=f"customers/{uuid4()}",
            topic="delivery",
            owner="agents/front-desk",
            display_name="Parcel late",
        )
    )
