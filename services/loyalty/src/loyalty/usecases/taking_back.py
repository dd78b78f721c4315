"""Taking back what was earned: from where it went, and where it is spent, as a debt."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from loyalty.domain import lots as rules
from loyalty.domain.ledger import Account, AccountType, HeldAccount, Leg, Order, Transfer, own_account
from loyalty.domain.lots import Lot, LotPolicy, LotState
from loyalty.store.lots import COPIES
from loyalty.usecases.book import Book

Gain = tuple[LotPolicy | None, int]
Wanted = Callable[[Lot], bool]


def accounts_of(account: Account, at: datetime) -> list[str]:
    """The accounts that earning, or taking back, moves for a member's account."""
    beside = [account.beside(kind, at).name for kind in (AccountType.PENDING, AccountType.DEBT)]
    return [account.name, *beside, issued_of(account)]


def issued_of(account: Account) -> str:
    """Where what a member earns comes from."""
    return own_account(account.program_id, account.unit_id, AccountType.ISSUED)


def expired_of(account: Account) -> str:
    """Where what a member has goes when it ends."""
    return own_account(account.program_id, account.unit_id, AccountType.EXPIRED)


def paid_first(
    book: Book, account: Account, gains: Sequence[Gain], purchase_id: UUID | None, reason_code: str
) -> list[Order]:
    """The transfers of what was earned, one for each policy; what the member owes is paid of it first."""
    debt = book.accounts.get(account.beside(AccountType.DEBT, book.tx.now).name)
    owed, orders = -debt.balance if debt else 0, []
    for policy, amount in gains:
        paid = min(max(owed, 0), amount)
        owed -= paid
        legs = [Leg(issued_of(account), -amount)]
        if debt and paid:
            legs.append(Leg(debt.name, paid))
        if amount > paid:
            legs.append(Leg(account.name, amount - paid, policy))
        orders.append(Order(legs, reason_code, purchase_id, earned=True))
    return orders


async def brought_by(book: Book, account: HeldAccount, membership_id: UUID) -> list[Lot]:
    """What is left on an account of what a merged membership brought there and had in no lot."""
    copies = {lot.id for lot in await COPIES.all(book.tx, origin_ids=[membership_id])}
    return sorted((lot for lot in book.lots[account.id] if lot.id in copies), key=lambda lot: lot.id)


async def take_back(
    book: Book,
    account: HeldAccount,
    amount: int,
    parts: Sequence[tuple[Lot, int]],
    purchase_id: UUID | None,
    caused_by: UUID | None,
    reason_code: str,
) -> Transfer:
    """Take back so much of what a purchase earned, that went into these lots.

    First what is pending of it, then what there is of it, then what has ended of it, which costs nothing;
    then whatever there is, and the member owes the rest.
    """
    now = book.tx.now
    put = [(lot, n) for lot, n in parts if n > 0 and lot.account_id == account.id and lot.remaining]
    waiting = _of(put, amount, lambda lot: lot.state is LotState.PENDING)
    rest = amount - sum(n for _, n in waiting)
    there = sum(n for _, n in _of(put, rest, lambda lot: lot.state is LotState.ACTIVE))
    back = _of(parts, rest - there, lambda lot: lot.state is LotState.EXPIRED)
    _bring_back(book, account, back, purchase_id, caused_by)
    ended = _of(put, rest, lambda lot: lot.state is LotState.ACTIVE and lot.ends <= now)
    usable = rules.spendable(account.balance, book.lots[account.id], now) + sum(n for _, n in ended)
    taken = min(rest, max(usable, 0))
    amounts = {issued_of(account): amount}
    for kind, n in (
        (AccountType.PENDING, amount - rest),
        (AccountType.MEMBERSHIP, taken),
        (AccountType.DEBT, rest - taken),
    ):
        if n:
            held = account if kind is AccountType.MEMBERSHIP else await book.beside(account, kind)
            amounts[held.name] = -n
    transfer = book.transfer(amounts, reason_code, purchase_id)
    book.post(transfer, caused_by)
    for lot, n in (*waiting, *back):
        book.move(transfer, lot, -n)
    brought = {lot.id: n for lot, n in back}
    if other := taken - sum(brought.values()):
        left = [(lot, n - brought.get(lot.id, 0)) for lot, n in parts]
        book.take_back(transfer, account, other, left)
    return transfer


def _bring_back(
    book: Book,
    account: HeldAccount,
    back: Sequence[tuple[Lot, int]],
    purchase_id: UUID | None,
    caused_by: UUID | None,
) -> None:
    """Bring so much of what the clock took of lots back to a member, for it to be taken."""
    if not back:
        return
    name, total = expired_of(account), sum(n for _, n in back)
    transfer = book.transfer({name: -total, account.name: total}, "expired", purchase_id)
    book.post(transfer, caused_by)
    for lot, n in back:
        lot.expired -= n
        book.move(transfer, lot, n)


def _of(parts: Sequence[tuple[Lot, int]], amount: int, wanted: Wanted) -> list[tuple[Lot, int]]:
    found = []
    for lot, put in parts:
        part = min(lot.remaining or lot.expired, put, amount)
        if wanted(lot) and part > 0:
            amount -= part
            found.append((lot, part))
    return found
