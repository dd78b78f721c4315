from collections import Counter

from chassis.backoff import Backoff
from chassis.events.declarations import Declaration
from rapport_testing.sql import Sql
from rapport_testing.wait import eventually

NOTE = Sql("INSERT INTO notes (text) SELECT unnest($1::text[])")


class Projection:
    """Writes a row for each event; refuses a batch that holds poison."""

    def __init__(self, poison=()):
        self.poison = set(poison)
        self.batches = []

    async def apply(self, tx, events):
        self.batches.append([event.data.case for event in events])
        if not self.poison.isdisjoint(self.batches[-1]):
            raise ValueError("poison")
        await tx.fetch(NOTE, [self.batches[-1]])


async def test_a_backlog_is_applied_in_few_transactions(bench, noted):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    projection = Projection()
    opened = [f"cases/{n}" for n in range(1000)]
    await bench.open(cases, *opened, together=True)
    await bench.relay(cases)

    async def published():
        async with cases.connection() as connection:
            return await connection.fetchval("SELECT bool_and(published_at IS NOT NULL) FROM outbox")

    await eventually(published)
    await bench.project(loyalty, projection.apply)

    async def all_of_them():
        return len(await noted(loyalty)) == 1000

    await eventually(all_of_them)
    assert Counter(await noted(loyalty)) == Counter(opened)
    assert len(projection.batches) <= 4


async def test_a_batch_keeps_the_order_of_events_about_one_resource(bench):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    versions = []

    async def remember(tx, events):
        versions.extend(event.resource_version for event in events)

    for version in range(1, 51):
        await bench.open(cases, "cases/1", version=version)
    await bench.relay(cases)
    await bench.project(loyalty, remember)

    await eventually(lambda: len(versions) == 50)
    assert versions == list(range(1, 51))


async def test_a_redelivered_batch_is_applied_once(bench, noted, stream):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    projection = Projection()
    await bench.open(cases, "cases/1", "cases/2")
    await bench.relay(cases)
    found = await stream()

    async def both():
        return len(await found.messages()) == 2

    await eventually(both)
    for message in await found.messages():
        headers = {name: value for name, value in message.headers.items() if name != "Nats-Msg-Id"}
        await found.connection.js.publish(message.subject, message.data, headers=headers)
    await bench.project(loyalty, projection.apply)
    await bench.open(cases, "cases/last")

    async def last():
        return "cases/last" in await noted(loyalty)

    await eventually(last)
    assert sorted(await noted(loyalty)) == ["cases/1", "cases/2", "cases/last"]


async def test_poison_in_a_batch_is_left_out_and_the_rest_is_applied(
    bench, noted, infrastructure, monkeypatch
):
    monkeypatch.setattr("chassis.backoff.RETRIES", Backoff(0.01, 0.01))
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    projection = Projection(poison=["cases/13"])
    opened = [f"cases/{n}" for n in range(30)]
    await bench.open(cases, *opened, together=True)
    await bench.relay(cases)
    await bench.project(loyalty, projection.apply)

    [letter] = await eventually(lambda: bench.dead_letters(loyalty))

    assert letter.resource == "cases/13"
    assert sorted(await noted(loyalty)) == sorted(set(opened) - {"cases/13"})


async def test_garbage_in_a_batch_does_not_hold_up_the_rest(bench, noted, infrastructure):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    connection = await bench.broker(Declaration("cases"))
    await connection.js.publish("events.cases.case.opened.v1", b"", headers={"Nats-Msg-Id": "garbage"})
    await bench.open(cases, "cases/1")
    await bench.project(loyalty, Projection().apply)

    await eventually(lambda: noted(loyalty))
    [letter] = await eventually(lambda: bench.dead_letters(loyalty))
    assert (letter.type, letter.error) == ("", "Malformed: without ce-authid")


async def test_applying_a_batch_is_a_trace_of_its_own_linked_to_those_that_published(bench, noted, spans):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    traces = [f"0af7651916cd43dd8448eb211c80319{n}" for n in (1, 2)]
    for n, trace in enumerate(traces):
        with bench.acting(traceparent=f"00-{trace}-b7ad6b7169203331-01"):
            async with cases.transaction() as tx:
                tx.record(bench.opened(f"cases/{n}"), version=1)
    await bench.relay(cases)

    async def published():
        async with cases.connection() as connection:
            return await connection.fetchval("SELECT bool_and(published_at IS NOT NULL) FROM outbox")

    await eventually(published)
    await bench.project(loyalty, Projection().apply)

    await eventually(lambda: noted(loyalty))

    def batches():
        return [
            s for s in spans if s.name == "process cases" and "messaging.batch.message_count" in s.attributes
        ]

    [process] = await eventually(batches)
    assert sorted(f"{link.context.trace_id:032x}" for link in process.links) == traces
    assert process.parent is None
