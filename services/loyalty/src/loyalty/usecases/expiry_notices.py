"""Telling in time that points will end: once of each day, with all days that follow."""

from collections import Counter
from datetime import datetime, timedelta

from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from chassis.work.timers import Timer
from loyalty.domain.facts import End, PointsExpiring
from loyalty.domain.ledger import HeldAccount
from loyalty.domain.lots import FOREVER, Lot, LotState
from loyalty.store.lots import SAVE_LOTS, UNTOLD
from loyalty.usecases.book import Book

EXPIRY_NOTICE_TIMER = "points-expiring"
CHUNK = 250  # accounts in a transaction
LOOK = timedelta(minutes=15)  # how often each shard is looked at


async def tell_of_ends(tx: Transaction, timer: Timer) -> None:
    """Tell of what will end on some accounts; then again, at once when there are more."""
    untold = await UNTOLD.all(tx, shard=int(timer.key), now=tx.now, limit=CHUNK)
    due: dict[str, int] = {row["account"]: row["days"] for row in untold}
    if due:
        book = await Book.lock(tx, due, slot=int(timer.key))
        told: list[Lot] = []
        for account in book.members():
            told += _tell(tx, account, book.lots[account.id], tx.now + timedelta(days=due[account.name]))
        await SAVE_LOTS.rows(tx, told)
    await tx.schedule(EXPIRY_NOTICE_TIMER, timer.key, tx.now if due else tx.now + LOOK)


def _tell(tx: Transaction, account: HeldAccount, lots: list[Lot], until: datetime) -> list[Lot]:
    """Tell of every day on which something usable ends, when one is due. Returns the lots of those."""
    ending = [lot for lot in lots if lot.state is LotState.ACTIVE and tx.now < lot.ends < FOREVER]
    soon = [lot for lot in ending if lot.ends <= until and not lot.told]
    for lot in soon:
        lot.told = True
    if soon:
        amounts: Counter[datetime] = Counter()
        for lot in ending:
            amounts[lot.ends] += lot.remaining
        ends = [End(expire_time=day, amount=amounts[day]) for day in sorted(amounts)]
        tx.record(fact_of(PointsExpiring, account, ends=ends), version=account.version)
    return soon
