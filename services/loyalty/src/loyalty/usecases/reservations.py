"""Reservations: points set aside, and that ended once: given away, or back with their member."""

from datetime import timedelta
from uuid import UUID

from chassis import ids
from chassis.api.entities import found
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import invalid
from loyalty.domain.ledger import MEMBERS, AccountType, own_account
from loyalty.domain.reservation import LIFETIME, Reservation, ReservationState
from loyalty.names import RESERVATION
from loyalty.store import reservations as store
from loyalty.usecases.attached import attached
from loyalty.usecases.book import Book

RESERVATION_TIMER = "reservation-expires"


async def reserve(
    tx: Transaction,
    *,
    account: str,
    amount: int,
    reason_code: str,
    lifetime: timedelta | None,
    redemption_id: UUID | None = None,
) -> Reservation:
    """Set aside what a member can spend. NotFound; FailedPrecondition `INSUFFICIENT_BALANCE`."""
    book = await Book.lock(tx, [account])
    book.require([account])
    held = book.accounts[account]
    if held.type is not AccountType.MEMBERSHIP:
        raise invalid("reservation.account", "INVALID_NAME", "must be an account that a member spends from")
    aside = await book.beside(held, AccountType.RESERVED)
    transfer = book.transfer({account: -amount, aside.name: amount}, reason_code)
    book.spend(transfer)
    book.renew([account])
    await book.write()
    made = Reservation(
        id=ids.uuid7(tx.now),
        account_id=held.id,
        account=account,
        amount=amount,
        state=ReservationState.RESERVED,
        reason_code=reason_code,
        expire_time=tx.now + (lifetime or LIFETIME),
        transfer_id=transfer.id,
        end_transfer_id=None,
        create_time=tx.now,
        update_time=tx.now,
        redemption_id=redemption_id,
    )
    await store.INSERT_RESERVATION.run(tx, **values(made))
    await tx.schedule(RESERVATION_TIMER, str(made.id), made.expire_time)
    return made


async def commit_reservation(
    tx: Transaction, *, reservation_id: UUID, redeem_account: str, redemption_id: UUID | None = None
) -> Reservation:
    """Give away what is set aside, to an account of the program's own: by default what it got back.

    NotFound; FailedPrecondition `RESERVATION_ENDED`, and `MANAGED_ACCOUNT` for one of another redemption.
    """
    reserved = await found(tx, RESERVATION, store.GET_RESERVATION, reservation_id)
    book = await Book.lock(tx, [reserved.account])
    account = book.accounts[reserved.account]
    redeemed = own_account(account.program_id, account.unit_id, AccountType.REDEEMED)
    into = redeem_account or redeemed
    await book.add([into])
    book.require([into])
    if book.accounts[into].type in MEMBERS:
        raise invalid("redeem_account", "INVALID_NAME", "must be an account of the program's own")
    return await _end(tx, book, reservation_id, ReservationState.COMMITTED, into, redemption_id)


async def release_reservation(
    tx: Transaction, *, reservation_id: UUID, redemption_id: UUID | None = None
) -> Reservation:
    """Give what is set aside back to the lots it came from. NotFound; FailedPrecondition as above."""
    reserved = await found(tx, RESERVATION, store.GET_RESERVATION, reservation_id)
    book = await Book.lock(tx, [reserved.account])
    return await _end(tx, book, reservation_id, ReservationState.RELEASED, reserved.account, redemption_id)


async def expire_reservation(tx: Transaction, reservation_id: UUID) -> None:
    """Release what nobody committed in time."""
    reserved = await store.GET_RESERVATION.one(tx, id=reservation_id)
    book = await Book.lock(tx, [reserved.account])
    if (await store.LOCK_RESERVATION.one(tx, id=reserved.id)).state is ReservationState.RESERVED:
        await _end(tx, book, reserved.id, ReservationState.EXPIRED, reserved.account, reserved.redemption_id)


async def _end(
    tx: Transaction,
    book: Book,
    reservation_id: UUID,
    state: ReservationState,
    into: str,
    redemption_id: UUID | None,
) -> Reservation:
    """Once, under the lock of the account."""
    reserved = await found(tx, RESERVATION, store.LOCK_RESERVATION, reservation_id)
    reserved.require_of(redemption_id)
    aside = await book.beside(book.accounts[reserved.account], AccountType.RESERVED)
    transfer = book.transfer({aside.name: -reserved.amount, into: reserved.amount}, reserved.reason_code)
    reserved.end(state, transfer.id, tx.now)
    reserved.update_time = tx.now
    parts = await attached(book, [reserved.transfer_id])
    book.post(transfer)
    if state is not ReservationState.COMMITTED:
        book.give_back(transfer, parts)
    await book.write()
    await store.UPDATE_RESERVATION.run(tx, **values(reserved))
    if state is not ReservationState.EXPIRED:
        await tx.cancel(RESERVATION_TIMER, str(reserved.id))
    return reserved
