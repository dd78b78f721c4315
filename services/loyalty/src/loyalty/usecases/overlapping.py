"""Which purchases that are sent are those of another source: exports overlap."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from chassis import overlap
from chassis.db.aliases import groups_of
from chassis.db.transaction import Transaction
from loyalty.domain.value import Purchase
from loyalty.store import purchases as store
from loyalty.usecases.returns import buyers


async def find_overlap(
    tx: Transaction, purchases: Sequence[Purchase], confirmed: Sequence[bool], *, validate_only: bool
) -> tuple[list[Purchase], set[int]]:
    """The purchases as they are to be recorded; the indexes of unclear ones that are not `confirmed`.

    One of a customer at a time with the reference and amount of another source's is that one, with its
    import key, and says what was given back of it since, unless another department brought it. With another
    amount it may be a line of it or the same number in another till, for numbers begin again with every till
    and year. Without a reference nothing tells equal ones apart.
    """
    groups = await groups_of(tx, buyers(p for p in purchases if p.import_key))
    whose = groups.whose
    at_times = {(whose[p.customer_id], p.purchase_time) for p in purchases if p.customer_id in whose}
    if not at_times:
        return list(purchases), set()
    occasions = [(name, time) for of, time in at_times for name in groups.members[of]]
    customers, times = zip(*occasions, strict=True)

    async def read(keys: Iterable[str]) -> Iterable[overlap.Row]:
        imported = await store.GET_IMPORTED.all(tx, import_keys=list(keys))
        at = await store.IMPORTED_AT.all(
            tx,
            customer_ids=list(customers),
            times=list(times),
            references=list({purchase.reference for purchase in purchases if purchase.reference}),
            amounts=list({purchase.paid for purchase in purchases}),
        )
        recorded.update({purchase.import_key: purchase for purchase in (*imported, *at)})
        return [_row(purchase, whose) for purchase in (*imported, *at)]

    recorded = {purchase.import_key: purchase for purchase in reversed(purchases)}
    rows = {
        i: _row(p, whose)
        for i, p in enumerate(purchases)
        if p.import_key and p.customer_id and not confirmed[i]
    }
    found = await overlap.find_overlap(tx, rows, read, validate_only=validate_only)
    stand, unclear, ours = list(purchases), set(found.unclear), f"{tx.call.principal.department}/"
    for i, key in found.known.items():
        sent, other = purchases[i], recorded[key]
        if sent.refunded > other.refunded and not key.startswith(ours):
            unclear.add(i)
        stand[i] = replace(other, id=sent.id, refunded=sent.refunded, refunded_by=sent.refunded_by)
    return stand, unclear


def _row(purchase: Purchase, whose: Mapping[UUID, UUID]) -> overlap.Row:
    of = purchase.customer_id
    return overlap.Row(
        key=purchase.import_key or "",
        about=(whose.get(of, of) if of else None, purchase.purchase_time),
        number=purchase.reference,
        says=purchase.amount,
        aside=purchase.refunded,
    )
