"""Reading one's writes: what a token waits for, what it does not wait for, and what waiting costs."""

import asyncio
from datetime import timedelta
from secrets import randbits
from uuid import UUID

import pytest

from chassis import ids
from chassis.context import Call, Principal, current_call
from chassis.errors import Refusal, Unavailable
from chassis.inbox import arrivals
from chassis.inbox.arrivals import WAITING_MAX, WAITING_OF_A_CALLER, Arrivals
from chassis.inbox.subscription import Subscription
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport_testing.wait import eventually

OPENED = "rapport.cases.v1.CaseOpened"
INBOX = """
    INSERT INTO inbox (event_id, consumer, source, type, resource, time, actor, correlation_id, causation_id,
                       traceparent, transaction_id)
    VALUES ($1, 'loyalty-view', 'cases', $2, 'cases/1', now(), '', '', $1, '', $3)
"""
PARKED = """
    INSERT INTO parked (event_id, consumer, state, source, subject, type, resource, customer, transaction_id,
                        headers, data, attempts, error, reason, parked_at, due_at)
    VALUES ($1, 'loyalty-view', $2, 'cases', '', $3, '', '', $4, '{}', '', 3, '', $5, now(), now())
"""


class Reader:
    """A service that projects the facts of `cases`, and what it has of them."""

    def __init__(self, db, clock):
        self.db = db
        self.clock = clock
        subscription = Subscription.of_batches("loyalty-view", "cases", [CaseOpened], None)
        self.arrivals = Arrivals(db, {"cases": subscription})

    def event(self, **ago):
        at = ids.floor(self.clock.now() - timedelta(**ago))
        return UUID(int=at.int | randbits(60))

    async def apply(self, event_id, transaction_id=None):
        async with self.db.connection() as connection:
            await connection.execute(INBOX, event_id, OPENED, transaction_id)

    async def set_aside(self, event_id, state, transaction_id=None, reason=""):
        async with self.db.connection() as connection:
            await connection.execute(PARKED, event_id, state, OPENED, transaction_id, reason)

    async def wait(self, token, timeout_s=5.0, caller="agent:alice"):
        current_call.set(Call("test", Principal(caller)))
        await self.arrivals.wait(token, "consistency_token", timeout_s)

    async def refused(self, token, timeout_s=5.0, caller="agent:alice"):
        with pytest.raises(Refusal) as refusal:
            await self.wait(token, timeout_s, caller)
        return refusal.value.reason


@pytest.fixture
async def reader(database, clock):
    return Reader(await database("loyalty", clock), clock)


async def test_a_write_is_there_when_all_of_its_facts_are(reader):
    first, second = reader.event(), reader.event()
    waiting = asyncio.create_task(reader.wait(f"cases:v1.CaseOpened={first},v1.CaseOpened={second}"))
    await reader.apply(second)
    assert await reader.refused(f"cases:{first},{second}", 0.2) == "VIEW_BEHIND"
    assert not waiting.done()
    await reader.apply(first)
    await waiting


async def test_facts_counted_under_their_transaction_are_there_when_as_many_are(reader):
    transaction = reader.event()
    token = f"cases:v1.CaseOpened*2@{transaction}"
    await reader.apply(reader.event(), transaction)
    assert await reader.refused(token, 0.2) == "VIEW_BEHIND"
    await reader.apply(reader.event(), transaction)
    await reader.wait(token)


async def test_types_that_this_release_does_not_subscribe_to_are_not_waited_for(reader):
    await reader.wait(f"cases:v1.SomethingNew={reader.event()},v1.Other*30@{reader.event()}", 0)
    await reader.apply(known := reader.event())
    await reader.wait(f"cases:v1.SomethingNew={reader.event()},v1.CaseOpened={known}")


@pytest.mark.parametrize("state", ["PARKED", "DEAD"])
async def test_a_fact_set_aside_is_said_at_once(reader, state):
    event, transaction = reader.event(), reader.event()
    await reader.set_aside(event, state, transaction)
    assert await reader.refused(f"cases:{event}", 60) == "WRITE_SET_ASIDE"
    assert await reader.refused(f"cases:v1.CaseOpened*30@{transaction}", 60) == "WRITE_SET_ASIDE"


async def test_a_fact_that_met_a_lock_is_waited_for(reader):
    event, transaction = reader.event(), reader.event()
    await reader.set_aside(event, "PARKED", transaction, "LOCK_TIMEOUT")
    assert await reader.refused(f"cases:{event}", 0.2) == "VIEW_BEHIND"
    assert await reader.refused(f"cases:v1.CaseOpened*1@{transaction}", 0.2) == "VIEW_BEHIND"
    waiting = asyncio.create_task(reader.wait(f"cases:{event}"))
    await reader.apply(event)
    await waiting


async def test_a_write_of_some_time_ago_is_looked_up_and_not_waited_for(reader):
    event = reader.event(minutes=6)
    assert await reader.refused(f"cases:{event}", 60) == "VIEW_BEHIND"
    await reader.apply(event)
    await reader.wait(f"cases:{event}")


async def test_a_token_older_than_the_inbox_has_expired(reader):
    assert await reader.refused(f"cases:{reader.event(days=31)}") == "CONSISTENCY_TOKEN_EXPIRED"


async def test_a_token_of_the_future_or_of_another_source_is_none(reader):
    assert await reader.refused(f"cases:{reader.event(days=-3650)}") == "INVALID_CONSISTENCY_TOKEN"
    assert await reader.refused(f"billing:{reader.event()}") == "INVALID_CONSISTENCY_TOKEN"


async def test_however_many_wait_the_database_is_asked_one_question_at_a_time(reader, monkeypatch):
    asked, at_once = [], []

    class Counted:
        async def all(self, on, **params):
            at_once.append(True)
            asked.append(len(at_once))
            rows = await found.all(on, **params)
            at_once.pop()
            return rows

    found = arrivals._FOUND
    monkeypatch.setattr(arrivals, "_FOUND", Counted())
    events = [reader.event() for _ in range(WAITING_MAX)]
    waiting = [
        asyncio.create_task(reader.wait(f"cases:{event}", 30, f"agent:{n // WAITING_OF_A_CALLER}"))
        for n, event in enumerate(events)
    ]
    for event in events:
        await reader.apply(event)
        reader.arrivals.moved()
    await asyncio.gather(*waiting)
    assert set(asked) == {1}
    assert len(asked) < WAITING_MAX


async def test_a_caller_waits_for_so_many_writes_and_others_wait_for_theirs(reader):
    never = f"cases:{reader.event()}"
    waiting = [asyncio.create_task(reader.wait(never, 60)) for _ in range(WAITING_OF_A_CALLER)]
    await eventually(lambda: len(reader.arrivals._waiting) == WAITING_OF_A_CALLER)
    assert await reader.refused(never) == "OVERLOADED"
    await reader.apply(event := reader.event())
    await reader.wait(f"cases:{event}", caller="agent:bob")
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    await reader.wait(f"cases:{event}")


async def test_when_the_database_cannot_answer_everybody_is_told(reader, monkeypatch):
    class Away:
        async def all(self, on, **params):
            raise Unavailable("DATABASE_UNAVAILABLE", "away")

    monkeypatch.setattr(arrivals, "_FOUND", Away())
    tokens = [f"cases:{reader.event()}" for _ in range(3)]
    reasons = await asyncio.gather(*[reader.refused(token) for token in tokens])
    assert set(reasons) == {"DATABASE_UNAVAILABLE"}
