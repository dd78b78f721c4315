"""What `rapport doctor` says of events that a service could not apply."""

from chassis.cli.dead_letters import _unmark
from chassis.cli.doctor import _set_aside
from chassis.events.dead_letters import DeadLetter
from chassis.testing.wait import eventually

PARKED = """
    INSERT INTO parked (event_id, consumer, state, source, subject, type, resource, customer, headers, data,
                        attempts, error, reason, parked_at, due_at)
    SELECT gen_random_uuid(), 'loyalty-cases', $1, 'cases', '', '', '', '', '{}', '', 3, $2, '', now(), now()
    FROM generate_series(1, $3)
"""


async def said(db):
    return [found async for found in _set_aside({"RAPPORT_LOYALTY_DATABASE_URL": db._url}, "loyalty")]


async def test_parked_and_dead_events_and_those_of_a_newer_release_are_named_with_what_to_do(database):
    db = await database("loyalty")
    assert await said(db) == []
    async with db.connection() as connection:
        for state, error, count in (("PARKED", "Aborted", 3), ("DEAD", "Malformed", 1), ("PARKED", "", 2)):
            await connection.execute(PARKED, state, error, count)

    found = await eventually(lambda: said(db))

    assert [finding.what for finding in found] == [
        "1 events of loyalty-cases are dead (Malformed).",
        "2 events of loyalty-cases are of types that loyalty does not know.",
        "3 events of loyalty-cases are parked (Aborted).",
    ]
    assert all(finding.do for finding in found)


async def test_a_dead_letter_that_is_dropped_is_no_longer_said_to_be_missing(database):
    db = await database("loyalty")
    async with db.connection() as connection:
        await connection.execute(PARKED, "DEAD", "Malformed", 2)
        [kept, dropped] = await connection.fetch("SELECT event_id FROM parked")

        await _unmark(db._url, letter(str(dropped["event_id"])))

        assert await connection.fetch("SELECT event_id FROM parked") == [kept]


def letter(event_id):
    return DeadLetter(1, "loyalty-cases", "", event_id, "", "", "Malformed", "", 1, {}, b"")
