"""What transfers put into lots and took from them, as these lots are now, wherever a merge brought them."""

from collections.abc import Collection, Mapping
from uuid import UUID

from chassis import ids
from chassis.db.statement import Statement
from loyalty.domain.lots import Lot, LotState
from loyalty.store.lots import ALLOCATIONS, COPIES, GET_LOTS
from loyalty.usecases.book import Book

_NOWHERE: Mapping[str, str] = {}
Lots = dict[UUID, Lot]


async def attached(
    book: Book, transfers: Collection[UUID], moved: Mapping[str, str] = _NOWHERE
) -> list[tuple[Lot, int]]:
    """The lots that transfers put something into, or took it from, and how much; the book has them then.

    `moved` says where the accounts of merged memberships are now.
    """
    allocations = await ALLOCATIONS.all(book.tx, transfer_ids=list(transfers))
    known = {lot.id: lot for lots in book.lots.values() for lot in lots}
    missing = {each.lot_id for each in allocations if each.lot_id not in known}
    await _know(book, known, GET_LOTS, ids=list(missing))
    if moved:
        went = [(known[each.lot_id], each.amount) for each in allocations]
        went = [(lot, n) for lot, n in went if lot.account in moved]
        # What was earned and has ended stays where it was; what was spent of it comes back there, too.
        gone = {lot.id for lot, n in went if n < 0 or lot.state is not LotState.EXPIRED}
        await _know(book, known, COPIES, origin_ids=list(gone))
        became = _copies(known)
        for lot_id in gone:
            lot, there = known[lot_id], book.accounts[moved[known[lot_id].account]]
            new = lot.brought(ids.uuid7(book.tx.now), there.id, there.name, book.tx.now, lot_id)
            known[lot_id] = became.get((there.name, lot_id), new)
    return [(known[each.lot_id], each.amount) for each in allocations]


async def _know(book: Book, known: Lots, statement: Statement[Lot], **wanted: list[UUID]) -> None:
    for lot in await statement.all(book.tx, **wanted) if any(wanted.values()) else ():
        if lot.id not in known:
            book.lots[lot.account_id].append(lot)
            known[lot.id] = lot


def _copies(known: Lots) -> dict[tuple[str, UUID], Lot]:
    """What became of lots on which account, by every merge: of one brought twice, what holds something."""
    became = {}
    for lot in sorted(known.values(), key=lambda lot: (lot.remaining > 0, lot.id)):
        on: Lot | None = lot
        while on and on.origin_id:
            became[lot.account, on.origin_id] = lot
            on = known.get(on.origin_id)
    return became
