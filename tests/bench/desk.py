"""The desk: what a page of a customer costs, and what it costs that many people watch."""

import asyncio
import random
import re
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from cases.service import service as cases
from chassis.clock import Clock
from chassis.service import Service
from customer.service import service as customer
from desk.auth.gate import Gate
from desk.auth.renewal import Tokens
from desk.service import service as desk
from loyalty.service import service as loyalty
from notifications.service import service as notifications
from rapport.customer.v1 import timeline_service_pb2
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport_testing.engines.ports import free_port
from tests.bench import seed
from tests.bench.calls import ROUNDS, echo_of
from tests.bench.platform import Platform, Started
from tests.bench.result import ECHOES, KB, MS, Result, median_and_spread, percentile

SERVICES: Sequence[Service[Any]] = (customer, cases, loyalty, notifications)
PAGES, WARM_PAGES = 40, 10
MANY = 10_000
VIEWERS, PEOPLE = 100, 10
CHANGES = 100
PAUSE_S = (0.05, 0.15)  # between two changes
IDLE_S = 10.0
AGAIN_S = 1.0


@dataclass(frozen=True)
class Desk:
    """A desk on the measured core before four services on the other, and the cookies of who is signed in."""

    started: Started
    services: dict[str, Started]
    url: str
    people: Sequence[dict[str, str]]

    def client(self, person: int = 0) -> httpx.AsyncClient:
        """A browser of theirs."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.people[person].items())
        return httpx.AsyncClient(
            base_url=self.url, headers={"cookie": cookies}, trust_env=False, timeout=None,
            limits=httpx.Limits(max_connections=None),
        )  # fmt: skip

    def memory_kb(self) -> float:
        """What the desk's process holds."""
        with open(f"/proc/{self.started.process_id}/status") as status:
            return float(re.findall(r"VmRSS:\s+(\d+)", status.read())[0])


@asynccontextmanager
async def _desk(platform: Platform) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        begun = await asyncio.gather(*(platform.service(each, core=1) for each in SERVICES))
        services = {each.name: one for each, one in zip(SERVICES, begun, strict=True)}
        port = free_port()
        peers = {name: each.address for name, each in services.items()} | {"desk": "127.0.0.1:9"}
        started = await platform.service(desk, peers=peers, RAPPORT_WEB_PORT=str(port))
        settings = desk.settings(
            database_url=started.database_url,
            nats_url=platform.infrastructure.nats_url,
            jwks_url=platform.issuer.jwks_url,
            issuer="test",
            peers=peers,
            web_port=port,
        )
        app = desk.app(settings, Clock())
        await app.db.open()
        stack.push_async_callback(app.db.close)
        gate, people = Gate(app), []
        for number in range(PEOPLE):
            token = platform.issuer.token(f"agent:alice-{number}", lifetime_s=3600)
            begun = await gate.sessions.begin(Tokens(token), "Alice")
            people.append({gate.jar.session: begun.session, gate.jar.form: begun.form})
        yield Desk(started, services, f"http://127.0.0.1:{port}", people)


async def page(platform: Platform) -> list[Result]:
    """The page of a customer, asked for one after the other."""
    async with _desk(platform) as made:
        name = await seed.customer_of_everything(platform, made.services)
        return await _pages(platform, made, name, "customer page")


async def much(platform: Platform) -> list[Result]:
    """The same of a customer with ten thousand promises, purchases and contacts."""
    async with _desk(platform) as made:
        name = await seed.customer_of_everything(platform, made.services, MANY)
        return await _pages(platform, made, name, f"customer page, {MANY} of everything")


