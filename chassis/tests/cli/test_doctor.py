"""What `rapport doctor` says of events that a service could not apply."""

from datetime import UTC, datetime

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


async def said(db, letters=()):
    urls = {"RAPPORT_LOYALTY_DATABASE_URL": db._url}
    return [found async for found in _set_aside(urls, "loyalty", letters)]


async def test_parked_and_dead_events_and_those_of_a_newer_release_are_named_with_what_to_do(database):
    db = await database("loyalty")
    assert await said(db) == []
    async with db.connection() as connection:
        for state, error, count in (("PARKED", "Aborted", 3), ("DEAD", "Malformed", 1), ("PARKED", "", 2)):
            await connection.execute(PARKED, state, error, count)

    found = await eventually(lambda: said(db))

    assert [finding.what for finding in found] == [
        "loyalty-cases gave up on 1 event (Malformed), whose dead letters are lost.",
        "loyalty-cases keeps 2 events of a type that loyalty does not know.",
        "loyalty-cases has set aside 3 events (Aborted).",
    ]
    assert all(finding.do for finding in found)
    assert [finding.what for finding in await said(db, {"loyalty-cases"})] == [
        finding.what for finding in found[1:]
    ]


async def test_a_dead_letter_that_is_dropped_is_no_longer_said_to_be_missing(database):
    db = await database("loyalty")
    async with db.connection() as connection:
        await connection.execute(PARKED, "DEAD", "Malformed", 2)
        [kept, dropped] = await connection.fetch("SELECT event_id FROM parked")

        await _unmark(db._url, letter(str(dropped["event_id"])))

        assert await connection.fetch("SELECT event_id FROM parked") == [kept]


def letter(event_id):
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return DeadLetter(1, "loyalty-cases", "", event_id, "", "", "Malformed", "", 1, at, 1, {}, b"")
