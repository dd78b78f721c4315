"""What ends vouchers: somebody, the clock, or that what they were given for is taken back.

One that is goodwill and ends unused has cost nothing: its grant is reversed.
"""

from datetime import timedelta
from uuid import UUID

from prometheus_client import Gauge

from chassis.api.entities import found, save
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from chassis.work.timers import Timer
from loyalty.domain.facts import VoucherCancelled, VoucherExpired
from loyalty.domain.goodwill import Goodwill, State
from loyalty.domain.ledger import Transfer
from loyalty.domain.voucher import Voucher
from loyalty.names import VOUCHER
from loyalty.store import vouchers as store
from loyalty.store.goodwill import LOCK_GOODWILL
from loyalty.usecases.posting import reverse_transfer

VOUCHERS_TIMER = "vouchers-due"
CHUNK = 100  # vouchers in a transaction
LOOK = timedelta(seconds=30)
SOON = timedelta(days=7)
ENDING = Gauge(
    "rapport_vouchers_ending",
    "Vouchers that were not used and end within 7 days. The same in every replica.",
)
LATE = Gauge(
    "rapport_vouchers_late_seconds",
    "How long ago the unused voucher that should have ended first should have. The same in every replica.",
)


async def cancel_voucher(tx: Transaction, *, voucher_id: UUID, reason_code: str) -> Voucher:
    """Make a voucher worth nothing. NotFound; FailedPrecondition `VOUCHER_ENDED`."""
    voucher, grant = await _lock(tx, voucher_id)
    await _cancel(tx, voucher, reason_code)
    await _give_cost_back(tx, voucher, grant, "voucher-cancelled")
    return voucher


async def cancel_of_redemption(tx: Transaction, redemption_id: UUID, reason_code: str) -> None:
    """Make worth nothing what was handed out for a redemption that is taken back.

    FailedPrecondition `VOUCHER_USED`, `VOUCHER_ENDED`.
    """
    voucher = await store.LOCK_OF_REDEMPTION.maybe(tx, redemption_id=redemption_id)
    if voucher is not None:
        voucher.require_unused()
        await _cancel(tx, voucher, reason_code)


async def reverse_posted(tx: Transaction, *, transfer_id: UUID, reason_code: str) -> Transfer:
    """As `reverse_transfer`; the voucher that it paid for is worth nothing from now on.

    FailedPrecondition `VOUCHER_USED`, `VOUCHER_ENDED`, too.
    """
    if (grant := await store.LOCK_GRANT.maybe(tx, transfer_id=transfer_id)) is not None:
        voucher = await store.LOCK_OF_GOODWILL.maybe(tx, goodwill_id=grant.id)
        if voucher is not None and grant.state is State.GRANTED:
            voucher.require_unused()
            await _cancel(tx, voucher, reason_code)
    return await reverse_transfer(tx, transfer_id=transfer_id, reason_code=reason_code)


async def see_to_vouchers(tx: Transaction, timer: Timer) -> None:
    """End what is due, a chunk of it; then again, at once when there is more.

    One that is goodwill alone, for it locks accounts of the program's.
    """
    due = await store.DUE.all(tx, now=tx.now, limit=CHUNK)
    alone = due[:1] if due and due[0]["goodwill_id"] else [row for row in due if not row["goodwill_id"]]
    for voucher_id in sorted(row["id"] for row in alone):
        await _expire(tx, voucher_id)
    await tx.schedule(VOUCHERS_TIMER, timer.key, tx.now if due else tx.now + LOOK)


async def tell_vouchers(db: Database) -> None:
    """Say as metrics how many vouchers are about to end unused, and how late the clock is with them."""
    now = db.clock.now()
    ending = await store.ENDING.one(db, until=now + SOON)
    ENDING.set(ending["count"])
    LATE.set(max(0.0, (now - ending["first"]).total_seconds()) if ending["first"] else 0.0)


async def _expire(tx: Transaction, voucher_id: UUID) -> None:
    voucher, grant = await _lock(tx, voucher_id)
    if voucher.expire(tx.now):
        await save(tx, store.UPDATE_VOUCHER, voucher, fact_of(VoucherExpired, voucher, **voucher.told))
        await _give_cost_back(tx, voucher, grant, "voucher-expired")


async def _lock(tx: Transaction, voucher_id: UUID) -> tuple[Voucher, Goodwill | None]:
    """A voucher, and before it the grant that it is."""
    seen = await found(tx, VOUCHER, store.GET_VOUCHER, voucher_id)
    grant = await LOCK_GOODWILL.maybe(tx, id=seen.goodwill_id) if seen.goodwill_id else None
    return await store.LOCK_VOUCHER.one(tx, id=voucher_id), grant


async def _cancel(tx: Transaction, voucher: Voucher, reason_code: str) -> None:
    voucher.cancel(reason_code, tx.now)
    fact = fact_of(VoucherCancelled, voucher, **voucher.told)
    await save(tx, store.UPDATE_VOUCHER, voucher, fact)


async def _give_cost_back(
    tx: Transaction, voucher: Voucher, grant: Goodwill | None, reason_code: str
) -> None:
    """What was granted and nobody used was not given."""
    if grant is None or voucher.used_count or grant.state is not State.GRANTED or grant.transfer_id is None:
        return
    await reverse_transfer(tx, transfer_id=grant.transfer_id, reason_code=reason_code)