async def _pages(platform: Platform, made: Desk, name: str, path: str) -> list[Result]:
    echo = echo_of(platform)
    took_ms: list[float] = []
    ratios, cpu_ms = [], []
    async with made.client() as browser:
        size = late = 0
        for number in range(ROUNDS * PAGES + WARM_PAGES):
            if number >= WARM_PAGES and (number - WARM_PAGES) % PAGES == 0:
                floor_us = (await echo.measured()).cpu_us
                before = made.started.cpu_s()
            began = time.perf_counter()
            answer = await browser.get(f"/{name}")
            if number < WARM_PAGES:
                continue
            took_ms.append((time.perf_counter() - began) * 1000)
            size = len(answer.content)
            answer.raise_for_status()
            late += any(f"{each.name.capitalize()} does not answer" in answer.text for each in SERVICES)
            if (number - WARM_PAGES) % PAGES == PAGES - 1:
                cpu_ms.append((made.started.cpu_s() - before) * 1000 / PAGES)
                ratios.append(cpu_ms[-1] * 1000 / floor_us)
    middle, spread = median_and_spread(ratios)
    note = f"{spread}; {statistics.median(cpu_ms):.1f} ms CPU each, {size / 1024:.0f} KB"
    return [
        Result(f"{path}: the desk's CPU", middle, ECHOES, note=note),
        Result(f"{path}: p50", percentile(took_ms, 50), MS),
        Result(f"{path}: p95", percentile(took_ms, 95), MS, note=f"{late} of {len(took_ms)} lacked a part"),
    ]


async def viewers(platform: Platform) -> list[Result]:
    """A hundred people watch a hundred customers, who change; from a change's commit to its event."""
    async with _desk(platform) as made:
        names = [await seed.customer(platform, made.services["customer"]) for _ in range(VIEWERS)]
        clients = [made.client(person) for person in range(PEOPLE)]
        answer = await clients[0].get(f"/{names[0]}")
        answer.raise_for_status()
        before_kb = made.memory_kb()
        readers = [_Reader() for _ in names]
        reading = [
            asyncio.create_task(reader.read(clients[number % PEOPLE], name))
            for number, (reader, name) in enumerate(zip(readers, names, strict=True))
        ]
        try:
            await asyncio.gather(*(reader.began.wait() for reader in readers))
            used = made.started.cpu_s()
            await asyncio.sleep(IDLE_S)
            idle_ms = (made.started.cpu_s() - used) * 1000 / IDLE_S / VIEWERS
            used, took_ms = made.started.cpu_s(), []
            timeline = platform.stub(TimelineServiceStub, made.services["customer"].address)
            for _ in range(CHANGES):
                await asyncio.sleep(random.uniform(*PAUSE_S))
                number = random.randrange(VIEWERS)
                took_ms.append(_told(platform, timeline, readers[number], names[number]))
                took_ms[-1] = asyncio.create_task(took_ms[-1])
            took_ms = [each * 1000 for each in await asyncio.gather(*took_ms)]
            change_ms = (made.started.cpu_s() - used) * 1000 / CHANGES
            held_kb = (made.memory_kb() - before_kb) / VIEWERS
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
            for client in clients:
                await client.aclose()
    path = f"{VIEWERS} viewers of changing customers"
    cost = f"{change_ms:.1f} ms of the desk's CPU a change; idle, each viewer {idle_ms:.2f} ms a second"
    return [
        Result(f"{path}: change to event, p50", percentile(took_ms, 50), MS, note=cost),
        Result(f"{path}: change to event, p95", percentile(took_ms, 95), MS),
        Result(f"{path}: memory for each", held_kb, KB),
    ]


class _Reader:
    """Reads a stream, and knows when it told of what."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.waits: dict[str, asyncio.Future[float]] = {}

    async def read(self, browser: httpx.AsyncClient, name: str) -> None:
        """Until cancelled; again and again, as a browser does."""
        while True:
            async with browser.stream("GET", f"/live?customer={name}") as answer:
                async for line in answer.aiter_lines():
                    if line.startswith('data: {"customer"'):
                        self._hear(line)
            await asyncio.sleep(AGAIN_S)

    def _hear(self, line: str) -> None:
        self.began.set()
        for mark in [each for each in self.waits if each in line]:
            self.waits.pop(mark).set_result(time.perf_counter())


async def _told(platform: Platform, timeline: Any, reader: _Reader, name: str) -> float:
    """Seconds from the answer to a change until the reader's event has it."""
    mark = uuid4().hex
    heard = reader.waits[mark] = asyncio.get_running_loop().create_future()
    request: timeline_service_pb2.RecordInteractionRequest = seed.interaction(name)
    request.timeline_entry.summary = mark
    await timeline.RecordInteraction(request, timeout=10, metadata=platform.identity)
    began = time.perf_counter()
    return max(0.0, await asyncio.wait_for(heard, 30) - began)
