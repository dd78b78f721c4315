"""Whether the ledger is right: a walk through all accounts, over and over, that seals what it finds right.

A timer walks, a chunk in a transaction: it compares each account with its newest entry, follows the entries
that came since, and seals them. What is wrong is counted, logged by its name and told as a metric, and counts
again with each walk until it is mended.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import structlog
from prometheus_client import Gauge

from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from chassis.telemetry.metrics import Snapshot
from chassis.work.timers import Timer
from loyalty.domain.ledger import Line
from loyalty.domain.seals import Chain, Fault, FaultKind, Seal, faults
from loyalty.store import seals as store
from loyalty.store.lots import WRONG_LOTS

CHECKS_TIMER = "check-ledger"
CHUNK = 500  # accounts in a transaction
LINES = 2000  # and new entries of them
PAUSE = timedelta(minutes=5)  # between two walks
_FIRST = UUID(int=0)
_log = structlog.get_logger()

FAULTS = Snapshot(
    "rapport_ledger_faults",
    "What the last walk through the ledger found wrong: balance, entry, seal, unit, lot. The same in every "
    "replica.",
    ("kind",),
)
CHECKED = Gauge(
    "rapport_ledger_checked_seconds",
    "How long ago the last walk through the ledger ended, or the first began. The same in every replica.",
)


async def expect_checks(db: Database) -> None:
    """Have the walk go on after a start, or begin."""
    with acting(Call("start", service_itself(db.service))):
        async with db.transaction() as tx:
            await store.BEGIN_CHECKS.run(tx, at=tx.now)
            await tx.schedule(CHECKS_TIMER, "", tx.now)


async def tell_checks(db: Database) -> None:
    """Say as metrics what the last walk found, and when."""
    checks = await store.GET_CHECKS.one(db)
    FAULTS.replace({(kind.lower(),): float(checks.faults.get(kind, 0)) for kind in FaultKind})
    CHECKED.set((db.clock.now() - (checks.finish_time or checks.start_time)).total_seconds())


async def check_ledger(tx: Transaction, _: Timer) -> None:
    """Walk on through some accounts; after the last of them look at the whole, and rest."""
    checks = await store.LOCK_CHECKS.one(tx)
    walked = await store.WALK.all(tx, after=checks.cursor or _FIRST, limit=CHUNK)
    found = Counter(checks.found)
    if walked:
        checks.cursor = await _look(tx, walked, checks.cursor or _FIRST, found)
        checks.found = dict(found)
        await tx.schedule(CHECKS_TIMER, "", tx.now)
    else:
        for unit in await store.WRONG_UNITS.all(tx):
            _report(found, FaultKind.UNIT, f"programs/{unit['program_id']}/units/{unit['unit_id']}")
        checks.faults, checks.finish_time = dict(found), tx.now
        checks.cursor, checks.found, checks.start_time = None, {}, tx.now
        await tx.schedule(CHECKS_TIMER, "", tx.now + PAUSE)
    await store.SAVE_CHECKS.run(
        tx,
        at_cursor=checks.cursor,
        so_far=checks.found,
        begun=checks.start_time,
        of_last=checks.faults,
        ended=checks.finish_time,
    )


async def _look(tx: Transaction, walked: Sequence[store.Walked], after: UUID, found: Counter[str]) -> UUID:
    """Compare accounts, and seal what is new of them. Returns the last that is done, at first `after`."""
    room, done = LINES, after
    asked: list[tuple[store.Walked, int]] = []
    for account in walked:
        new = min(account.entry_version - account.sealed, room)
        room -= new
        if new:
            asked.append((account, account.sealed + new))
        if account.sealed + new < account.entry_version:
            break  # the rest of it next time
        if (account.version, account.balance) != (account.entry_version, account.entry_balance):
            _report(found, FaultKind.BALANCE, account.name)
        done = account.id
    for wrong in await WRONG_LOTS.all(tx, ids=[account.id for account in walked if account.id <= done]):
        _report(found, FaultKind.LOT, wrong["name"])
    lines = await store.UNSEALED.all(
        tx,
        account_ids=[account.id for account, _ in asked],
        afters=[account.sealed for account, _ in asked],
        untils=[until for _, until in asked],
    )
    by_account = {key: list(of) for key, of in groupby(lines, key=attrgetter("account_id"))}
    seals: list[Seal] = []
    for account, until in asked:
        new_seals = _sealed(account, by_account.get(account.id, []))
        if account.sealed + len(new_seals) < until:
            _report(found, FaultKind.ENTRY, f"{account.name}/entries/{account.sealed + len(new_seals) + 1}")
            done = max(done, account.id)  # it cannot be followed further
        seals += new_seals
    await store.INSERT_SEALS.rows(tx, seals)
    return done


def _sealed(account: store.Walked, lines: Sequence[Line]) -> list[Seal]:
    """Seals of what follows the last that is sealed, which comes first."""
    chain = Chain()
    if account.sealed:
        if not lines or lines[0].version != account.sealed:
            return []
        last = lines[0]
        chain = Chain(last.version, last.balance, last.post_time, account.hash)
        lines = lines[1:]
    return list(chain.seals(lines))


def _report(found: Counter[str], kind: FaultKind, name: str) -> None:
    found[kind] += 1
    _log.error("the ledger is wrong", kind=str(kind), name=name)


async def verify(
    on: Executor, after: tuple[UUID, int] | None, limit: int
) -> tuple[list[Fault], int, tuple[UUID, int] | None]:
    """Follow entries again and compare each with its seal, `limit` of them, after one of an account.

    Returns what is wrong, how many entries were read, and the last of them; None when there are no more.
    """
    account_id, version = after or (_FIRST, 0)
    lines = await store.SEALED_LINES.all(on, after_account=account_id, after_version=version, limit=limit + 2)
    known = after is not None and bool(lines) and (lines[0].account_id, lines[0].version) == after
    is_end = len(lines) <= limit + known
    lines = lines[: limit + known]
    wrong = list(faults(lines, known, is_end))
    if after and version and not known:
        wrong.insert(0, Fault(account_id, version, FaultKind.ENTRY))
    last = (lines[-1].account_id, lines[-1].version) if lines else None
    return wrong, len(lines) - known, None if is_end else last
