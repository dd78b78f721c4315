"""What the clock does with lots: what was pending becomes usable, and what has ended goes."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Gauge

from chassis.api.entities import found
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, Refusal
from chassis.work.timers import Timer
from loyalty.domain.ledger import AccountType, HeldAccount
from loyalty.domain.lots import Lot, LotState, excess
from loyalty.names import LOT
from loyalty.store.lots import DUE_ACCOUNTS, GET_LOT, GET_LOTS, OLDEST_DUE
from loyalty.usecases.book import Book
from loyalty.usecases.taking_back import expired_of

LOTS_TIMER = "lots-due"
LATE = Gauge(
    "rapport_lots_late_seconds",
    "How long ago the points that should have ended or become usable first should have. The same in every "
    "replica.",
)
_log = structlog.get_logger()
CHUNK = 250  # lots in a transaction
LOOK = timedelta(seconds=30)  # how often each shard is looked at


async def tell_lots(db: Database) -> None:
    """Say as a metric how late the clock is with lots."""
    oldest = (await OLDEST_DUE.one(db))["due_time"]
    LATE.set(max(0.0, (db.clock.now() - oldest).total_seconds()) if oldest else 0.0)


async def see_to_lots(tx: Transaction, timer: Timer) -> None:
    """Do what is due of a shard, a chunk of it; then again, at once when there is more."""
    due = [
        row["account"] for row in await DUE_ACCOUNTS.all(tx, shard=int(timer.key), now=tx.now, limit=CHUNK)
    ]
    done = 0
    if due:
        book = await Book.lock(tx, due, slot=int(timer.key))  # so that no shard waits for another
        await book.add({name for account in book.members() for name in _others(account, book)})
        for account in book.members():
            for lot in book.lots[account.id]:
                if lot.due_time and lot.due_time <= tx.now:
                    done += _saw_to(book, account, lot)
        await book.write()
    await tx.schedule(LOTS_TIMER, timer.key, tx.now if done else tx.now + LOOK)


def _others(account: HeldAccount, book: Book) -> Iterator[str]:
    lots = [lot for lot in book.lots[account.id] if lot.due_time and lot.due_time <= book.tx.now]
    if any(lot.state is LotState.PENDING for lot in lots):
        yield account.beside(AccountType.PENDING, book.tx.now).name
    if any(lot.ends <= book.tx.now for lot in lots):
        yield expired_of(account)


def _saw_to(book: Book, account: HeldAccount, lot: Lot) -> bool:
    """See to a lot that is due. One that cannot be waits, and how late it is shows; the others do not."""
    try:
        _see_to(book, account, lot)
    except Refusal as refused:  # before anything of it moved
        _log.error("a lot that is due cannot be seen to", lot=lot.name, reason=refused.reason)
        return False
    return True


def _see_to(book: Book, account: HeldAccount, lot: Lot) -> None:
    """Move what a lot that is due holds, if that is where it should no longer be.

    What a release spent that knew of no lots is there no more: that goes from the lot alone.
    """
    now, pending = book.tx.now, account.beside(AccountType.PENDING, book.tx.now).name
    if lot.has_ended(now):
        if lot.state is LotState.PENDING:
            held, amount = pending, lot.remaining
        else:
            held, amount = account.name, lot.remaining - excess(account.balance, book.lots[account.id])
        if amount > 0:
            transfer = book.transfer({held: -amount, expired_of(account): amount}, "expired")
            book.post(transfer)
            book.move(transfer, lot, -lot.remaining)
            lot.expired += amount
        else:
            lot.move(-lot.remaining, now)
            book.changed[lot.id] = lot
        lot.become(LotState.EXPIRED, now)
    else:
        activate(book, account, lot)


def activate(book: Book, account: HeldAccount, lot: Lot) -> None:
    """Have what was pending be usable."""
    pending = account.beside(AccountType.PENDING, book.tx.now).name
    book.post(book.transfer({pending: -lot.remaining, account.name: lot.remaining}, "activated"))
    lot.become(LotState.ACTIVE, book.tx.now)
    book.changed[lot.id] = lot


async def activate_lot(tx: Transaction, *, program_id: str, account_id: str, lot_id: UUID) -> Lot:
    """Have what waited for an action be usable. NotFound; FailedPrecondition `LOT_NOT_PENDING`."""
    lot = await found(tx, LOT, GET_LOT, program_id, account_id, lot_id)
    book = await Book.lock(tx, [lot.account])
    (lot,) = await GET_LOTS.all(tx, ids=[lot_id])
    if lot.state is not LotState.PENDING or not lot.remaining or lot.has_ended(tx.now):
        told = f"{lot.name} is {lot.state}; what is PENDING and has not ended can be made usable."
        raise FailedPrecondition("LOT_NOT_PENDING", told, {"resource": lot.name})
    account = book.accounts[lot.account]
    await book.beside(account, AccountType.PENDING)
    activate(book, account, lot)
    await book.write()
    return lot
