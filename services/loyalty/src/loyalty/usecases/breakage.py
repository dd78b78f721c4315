"""Posting what nobody came for: once for each month that is over, from what ended to breakage.

What was posted for all months is what had ended by the end of the last of them: a month that was missed, and
what is taken back of what had ended, are made up for by the next.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.work.timers import Timer
from loyalty.domain.breakage import SETTLED, Breakage, Due, month_of
from loyalty.domain.ledger import AccountType, own_account
from loyalty.store.breakage import INSERT_BREAKAGES, POSTED, UNITS
from loyalty.store.ledger import GET_ACCOUNTS
from loyalty.usecases.book import Book
from loyalty.usecases.statements import spans

BREAKAGE_TIMER = "breakage"
LOOK = timedelta(minutes=15)
CHUNK = 50  # units in a transaction
_REASON = "breakage"


async def expect_breakage(db: Database) -> None:
    """Have somebody look for months that are over, from now on."""
    with acting(Call("start", service_itself(db.service))):
        async with db.transaction() as tx:
            await tx.schedule(BREAKAGE_TIMER, "", tx.now)


async def post_breakage(tx: Transaction, _: Timer) -> None:
    """Post the last month of some units; then again, at once when there are more."""
    due = [each for each in await UNITS.all(tx) if _is_due(each, tx.now)]
    for each in due[:CHUNK]:
        await _post(tx, each)
    await tx.schedule(BREAKAGE_TIMER, "", tx.now if len(due) > CHUNK else tx.now + LOOK)


def _is_due(unit: Due, now: datetime) -> bool:
    over = month_of(now - SETTLED, ZoneInfo(unit.time_zone))
    return unit.posted_until is None or unit.posted_until < over


async def _post(tx: Transaction, unit: Due) -> None:
    zone = ZoneInfo(unit.time_zone)
    start, end = (month_of(tx.now - SETTLED, zone, back) for back in (1, 0))
    kinds = AccountType.EXPIRED, AccountType.BREAKAGE
    expired, breakage = (own_account(unit.program_id, unit.unit_id, kind) for kind in kinds)
    posted = await POSTED.all(tx, program_id=unit.program_id, unit_id=unit.unit_id)
    (account,) = await GET_ACCOUNTS.all(tx, names=[expired])
    held = sum(each.closing for each in await spans(tx, account, end=end))
    amount = held + within(posted, None, end) - sum(each.amount for each in posted)
    transfer = None
    if amount:
        book = await Book.lock(tx, [expired, breakage])
        transfer = book.transfer({expired: -amount, breakage: amount}, _REASON)
        transfer.managed = True
        book.post(transfer)
        await book.write()
    row = Breakage(
        unit.program_id, unit.unit_id, start, end, amount, transfer.id if transfer else None, tx.now
    )
    await INSERT_BREAKAGES.rows(tx, [row])


def within(posted: Sequence[Breakage], start: datetime | None, end: datetime) -> int:
    """How much left the account of what ended in a time, because it was posted then."""
    return sum(
        each.amount for each in posted if (start is None or start <= each.post_time) and each.post_time < end
    )
