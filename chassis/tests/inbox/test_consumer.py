import asyncio
from collections import Counter, defaultdict
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chassis import ids
from chassis.backoff import Backoff
from chassis.errors import FailedPrecondition, Unavailable
from chassis.events.declarations import Consumption, Declaration
from chassis.events.envelope import Event
from chassis.inbox.subscription import Subscription
from rapport.cases.v1.cases_events_pb2 import CaseOpened, CaseReopened
from rapport_testing.sql import Sql
from rapport_testing.wait import eventually


async def send(connection, stream):
    """Deliver what is in the stream once more, as a broker does that lost an acknowledgement."""
    for message in await stream.messages():
        headers = {name: value for name, value in message.headers.items() if name != "Nats-Msg-Id"}
        await connection.js.publish(message.subject, message.data or b"", headers=headers)


async def test_an_event_takes_effect(bench, noted):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    await bench.consume(loyalty)

    await bench.open(cases, "cases/1", "cases/2")

    async def both():
        return sorted(await noted(loyalty)) == ["cases/1", "cases/2"]

    await eventually(both)


async def test_a_redelivered_event_takes_effect_once(bench, noted, stream):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    consumer = await bench.consume(loyalty)
    await bench.open(cases, "cases/1")
    await eventually(lambda: noted(loyalty))
    connection = await bench.broker(Declaration("cases"))

    for _ in range(3):
        await send(connection, await stream())
    await bench.open(cases, "cases/last")

    async def last():
        return "cases/last" in await noted(loyalty)

    await eventually(last)
    consumer.stop_fetching()
    await consumer.finished(5)
    assert await noted(loyalty) == ["cases/1", "cases/last"]


async def test_two_replicas_share_the_events_and_each_takes_effect_once(bench, noted):
    cases = await bench.database()
    loyalty = await bench.database("loyalty")
    other = await bench.database("loyalty", beside=loyalty)
    await bench.relay(cases)
    await bench.consume(loyalty)
    await bench.consume(other)
    opened = [f"cases/{n}" for n in range(200)]

    await bench.open(cases, *opened, together=True)

    async def all_of_them():
        return len(await noted(loyalty)) >= 200

    await eventually(all_of_them)
    assert Counter(await noted(loyalty)) == Counter(opened)


async def test_events_about_one_resource_are_handled_in_order_and_others_side_by_side(bench):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    versions = defaultdict(list)
    side_by_side = asyncio.Barrier(2)

    async def remember(tx, event: Event[CaseOpened]) -> None:
        if event.resource_version == 1:
            await asyncio.wait_for(side_by_side.wait(), 5)
        versions[event.resource].append(event.resource_version)

    for version in range(1, 11):
        await bench.open(cases, "cases/1", "cases/2", version=version)
    await bench.relay(cases)
    await bench.consume(loyalty, remember)

    await eventually(lambda: len(versions["cases/1"]) == len(versions["cases/2"]) == 10)
    assert versions["cases/1"] == versions["cases/2"] == list(range(1, 11))


async def test_a_crashing_handler_leaves_nothing_behind_and_is_tried_again(bench, noted, monkeypatch):
    monkeypatch.setattr("chassis.backoff.RETRIES", Backoff(0.1, 0.1))
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    inbox = []

    async def crash_once(tx, event: Event[CaseOpened]) -> None:
        await tx.fetch(NOTE, [event.data.case])
        async with loyalty.connection() as connection:
            inbox.append(await connection.fetchval("SELECT count(*) FROM inbox"))
        if len(inbox) == 1:
            raise RuntimeError("once")

    await bench.relay(cases)
    await bench.consume(loyalty, crash_once)
    await bench.open(cases, "cases/1")

    await eventually(lambda: noted(loyalty))
    assert await noted(loyalty) == ["cases/1"]
    assert inbox == [0, 0]


NOTE = Sql("INSERT INTO notes (text) VALUES ($1)")


async def test_poison_goes_to_the_dead_letters_and_the_others_proceed(bench, noted, infrastructure):
    cases, loyalty = await bench.database(), await bench.database("loyalty")

    async def refuse_one(tx, event: Event[CaseOpened]) -> None:
        if event.data.case == "cases/bad":
            raise FailedPrecondition("CASE_UNKNOWN", "private detail")
        await tx.fetch(NOTE, [event.data.case])

    await bench.relay(cases)
    await bench.consume(loyalty, refuse_one)
    [bad, *_] = await bench.open(cases, "cases/bad", "cases/1", "cases/2")

    letters = await eventually(lambda: bench.dead_letters(loyalty))
    [letter] = letters
    assert (letter.consumer, letter.event_id, letter.resource) == ("loyalty-cases", bad, "cases/bad")
    assert (letter.error, letter.reason, letter.attempts) == ("FailedPrecondition", "CASE_UNKNOWN", 1)
    assert "private detail" not in str(letter)

    async def others():
        return sorted(await noted(loyalty)) == ["cases/1", "cases/2"]

    await eventually(others)


