"""Everything that a membership holds, moved to another, and what is left of it moved back."""

from dataclasses import dataclass
from uuid import UUID

from chassis import ids
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from loyalty.domain import lots as rules
from loyalty.domain.ledger import Account, AccountType, HeldAccount, Transfer, own_account
from loyalty.domain.lots import Activation, Expiry, Lot, LotPolicy, LotState
from loyalty.domain.membership import Membership
from loyalty.store.ledger import LAST_MOVE, OPEN_ACCOUNTS
from loyalty.store.lots import GET_LOTS
from loyalty.store.memberships import CLOSE_ACCOUNTS
from loyalty.store.tables import UNITS_OF
from loyalty.usecases.book import Book

_ACTIVE, _PENDING, _RESERVED = AccountType.MEMBERSHIP, AccountType.PENDING, AccountType.RESERVED
_DEBT = AccountType.DEBT
_PLAIN = LotPolicy(Activation.IMMEDIATE, Expiry.NEVER)


@dataclass(slots=True)
class Pair:
    """The accounts of one unit: whose is moved, and where; what is forfeited goes to one of the program's."""

    giver: dict[AccountType, HeldAccount]
    getter: dict[AccountType, HeldAccount]
    expired: HeldAccount


async def lock_pairs(
    tx: Transaction, giver: Membership, getter: Membership | None
) -> tuple[Book, list[Pair]]:
    """The accounts of two memberships, in every unit and for every purpose: none is opened meanwhile.

    FailedPrecondition `RESERVATIONS_OPEN` while something of either is set aside for a redemption.
    """
    units = [unit.id for unit in await UNITS_OF.all(tx, program_id=giver.program_id)]
    both = [giver, getter] if getter else [giver]
    kinds = (_ACTIVE, _PENDING, _RESERVED, _DEBT)
    wanted = [Account.of_member(of, unit, tx.now, kind) for of in both for unit in units for kind in kinds]
    own = [own_account(giver.program_id, unit, AccountType.EXPIRED) for unit in units]
    spent_from = sorted((each for each in wanted if each.type is _ACTIVE), key=lambda account: account.id)
    await OPEN_ACCOUNTS.rows(tx, spent_from)
    book = await Book.lock(tx, [account.name for account in spent_from])
    await OPEN_ACCOUNTS.rows(tx, wanted)  # nobody else opens one beside those that are locked
    await book.add([*(account.name for account in wanted), *own])
    pairs = []
    for unit, expired in zip(units, own, strict=True):
        sides = [
            {kind: book.accounts[Account.of_member(of, unit, tx.now, kind).name] for kind in kinds}
            for of in both
        ]
        pairs.append(Pair(sides[0], sides[-1], book.accounts[expired]))
    for account in (side[_RESERVED] for pair in pairs for side in (pair.giver, pair.getter)):
        if account.balance:
            told = (
                f"{account.membership} has reservations of {account.unit_id}: commit or release them first."
            )
            raise FailedPrecondition("RESERVATIONS_OPEN", told, {"resource": account.membership})
    return book, pairs


async def close_accounts(tx: Transaction, membership: Membership, *, closed: bool) -> None:
    """Have nothing move on the accounts of a membership, which are locked; or have it move again."""
    await CLOSE_ACCOUNTS.run(tx, membership_id=membership.id, now_closed=closed)


def hand_over(book: Book, pair: Pair, reason_code: str, origin_id: UUID | None) -> None:
    """Move all that a member has in a unit to another, each lot with its own end.

    With `origin_id`, of the membership that brings it, so that what is left of it can be told from the rest.
    """
    transfer = _transfer(book, pair, reason_code, {kind: each.balance for kind, each in pair.giver.items()})
    if transfer is None:
        return
    transfer.managed = origin_id is not None  # undone by unmerging; a closing by whoever opens it again
    giver, getter = pair.giver[_ACTIVE], pair.getter[_ACTIVE]
    lots = sorted(book.lots[giver.id], key=lambda lot: lot.id)  # what is spent first stays so
    book.take(transfer, giver, rules.excess(giver.balance, lots))
    plain = giver.balance - sum(lot.remaining for lot in lots if lot.state is LotState.ACTIVE)
    book.post(transfer)
    for lot in lots:
        if lot.remaining:
            _bring(book, transfer, lot, lot.remaining, getter, lot.id if origin_id else None)
            book.move(transfer, lot, -lot.remaining)
    if plain and origin_id:
        tx = book.tx
        never = Lot.earned(ids.uuid7(tx.now), giver.id, giver.name, _PLAIN, tx.now, giver.zone)
        _bring(book, transfer, never, plain, getter, origin_id)


