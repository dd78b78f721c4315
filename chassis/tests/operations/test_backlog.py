"""What waits in the database is measured, and what no longer waits is no longer told."""

import asyncio
import contextlib

from prometheus_client import REGISTRY

from chassis.operations import store as backlog
from chassis.operations.store import count_backlog, measure
from rapport_testing.wait import eventually

DEAD = {"consumer": "loyalty-cases", "state": "DEAD"}
PARKED = (
    "INSERT INTO parked (event_id, consumer, state, source, subject, type, resource, customer, headers,"
    " data, attempts, error, reason, parked_at, due_at) VALUES (gen_random_uuid(), 'loyalty-cases', 'DEAD',"
    " '', '', '', '', '', '{}', '', 1, '', '', now() - interval '1 hour', now())"
)
TIMER = (
    "INSERT INTO timers (id, kind, key, due_at, correlation_id, causation_id, traceparent)"
    " VALUES (gen_random_uuid(), 'k', '1', now() - interval '2 hours', '', gen_random_uuid(), '')"
)


async def test_what_is_set_aside_and_what_is_overdue_are_told(database):
    db = await database("loyalty")
    async with db.connection() as connection:
        await connection.execute(PARKED)
        await connection.execute(TIMER)
    await count_backlog(db)
    value = REGISTRY.get_sample_value
    assert value("rapport_events_set_aside", DEAD) == 1
    assert 3600 <= value("rapport_events_set_aside_oldest_seconds", DEAD) < 7000
    assert value("rapport_timers_overdue") == 1
    assert value("rapport_timers_late_seconds") >= 7200
    async with db.connection() as connection:
        await connection.execute("DELETE FROM parked")
        await connection.execute("DELETE FROM timers")
    await count_backlog(db)
    assert value("rapport_events_set_aside", DEAD) is None
    assert (value("rapport_timers_overdue"), value("rapport_timers_late_seconds")) == (0, 0)


async def test_a_measurement_that_fails_costs_the_others_nothing(monkeypatch):
    monkeypatch.setattr(backlog, "EVERY_S", 0)
    measured = []

    async def fails():
        raise ConnectionError

    async def works():
        measured.append(1)
        await asyncio.sleep(0)

    measuring = asyncio.create_task(measure([fails, works]))
    await eventually(lambda: len(measured) > 1)
    measuring.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await measuring