@pytest.mark.parametrize("missing", ["ce-id", "ce-subject", "ce-time", "ce-causationid"])
async def test_a_message_that_is_no_event_is_a_dead_letter(bench, noted, infrastructure, stream, missing):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    await bench.open(cases, "cases/1")
    found = await stream()
    [message] = await eventually(found.messages)
    another = message.headers | {"ce-id": str(uuid4())}  # applied, the same would be missing no more
    headers = {n: v for n, v in another.items() if n not in (missing, "Nats-Msg-Id")}
    await found.connection.js.publish(message.subject, message.data, headers=headers)
    await bench.consume(loyalty)

    [letter] = await eventually(lambda: bench.dead_letters(loyalty))

    assert letter.error.startswith("Malformed: ")


async def test_a_body_that_does_not_decode_is_a_dead_letter(bench, infrastructure, stream):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    await bench.open(cases, "cases/1")
    found = await stream()
    [message] = await eventually(found.messages)
    headers = message.headers | {"Nats-Msg-Id": "garbage", "ce-id": "0198c0de-0000-7000-8000-000000000000"}
    await found.connection.js.publish(message.subject, b"\xff\xff\xff", headers=headers)
    await bench.consume(loyalty)

    [letter] = await eventually(lambda: bench.dead_letters(loyalty))

    assert letter.error.startswith("Malformed: ")
    assert letter.data == b"\xff\xff\xff"


async def test_a_bug_is_tried_ten_times_before_its_event_is_a_dead_letter(bench, infrastructure, monkeypatch):
    monkeypatch.setattr("chassis.backoff.RETRIES", Backoff(0.01, 0.01))
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    tries = []

    async def buggy(tx, event: Event[CaseOpened]) -> None:
        tries.append(event.id)
        raise AttributeError("bug")

    await bench.relay(cases)
    await bench.consume(loyalty, buggy)
    await bench.open(cases, "cases/1")

    [letter] = await eventually(lambda: bench.dead_letters(loyalty))

    assert (letter.error, letter.attempts, len(tries)) == ("AttributeError", 10, 10)


async def test_a_mistake_that_looks_like_an_outage_ends_while_the_database_is_well(
    bench, infrastructure, monkeypatch
):
    monkeypatch.setattr("chassis.backoff.RETRIES", Backoff(0.01, 0.01))
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    tries = []

    async def confused(tx, event: Event[CaseOpened]) -> None:
        tries.append(event.id)
        raise ConnectionResetError

    await bench.relay(cases)
    await bench.consume(loyalty, confused)
    await bench.open(cases, "cases/1")

    await eventually(lambda: bench.dead_letters(loyalty))
    assert len(tries) == 10


async def test_a_dependency_that_is_away_for_long_makes_no_dead_letters(
    bench, noted, infrastructure, monkeypatch
):
    monkeypatch.setattr("chassis.backoff.RETRIES", Backoff(0.01, 0.01))
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    tries = []

    async def away(tx, event: Event[CaseOpened]) -> None:
        tries.append(event.id)
        if len(tries) < 25:
            raise Unavailable("PEER_UNAVAILABLE", "away")
        await tx.fetch(NOTE, [event.data.case])

    await bench.relay(cases)
    await bench.consume(loyalty, away)
    await bench.open(cases, "cases/1")

    await eventually(lambda: noted(loyalty))
    assert await bench.dead_letters(loyalty) == []


async def test_events_that_nobody_handles_are_kept_and_hold_up_nobody(bench, noted):
    cases, loyalty = await bench.database(), await bench.database("loyalty")

    async def on_reopened(tx, event: Event[CaseReopened]) -> None:
        await tx.fetch(NOTE, ["reopened"])

    subscription = Subscription.of_handlers("loyalty-cases", "cases", [on_reopened])
    await bench.broker(Declaration("loyalty", (Consumption("loyalty-cases", "cases", ("events.cases.>",)),)))
    await bench.relay(cases)
    consumer = await bench.start_as_provisioned(loyalty, subscription)
    await bench.open(cases, "cases/1")

    connection = await bench.broker(Declaration("cases"))

    async def acknowledged():
        return (await connection.js.consumer_info("CASES", "loyalty-cases")).ack_floor.stream_seq == 1

    await eventually(acknowledged)
    assert await noted(loyalty) == []
    async with loyalty.connection() as session:
        [row] = await session.fetch("SELECT subject, state FROM parked")
    assert (row["subject"], row["state"]) == ("events.cases.case.opened.v1", "PARKED")
    consumer.stop_fetching()


