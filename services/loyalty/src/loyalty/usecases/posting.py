"""Moving what transfers say: one, or many that share a transaction."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from chassis import ids
from chassis.api.entities import found
from chassis.context import Call
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, Refusal
from chassis.facts import fact_of
from loyalty.domain.facts import GoodwillReversed
from loyalty.domain.ledger import MANAGED, AccountType, Leg, Order, Transfer, check_legs
from loyalty.domain.lots import Lot, LotState
from loyalty.names import TRANSFER
from loyalty.store.goodwill import REVERSE_GOODWILL
from loyalty.store.ledger import GET_REVERSAL, GET_TRANSFER
from loyalty.store.lots import ALLOCATED
from loyalty.store.memberships import SUCCESSORS
from loyalty.store.reservations import RESERVATION_BY
from loyalty.usecases.attached import attached
from loyalty.usecases.book import Book

Parts = Sequence[tuple[Lot, int]]  # what a transfer put into each lot; negative for what it took


async def post_transfer(
    tx: Transaction,
    *,
    legs: Sequence[Leg],
    reason_code: str,
    transfer_id: UUID | None = None,
    caused_by: UUID | None = None,
) -> Transfer:
    """Move what the legs say, as the transfer `transfer_id`, or one chosen here.

    InvalidArgument for the legs (see `check_legs` and `post`); NotFound without an account;
    FailedPrecondition `INSUFFICIENT_BALANCE`, `MANAGED_ACCOUNT`, `EXPIRY_PASSED`.
    """
    check_legs(legs)
    order = Order(list(legs), reason_code)
    book = await Book.lock(tx, [leg.account for leg in legs])
    await book.open_pending([order])
    posted = book.order(order, transfer_id, caused_by)
    await book.write()
    return posted


async def post_together(
    tx: Transaction, orders: Sequence[Order], calls: Sequence[Call]
) -> list[Transfer | Refusal]:
    """Move what arrived together, each for its call: one after the other, on accounts locked once."""
    book = await Book.lock(tx, [leg.account for order in orders for leg in order.legs])
    await book.open_pending(orders)
    outcomes: list[Transfer | Refusal] = []
    for order, call in zip(orders, calls, strict=True):
        tx.act(call)
        try:
            outcomes.append(book.order(order))
        except Refusal as refused:
            outcomes.append(refused)
    await book.write()
    return outcomes


async def reverse_transfer(
    tx: Transaction, *, transfer_id: UUID, reason_code: str, redemption_id: UUID | None = None
) -> Transfer:
    """Undo a transfer, once; the goodwill that it moved is then as if it had never been.

    What was spent goes back to the lots it came from, or to a new one where such a lot has ended. What was
    earned is taken from the lot it went into, and what was spent of that from others. NotFound;
    FailedPrecondition `ALREADY_REVERSED`, `IS_REVERSAL`, `MANAGED_ACCOUNT`, or `INSUFFICIENT_BALANCE` when
    what was got is spent.
    """
    original = await found(tx, TRANSFER, GET_TRANSFER, transfer_id)
    reservation = await RESERVATION_BY.maybe(tx, id=transfer_id)
    if reservation and not reservation.is_redeemed_by(transfer_id):
        told = (
            f"{TRANSFER.format(transfer_id)} belongs to {reservation.name}: commit or release that instead."
        )
        raise FailedPrecondition("MANAGED_ACCOUNT", told, {"resource": TRANSFER.format(transfer_id)})
    if reservation:
        reservation.require_of(redemption_id)
    origin = reservation.transfer_id if reservation else transfer_id
    allocated = await ALLOCATED.all(tx, transfer_id=origin)
    held = {each["account"] for each in allocated} | ({reservation.account} if reservation else set())
    moved = await _successors(tx, original, held)
    # Before looking, so that of two reversals the second sees the first.
    book = await Book.lock(tx, [*original.accounts, *(moved.get(name, name) for name in held)])
    again = await GET_REVERSAL.maybe(tx, id=transfer_id) is not None
    reversal = original.reversal(ids.uuid7(tx.now), reason_code, tx.id, tx.now, again)
    parts = await attached(book, [origin], moved)
    _redirect(book, reversal, parts)
    caused_by = None
    for goodwill in await REVERSE_GOODWILL.all(tx, transfer=transfer_id, at=tx.now):
        fact = fact_of(GoodwillReversed, goodwill, **goodwill.told)
        caused_by = tx.record(fact, version=goodwill.version)
    _undo(book, reversal, parts, caused_by)
    await book.write()
    return reversal


async def _successors(tx: Transaction, original: Transfer, held: set[str]) -> Mapping[str, str]:
    """Where accounts of merged memberships are now; a transfer that moved them is to be undone there.

    FailedPrecondition `MEMBERSHIP_CLOSED` for one between two that are one membership now.
    """
    rows = await SUCCESSORS.all(tx, names=list({*original.accounts, *held}))
    moved = {row["was"]: row["became"] for row in rows}
    original.accounts = [moved.get(name, name) for name in original.accounts]
    if len(set(original.accounts)) < len(original.accounts):
        name = TRANSFER.format(original.id)
        told = f"{name} moved something between memberships that are one now."
        raise FailedPrecondition("MEMBERSHIP_CLOSED", told, {"resource": name})
    return moved


def _redirect(book: Book, reversal: Transfer, parts: Parts) -> None:
    """Have what a member has by now in another account move there and back there."""
    for i, (name, amount, _) in enumerate(reversal.legs):
        account = book.accounts[name]
        if account.type not in MANAGED:
            continue
        active = book.accounts[account.beside(AccountType.MEMBERSHIP, book.tx.now).name]
        of = [lot for lot, _ in parts if lot.account_id == active.id]
        if account.type is AccountType.PENDING and not of:
            raise _managed(reversal, "made usable what was earned: reverse what was earned instead")
        if amount > 0 or any(lot.state is not LotState.PENDING for lot in of):
            reversal.accounts[i] = active.name


def _undo(book: Book, reversal: Transfer, parts: Parts, caused_by: UUID | None) -> None:
    """Post a reversal, and have the lots hold what they did, as far as that can be."""
    for leg in reversal.legs:
        account = book.accounts[leg.account]
        book.require_usable(account, -leg.amount)
        if account.type is AccountType.PENDING and leg.amount < 0:  # others may wait beside what is left
            account.require(leg.amount, sum(min(lot.remaining, put) for lot, put in parts if put > 0))
    book.post(reversal, caused_by)
    for leg in reversal.legs:
        account = book.accounts[leg.account]
        if account.type is AccountType.PENDING:
            for lot, put in parts:
                if put > 0 and lot.account == account.beside(AccountType.MEMBERSHIP, book.tx.now).name:
                    book.move(reversal, lot, -put)
        elif account.type is AccountType.MEMBERSHIP:
            of = [part for part in parts if part[0].account_id == account.id]
            if leg.amount > 0:
                book.give_back(reversal, of)
            else:
                book.take_back(reversal, account, -leg.amount, of)


def _managed(reversal: Transfer, why: str) -> FailedPrecondition:
    name = TRANSFER.format(reversal.reverses_id)
    return FailedPrecondition("MANAGED_ACCOUNT", f"{name} {why}.", {"resource": name})
