"""The broker loses what it took: the owner notices, says so, and publishes again what is missing."""

import asyncio
import shutil
from collections import Counter

import pytest

from chassis.events import freshness as freshness_module
from chassis.events import heartbeat as heartbeat_module
from chassis.events.consumer import Consumer
from chassis.events.envelope import Event
from chassis.events.freshness import Freshness, Standing
from chassis.events.heartbeat import Heartbeat
from chassis.events.nats import connect
from chassis.events.provision import Declaration, provision
from chassis.events.relay import Relay
from chassis.events.subscription import Subscription
from chassis.local.nats import Nats
from chassis.testing.wait import eventually
from rapport.cases.v1.cases_events_pb2 import CaseOpened

OPENED = [f"cases/{n}" for n in range(20)]


class Note:
    name, sql = "INSERT notes", "INSERT INTO notes (text) VALUES ($1)"


async def note(tx, event: Event[CaseOpened]) -> None:
    await tx.fetch(Note(), [event.data.case])


class World:
    """`cases` tells, `loyalty` listens; the broker is this test's own, to be stopped and robbed."""

    def __init__(self, bench, nats, cases, loyalty):
        self.bench = bench
        self.nats = nats
        self.cases = cases
        self.loyalty = loyalty
        self.subscription = Subscription.of_handlers("loyalty-cases", "cases", [note])
        self.freshness = Freshness()
        self.said = []
        self.connections = []

    async def provision(self):
        await provision(self.nats.url, Declaration("cases"))
        await provision(self.nats.url, Declaration("loyalty", (self.subscription.declared(),)))

    async def connect(self, name, **options):
        self.connections.append(await connect(self.nats.url, name, **options))
        return self.connections[-1]

    async def start(self):
        await self.provision()
        publishing = await self.connect("cases", pending_size=0)
        self.heartbeat = Heartbeat(self.cases, publishing)
        listening = await self.connect("loyalty")
        await self.freshness.start(listening, [self.subscription])
        for work in (Relay(self.cases, publishing).run, self.heartbeat.run, self.freshness.run):
            self.bench.run(work())
        await eventually(lambda: self.standing() is Standing.FRESH)

    def standing(self):
        return self.freshness.of("cases").standing

    async def watch(self):
        while True:
            self.said.append(self.standing())
            await asyncio.sleep(0.02)

    async def consume(self):
        self.bench.run(Consumer(self.loyalty, await self.connect("loyalty"), self.subscription).run())

    async def published(self):
        async with self.cases.connection() as connection:
            return await connection.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL")

    async def known(self):
        async with self.cases.connection() as connection:
            return await connection.fetchrow("SELECT identity, last_sequence FROM stream")

    async def lose_everything(self):
        await asyncio.to_thread(self.nats.stop)
        shutil.rmtree(self.nats.folder / "jetstream")
        self.nats.start()


@pytest.fixture
async def world(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat_module, "BEAT_EVERY_S", 0.2)
    monkeypatch.setattr(freshness_module, "FRESH_S", 0.5)
    monkeypatch.setattr(freshness_module, "ASK_EVERY_S", 0.1)
    monkeypatch.setattr(freshness_module, "ASK_IDLE_S", 0.2)
    with Nats(tmp_path / "nats") as nats:
        made = World(bench, nats, await bench.database(), await bench.database("loyalty"))
        await made.start()
        yield made
        await bench.stop()
        for connection in made.connections:
            await connection.close()


async def test_what_a_broker_lost_between_publishing_and_consuming_arrives_all_the_same(world, noted):
    await world.bench.open(world.cases, *OPENED)

    async def all_published():
        return await world.published() == len(OPENED)

    await eventually(all_published)
    await eventually(lambda: world.freshness.of("cases").age_s > 1)
    watching = world.bench.run(world.watch())
    before = await world.known()

    await world.lose_everything()
    await eventually(lambda: "no stream CASES" in world.heartbeat.problem, timeout_s=40)
    await eventually(lambda: world.freshness.problems)
    assert world.standing() is Standing.SILENT

    await world.provision()  # with its own identity, as the supervisor or the chart's job does
    await eventually(lambda: world.heartbeat.problem == "", timeout_s=40)
    after = await world.known()
    assert after["identity"] != before["identity"]
    assert after["last_sequence"] == len(OPENED)
    watching.cancel()
    assert Standing.FRESH not in world.said

    await world.consume()

    async def all_noted():
        return len(await noted(world.loyalty)) >= len(OPENED)

    await eventually(all_noted)
    await eventually(lambda: world.standing() is Standing.FRESH)
    assert Counter(await noted(world.loyalty)) == Counter(OPENED)


async def test_what_had_been_applied_before_the_loss_is_not_applied_again(world, noted):
    await world.consume()
    await world.bench.open(world.cases, *OPENED)

    async def all_noted():
        return len(await noted(world.loyalty)) >= len(OPENED)

    await eventually(all_noted)
    await world.lose_everything()
    await eventually(lambda: world.heartbeat.problem != "", timeout_s=40)
    await world.provision()
    await world.bench.open(world.cases, "cases/later")

    async def later():
        return "cases/later" in await noted(world.loyalty)

    await eventually(later, timeout_s=40)
    await eventually(lambda: world.standing() is Standing.FRESH, timeout_s=40)
    assert Counter(await noted(world.loyalty)) == Counter([*OPENED, "cases/later"])


async def test_a_stream_that_ends_before_what_it_acknowledged_has_lost_events(world):
    async with world.cases.connection() as connection:
        await connection.execute("UPDATE stream SET last_sequence = 1000")
    await eventually(lambda: "lost events" in world.heartbeat.problem or world.heartbeat._short)

    async def found_out():
        return (await world.known())["last_sequence"] == 0

    await eventually(found_out)
    await eventually(lambda: world.heartbeat.problem == "")


async def test_a_stream_provisioned_again_is_the_same_stream(world):
    before = await world.known()
    await world.provision()
    await eventually(lambda: world.standing() is Standing.FRESH)
    assert await world.known() == before
