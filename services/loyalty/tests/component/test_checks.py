"""The walk that checks the ledger, and what is found when somebody has changed it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from chassis.db.statement import Statement
from chassis.work.timers import TimerRunner
from loyalty.domain.seals import FaultKind
from loyalty.store.seals import GET_CHECKS, SEALS
from loyalty.usecases import checks
from rapport.loyalty.v1.ledger_service_pb2 import CheckLedgerRequest, ListJournalEntriesRequest
from rapport_testing.clock import ManualClock
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.running import Running, refused

pytestmark = pytest.mark.together

MAIN = "programs/main"
ISSUED, REDEEMED = f"{MAIN}/accounts/points-issued", f"{MAIN}/accounts/points-redeemed"


async def walk(running: Running, clock: ManualClock) -> dict[str, int]:
    """What a walk found that began after this: one may be under way, that the service itself began."""
    runner = TimerRunner(running.db, {checks.CHECKS_TIMER: checks.check_ledger})
    for _ in range(2):
        clock.advance(checks.PAUSE)
        while True:
            await runner.fire()
            checked = await GET_CHECKS.one(running.db)
            if checked.finish_time == clock.now():
                break
            await asyncio.sleep(0)
    return checked.faults


async def verified(desk: Any, size: int = 1000) -> tuple[list[tuple[str, int, int]], int]:
    """What is wrong, and how many entries there are."""
    faults, count, token = [], 0, ""
    while True:
        page = await desk.ledger.CheckLedger(CheckLedgerRequest(page_size=size, page_token=token))
        assert page.entry_count <= size
        faults += [(each.account, each.version, each.kind) for each in page.faults]
        count, token = count + page.entry_count, page.next_page_token
        if not token:
            return faults, count


async def busy(desk: Any) -> list[str]:
    members = [await desk.member(100) for _ in range(3)]
    for n in range(4):
        await desk.ledger.PostTransfer(desk.transfer((members[0], -1), (members[1], -1), (REDEEMED, 2)))
        await desk.ledger.PostTransfer(desk.posting(members[2], REDEEMED, n + 1))
    return members


async def falsify(infrastructure: Infrastructure, running: Running, sql: str, *args: Any) -> None:
    """As somebody does who may do anything."""
    async with infrastructure.superuser(running.db._url) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(sql, *args)


async def test_of_a_ledger_that_is_right_every_entry_is_sealed_and_nothing_found(
    running: Running, desk: Any, clock: ManualClock
) -> None:
    await busy(desk)
    assert await walk(running, clock) == {}
    entries = (3 + 8) * 2 + 4
    assert len(await Statement[Any](SEALS.select()).all(running.db)) == entries
    for size in (1, 7, 1000):
        assert await verified(desk, size) == ([], entries)
    await busy(desk)
    assert await walk(running, clock) == {}
    assert await verified(desk, 5) == ([], 2 * entries)
    await checks.tell_checks(running.db)
    for kind in FaultKind:
        assert REGISTRY.get_sample_value("rapport_ledger_faults", {"kind": kind.lower()}) == 0
    assert REGISTRY.get_sample_value("rapport_ledger_checked_seconds") == 0


ONE = "account_id = (SELECT id FROM accounts WHERE name = $1) AND version = $2"
CHANGES = {
    f"UPDATE entries SET leg = leg + 5 WHERE {ONE}": [(3, "SEAL")],
    f"UPDATE entries SET amount = amount + 1 WHERE {ONE}": [(3, "ENTRY"), (3, "SEAL")],
    f"UPDATE transfers SET reason_code = 'x' WHERE id = (SELECT transfer_id FROM entries WHERE {ONE})": [
        (3, "SEAL")
    ],
    f"UPDATE transfers SET post_time = post_time + interval '1 microsecond'"
    f" WHERE id = (SELECT transfer_id FROM entries WHERE {ONE})": [
        (3, "SEAL"),
        (4, "ENTRY"),
    ],
    f"DELETE FROM entries WHERE {ONE}": [(4, "ENTRY"), (4, "SEAL")],
    f"DELETE FROM seals WHERE {ONE}": [(4, "SEAL")],
    f"UPDATE seals SET hash = set_byte(hash, 31, get_byte(hash, 31) # 1) WHERE {ONE}": [
        (3, "SEAL"),
        (4, "SEAL"),
    ],
}


@pytest.mark.parametrize("sql", CHANGES)
async def test_what_was_changed_is_named(
    running: Running, desk: Any, clock: ManualClock, infrastructure: Infrastructure, sql: str
) -> None:
    member = (await busy(desk))[2]
    await walk(running, clock)
    await falsify(infrastructure, running, sql, member, 3)
    for size in (2, 1000):
        faults, _ = await verified(desk, size)
        named = [
            (version, list(FaultKind)[kind - 1]) for account, version, kind in faults if account == member
        ]
        assert named == [(version, FaultKind[kind]) for version, kind in CHANGES[sql]]
    await _mend(infrastructure, running)


async def _mend(infrastructure: Infrastructure, running: Running) -> None:
    """Forget the whole ledger: the sums that a fixture proves after each test would not hold."""
    await falsify(
        infrastructure,
        running,
        "DELETE FROM entries; DELETE FROM transfers; DELETE FROM seals;"
        " UPDATE accounts SET balance = 0, version = 0",
    )


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE accounts SET balance = balance + 1 WHERE name = $1", {"BALANCE": 1, "UNIT": 1}),
        ("UPDATE accounts SET version = version + 1 WHERE name = $1", {"BALANCE": 1}),
        (
            "UPDATE entries SET balance = balance + 1 WHERE version = 5"
            " AND account_id = (SELECT id FROM accounts WHERE name = $1)",
            {"BALANCE": 1, "ENTRY": 1},
        ),
    ],
)
async def test_what_does_not_add_up_is_counted_with_each_walk_until_it_is_mended(
    running: Running,
    desk: Any,
    clock: ManualClock,
    infrastructure: Infrastructure,
    sql: str,
    found: dict[str, int],
) -> None:
    member = (await busy(desk))[2]
    await falsify(infrastructure, running, sql, member)
    assert await walk(running, clock) == found
    await checks.tell_checks(running.db)
    for kind in FaultKind:
        told = REGISTRY.get_sample_value("rapport_ledger_faults", {"kind": kind.lower()})
        assert told == found.get(kind, 0)
    assert await walk(running, clock) == found
    await _mend(infrastructure, running)


async def test_a_walk_goes_on_where_it_was(
    running: Running, desk: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHUNK", 3)
    monkeypatch.setattr(checks, "LINES", 4)
    await busy(desk)
    assert await walk(running, clock) == {}
    assert len(await Statement[Any](SEALS.select()).all(running.db)) == 26


async def test_the_journal_has_every_entry_once_and_each_transfer_adds_up(
    desk: Any, clock: ManualClock
) -> None:
    await busy(desk)
    clock.advance(timedelta(seconds=29))
    assert not (await desk.ledger.ListJournalEntries(ListJournalEntriesRequest())).journal_entries
    clock.advance(timedelta(seconds=2))
    entries, token = [], ""
    while True:
        request = ListJournalEntriesRequest(page_size=5, page_token=token)
        page = await desk.ledger.ListJournalEntries(request)
        entries += page.journal_entries
        token = page.next_page_token
        if not token:
            break
    sums: dict[str, int] = {}
    for each in entries:
        sums[each.entry.transfer] = sums.get(each.entry.transfer, 0) + each.entry.amount
    assert (len(entries), len(sums)) == (26, 11)
    assert set(sums.values()) == {0}
    assert {each.account for each in entries} > {ISSUED, REDEEMED}


async def test_the_journal_of_a_time_begins_with_its_start_and_ends_before_its_end(
    desk: Any, clock: ManualClock
) -> None:
    begin, member = clock.now(), await desk.member(9)
    clock.advance(timedelta(hours=2))
    between = clock.now()
    await desk.ledger.PostTransfer(desk.posting(member, REDEEMED, 1))
    clock.advance(-timedelta(minutes=30))  # a replica whose clock is late: its transfer is posted after that
    await desk.ledger.PostTransfer(desk.posting(member, REDEEMED, 2))
    clock.advance(timedelta(hours=1))

    async def amounts(**span: datetime) -> list[int]:
        told = await desk.ledger.ListJournalEntries(ListJournalEntriesRequest(**span))
        return sorted(each.entry.amount for each in told.journal_entries if each.entry.amount > 0)

    tick = timedelta(microseconds=1)
    assert await amounts() == [1, 2, 9]
    assert await amounts(start_time=between) == [1, 2]
    assert await amounts(end_time=between) == [9]
    assert await amounts(start_time=begin, end_time=between + tick) == [1, 2, 9]
    assert await amounts(start_time=between + tick) == []
    assert await amounts(start_time=between, end_time=between) == []
    first, last = datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)
    assert await amounts(start_time=first, end_time=last) == [1, 2, 9]
    assert await amounts(end_time=first + tick) == await amounts(start_time=last) == []
    wrong = ListJournalEntriesRequest(start_time=between, end_time=begin)
    assert await refused(desk.ledger.ListJournalEntries(wrong)) == "INVALID_TIME"
