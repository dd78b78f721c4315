"""The broker loses what it took: the owner notices, says so, and publishes again what is missing."""

import asyncio
import shutil
from collections import Counter

import pytest

from chassis.events.declarations import Declaration
from chassis.events.envelope import Event
from chassis.events.nats import connect
from chassis.events.provision import provision
from chassis.inbox import freshness as freshness_module
from chassis.inbox.consumer import Consumer
from chassis.inbox.freshness import Freshness, Standing
from chassis.inbox.subscription import Subscription
from chassis.outbox import heartbeat as heartbeat_module
from chassis.outbox.heartbeat import Heartbeat
from chassis.outbox.publisher import republish
from chassis.outbox.relay import Relay
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport_testing.engines.nats import Nats
from rapport_testing.sql import Sql
from rapport_testing.wait import eventually

OPENED = [f"cases/{n}" for n in range(20)]


NOTE = Sql("INSERT INTO notes (text) VALUES ($1)")


async def note(tx, event: Event[CaseOpened]) -> None:
    await tx.fetch(NOTE, [event.data.case])


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

    async def knows(self, last):
        return (await self.known())["last_sequence"] == last

    async def tell(self, *names):
        """Have these published."""
        before = await self.published()
        await self.bench.open(self.cases, *names, together=True)

        async def all_published():
            return await self.published() == before + len(names)

        await eventually(all_published)

    async def told(self):
        """What the stream holds."""
        js = self.connections[0].js
        state = (await js.stream_info("CASES")).state
        numbers = range(max(1, state.first_seq), state.last_seq + 1)
        return [(await js.get_msg("CASES", seq=n)).headers["ce-subject"] for n in numbers]

    async def lose_everything(self):
        await asyncio.to_thread(self.nats.stop)
        shutil.rmtree(self.nats.folder / "jetstream")
        self.nats.start()

    async def copy_stream(self):
        await asyncio.to_thread(self.nats.stop)
        shutil.copytree(self.nats.folder / "jetstream", self.nats.folder / "copy")
        self.nats.start()

    async def lose_what_came_after_the_copy(self):
        await asyncio.to_thread(self.nats.stop)
        shutil.rmtree(self.nats.folder / "jetstream")
        shutil.move(self.nats.folder / "copy", self.nats.folder / "jetstream")
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


async def test_of_a_stream_that_lost_its_end_only_the_end_is_published_again_by_one_replica(world):
    js = world.connections[0].js
    config = (await js.stream_info("CASES")).config
    await js.update_stream(config.evolve(duplicate_window=0.1))  # so that what is told twice is there twice
    await world.tell(*OPENED[:10])
    async with world.cases.connection() as connection:
        await connection.execute("UPDATE outbox SET published_at = published_at - interval '1 hour'")
        await connection.execute(
            "UPDATE outbox SET published_at = published_at - interval '1 hour' WHERE resource <> $1",
            (last := (await world.told())[-1]),
        )
    await eventually(lambda: world.knows(10))
    await world.copy_stream()
    await world.tell(*OPENED[10:])
    await eventually(lambda: world.knows(20))
    before = await world.known()
    other = Heartbeat(world.cases, await world.connect("cases", pending_size=0))
    world.bench.run(other.run())

    await world.lose_what_came_after_the_copy()
    # Whichever looks first says so; the stream may be mended by it before the other looks.
    both = world.heartbeat, other
    await eventually(lambda: any("lost events" in each.problem for each in both), timeout_s=40)
    await eventually(lambda: [each.problem for each in both] == ["", ""], timeout_s=40)
    await eventually(lambda: world.standing() is Standing.BEHIND)  # nobody consumes; beats are heard again
    assert (await world.known())["identity"] == before["identity"]
    assert Counter(await world.told()) == Counter([*OPENED, last])  # it was published in that time, too


@pytest.mark.parametrize("later", [3, 15])
async def test_what_a_stream_lost_comes_back_although_it_has_grown_since(bench, tmp_path, later):
    with Nats(tmp_path / "nats") as nats:
        world = World(bench, nats, await bench.database(), None)
        await world.provision()
        publishing = await world.connect("cases", pending_size=0)
        heartbeat = Heartbeat(world.cases, publishing)
        await heartbeat._beat()
        bench.run(Relay(world.cases, publishing).run())
        await world.tell(*OPENED[:10])
        await world.copy_stream()
        await world.tell(*OPENED[10:])
        await heartbeat._beat()
        assert await world.knows(20)
        async with world.cases.connection() as connection:
            await connection.execute("UPDATE outbox SET published_at = published_at - interval '1 hour'")

        await world.lose_what_came_after_the_copy()
        new = [f"cases/later-{n}" for n in range(later)]
        await world.tell(*new)
        assert len(await world.told()) == 10 + later

        async def mended():
            await heartbeat._beat()
            return not heartbeat.problem and {*OPENED, *new} == {*await world.told()}

        await eventually(mended)
        await bench.stop()
        await publishing.close()


async def test_what_is_lost_again_while_it_is_published_again_comes_back(bench, monkeypatch):
    world = World(bench, None, await bench.database(), None)
    await bench.relay(world.cases)
    world.connections.append(connection := await bench.broker(Declaration("cases"), pending_size=0))
    heartbeat, losses = Heartbeat(world.cases, connection), []
    await heartbeat._beat()
    await world.tell(*OPENED)

    async def lose():
        losses.append(await connection.js.delete_stream("CASES"))
        await bench.broker(Declaration("cases"))

    async def publish_and_lose(*how):
        count = await republish(*how)
        if len(losses) < 3:
            await lose()
        return count

    monkeypatch.setattr(heartbeat_module, "republish", publish_and_lose)
    await lose()

    async def mended():
        await heartbeat._beat()
        return not heartbeat.problem and Counter(await world.told()) == Counter(OPENED)

    await eventually(mended)
    assert len(losses) == 3


async def test_a_stream_that_grows_while_a_replica_looks_at_it_is_whole(bench, monkeypatch):
    cases = await bench.database()
    await bench.relay(cases)
    connection = await bench.broker(Declaration("cases"), pending_size=0)
    slow, quick = Heartbeat(cases, connection), Heartbeat(cases, await bench.broker(Declaration("cases")))
    ask, asked = connection.js.stream_info, []

    async def published():
        async with cases.connection() as database:
            return await database.fetchval("SELECT bool_and(published_at IS NOT NULL) FROM outbox")

    async def ask_and_wait(name):
        info = await ask(name)
        asked.append(info.state.last_seq)
        await bench.open(cases, f"cases/{len(asked)}")
        await eventually(published)
        await quick._beat()
        return info

    monkeypatch.setattr(connection.js, "stream_info", ask_and_wait)
    for _ in range(3):
        await slow._beat()
    assert (slow._short, slow.problem, asked) == (False, "", [0, 1, 2])
    async with cases.connection() as database:
        assert await database.fetchval("SELECT last_sequence FROM stream") == 3


async def test_a_stream_provisioned_again_is_the_same_stream(world):
    before = await world.known()
    await world.provision()
    await eventually(lambda: world.standing() is Standing.FRESH)
    assert await world.known() == before