def hand_some(book: Book, giver: HeldAccount, getter: HeldAccount, amount: int, reason_code: str) -> Transfer:
    """Move so much of what a member can spend to another, what ends first, each lot with its own end.

    FailedPrecondition `INSUFFICIENT_BALANCE`, `MEMBERSHIP_CLOSED`.
    """
    tx = book.tx
    transfer = book.transfer({giver.name: -amount, getter.name: amount}, reason_code)
    book.require_usable(giver, amount)
    over = rules.excess(giver.balance, book.lots[giver.id])
    book.post(transfer)
    book.take(transfer, giver, over)
    for lot, part in rules.taken(book.lots[giver.id], amount, tx.now):
        _bring(book, transfer, lot, part, getter, None)
        book.move(transfer, lot, -part)
    book.renew(transfer.accounts)
    return transfer


def forfeit(book: Book, pair: Pair, reason_code: str) -> None:
    """Have all that a member has in a unit go to what expired; what they owe they owe when they are back."""
    own = {_ACTIVE: pair.expired, _PENDING: pair.expired}
    amounts = {kind: pair.giver[kind].balance for kind in own}
    transfer = _transfer(book, Pair(pair.giver, own, pair.expired), reason_code, amounts)
    if transfer is None:
        return
    book.post(transfer)
    for lot in list(book.lots[pair.giver[_ACTIVE].id]):
        if lot.remaining:
            book.move(transfer, lot, -lot.remaining)


async def hand_back(book: Book, pair: Pair, reason_code: str, merged: Membership) -> None:
    """Move what is left of what a membership brought back to it, to the lots that it came from.

    Of what it owed then it owes again what is not paid by now.
    """
    home, there = pair.getter[_ACTIVE], pair.giver[_ACTIVE]
    held = [lot for lot in book.lots[there.id] if lot.remaining and lot.origin_id]
    asked = [lot.origin_id for lot in held]
    came_from = {lot.id: lot for lot in await GET_LOTS.all(book.tx, ids=asked) if lot.account_id == home.id}
    back = [lot for lot in held if lot.origin_id in came_from or lot.origin_id == merged.id]
    amounts = {
        _ACTIVE: sum(lot.remaining for lot in back if lot.state is LotState.ACTIVE),
        _PENDING: sum(lot.remaining for lot in back if lot.state is LotState.PENDING),
        _DEBT: -await _still_owed(book, pair, merged),
    }
    transfer = _transfer(book, pair, reason_code, amounts)
    if transfer is None:
        return
    transfer.managed = True
    book.post(transfer)
    for lot in back:
        amount = lot.remaining
        book.move(transfer, lot, -amount)
        if original := came_from.get(lot.origin_id or merged.id):
            original.follow(lot)
            book.restore(transfer, original, amount)


async def _still_owed(book: Book, pair: Pair, merged: Membership) -> int:
    """What of the debt that a membership brought is not paid: the merge moved its account last."""
    there = pair.giver[_DEBT]
    asked = {"id": pair.getter[_DEBT].id, "moved_to": there.id, "since": merged.update_time}
    brought = await LAST_MOVE.maybe(book.tx, **asked)
    return min(brought["amount"], -there.balance) if brought else 0


def _bring(
    book: Book, transfer: Transfer, lot: Lot, amount: int, getter: HeldAccount, origin_id: UUID | None
) -> None:
    now = book.tx.now
    brought = lot.brought(ids.uuid7(now), getter.id, getter.name, now, origin_id)
    book.put(transfer, book.alike(brought), amount)


def _transfer(book: Book, pair: Pair, reason_code: str, amounts: dict[AccountType, int]) -> Transfer | None:
    """The transfer that moves so much between the accounts for each purpose; None for nothing."""
    moved = [(kind, amount) for kind, amount in amounts.items() if amount]
    if not moved:
        return None
    legs: dict[str, int] = {}
    for kind, amount in moved:
        for account, part in ((pair.giver[kind], -amount), (pair.getter[kind], amount)):
            legs[account.name] = legs.get(account.name, 0) + part
    return book.transfer(legs, reason_code)