@pytest.mark.parametrize(
    ("name", "value"), [("ce-topic", b"late\0"), ("ce-subject", b"cases/\0"), ("ce-topic", b"late\xff")]
)
async def test_what_no_row_can_hold_as_it_is_becomes_a_dead_letter(bench, noted, stream, name, value):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    await bench.consume(loyalty)
    await bench.open(cases, "cases/1")
    found = await stream()
    [message] = await eventually(found.messages)
    told = {key: text.encode() for key, text in message.headers.items() if key != "Nats-Msg-Id"}
    told |= {
        "ce-id": str(ids.uuid7(datetime.now(UTC))).encode(),
        name: value,
    }  # a client in another language does not look
    block = b"NATS/1.0\r\n" + b"".join(b"%s: %s\r\n" % (k.encode(), v) for k, v in told.items()) + b"\r\n"
    head = f"HPUB {message.subject} {len(block)} {len(block) + len(message.data)}\r\n"
    await found.connection.client._send_command(head.encode() + block + message.data + b"\r\n")
    await found.connection.client.flush()

    [letter] = await eventually(lambda: bench.dead_letters(loyalty))
    assert letter.error.startswith("Malformed: ")

    async def only_the_first():
        return await noted(loyalty) == ["cases/1"]

    await eventually(only_the_first)


async def test_what_a_handler_records_points_back_to_the_event_in_the_same_flow(bench, stream):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    calls = []

    async def look(tx, event: Event[CaseOpened]) -> None:
        calls.append(tx.call)
        tx.record(bench.opened("cases/2"), version=1)

    await bench.relay(cases)
    await bench.consume(loyalty, look)
    [event_id] = await bench.open(cases, "cases/1")

    async def recorded():
        async with loyalty.connection() as connection:
            return await connection.fetch("SELECT * FROM outbox")

    [row] = await eventually(recorded)
    [call] = calls
    assert (call.what, call.principal.subject) == ("loyalty-cases", "service:loyalty")
    assert row["causation_id"] == event_id
    [message] = await (await stream()).messages()
    assert row["correlation_id"] == message.headers["ce-correlationid"]


async def test_handling_continues_the_trace_that_recorded_the_fact(bench, noted, spans):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    await bench.consume(loyalty)
    with bench.acting(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        async with cases.transaction() as tx:
            tx.record(bench.opened("cases/1"), version=1)

    await eventually(lambda: noted(loyalty))
    [process] = await eventually(lambda: [span for span in spans if span.name == "process cases"])
    assert f"{process.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"


async def test_stopping_finishes_what_is_in_hand_and_gives_back_the_rest(bench, noted):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx, event: Event[CaseOpened]) -> None:
        begun.set()
        await go_on.wait()
        await tx.fetch(NOTE, [event.data.case])

    await bench.open(cases, *[f"cases/{n}" for n in range(100)], together=True)
    await bench.relay(cases)
    consumer = await bench.consume(loyalty, slow)
    await asyncio.wait_for(begun.wait(), 5)
    consumer.stop_fetching()
    go_on.set()
    await consumer.finished(10)
    in_hand = len(await noted(loyalty))
    assert 1 <= in_hand < 100

    await bench.consume(loyalty)

    async def the_rest():
        return len(await noted(loyalty)) == 100

    await eventually(the_rest)


async def test_a_missing_consumer_is_waited_for(bench, noted):
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    await bench.relay(cases)
    await bench.consume(loyalty)
    connection = await bench.broker(Declaration("cases"))
    await connection.js.delete_consumer("CASES", "loyalty-cases")
    await bench.open(cases, "cases/1")

    await bench.consume(loyalty)  # provisions it again

    await eventually(lambda: noted(loyalty))
    assert await noted(loyalty) == ["cases/1"]


def test_a_handler_says_which_message_it_wants_by_its_annotation():
    async def on_opened(tx, event: Event[CaseOpened]) -> None: ...

    declared = Subscription.of_handlers("loyalty-cases", "cases", [on_opened]).declared()

    assert declared.subjects == ("events.cases.case.opened.v1",)


def test_two_handlers_for_one_message_are_a_mistake():
    async def on_opened(tx, event: Event[CaseOpened]) -> None: ...

    with pytest.raises(ValueError, match="one handler for each message"):
        Subscription.of_handlers("loyalty-cases", "cases", [on_opened, on_opened])


def test_a_handler_without_the_annotation_is_a_mistake():
    async def on_opened(tx, event) -> None: ...

    with pytest.raises(TypeError, match="on_opened must take"):
        Subscription.of_handlers("loyalty-cases", "cases", [on_opened])
