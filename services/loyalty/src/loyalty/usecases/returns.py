"""What is given back of purchases: never more than was bought, whoever is first."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from chassis.db.aliases import groups_of
from chassis.db.statement import LOCK_NAMES, Executor
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, NotFound
from loyalty.domain.purchase_lines import Line, exceeds, left_of, take
from loyalty.domain.value import Purchase
from loyalty.names import PURCHASE
from loyalty.store import purchases as store


async def require_returnable(tx: Transaction, purchases: Sequence[Purchase]) -> None:
    """Refuse purchases that give back more than is left of what they name, or what another customer bought.

    Nobody else gives back anything of the same until the transaction ends.
    """
    returning = [(purchase, of) for purchase in purchases if (of := purchase.returned_purchase_id)]
    if not returning:
        return
    again = {purchase.import_key for purchase, _ in returning}
    bought, left = await lock_bought(tx, {of for _, of in returning}, again)
    people = {p.customer_id for p in (*purchases, *bought.values()) if p.customer_id}
    whose = (await groups_of(tx, people)).whose
    for purchase, of in returning:
        if of not in bought:
            raise NotFound(PURCHASE.format(of))
        original = bought[of]
        if buyer(purchase, whose) != buyer(original, whose):
            raise FailedPrecondition(
                "CUSTOMER_MISMATCH",
                f"{original.name} was bought by {original.customer or 'nobody who is known'}",
                {"resource": original.name, "customer": original.customer},
            )
        if purchase.currency_code != original.currency_code:
            raise FailedPrecondition(
                "CURRENCY_MISMATCH",
                f"{original.name} was bought in {original.currency_code}",
                {"resource": original.name, "currency": original.currency_code},
            )
        for line in purchase.sold:
            if line.returned_line:
                require_left(original, left[of], line)
                take(left[of], line)


def buyer(purchase: Purchase, whose: Mapping[UUID, UUID]) -> UUID | None:
    """Who bought it, by the name that all of theirs are found by; None for what is nobody's."""
    return whose[purchase.customer_id] if purchase.customer_id else None


async def lock_bought(
    tx: Transaction, purchase_ids: Collection[UUID], again: Collection[str | None] = ()
) -> tuple[dict[UUID, Purchase], dict[UUID, dict[int, Line]]]:
    """Purchases, and what is left of their lines: nobody else gives it back until the transaction ends.

    What the rows `again`, by their import keys, gave back before is left: they are said once more.
    """
    await LOCK_NAMES.run(tx, names=[PURCHASE.format(each) for each in purchase_ids])
    bought = {each.id: each for each in await store.SOME_PURCHASES.all(tx, ids=list(purchase_ids))}
    returned: dict[UUID | None, list[Line]] = defaultdict(list)
    for each in await store.RETURNS_OF.all(tx, ids=list(purchase_ids)):
        if not each.import_key or each.import_key not in again:
            returned[each.returned_purchase_id] += each.sold
    return bought, {of: left_of(each.sold, returned[of]) for of, each in bought.items()}


async def returns_of(on: Executor, ids: Collection[UUID]) -> Mapping[UUID, list[Line]]:
    """What was given back of lines of purchases."""
    returned: dict[UUID, list[Line]] = defaultdict(list)
    for each in await store.RETURNS_OF.all(on, ids=list(ids)) if ids else ():
        assert each.returned_purchase_id is not None, "it was found by it"
        returned[each.returned_purchase_id] += each.sold
    return returned


def require_left(bought: Purchase, left: dict[int, Line], back: Line) -> None:
    """Refuse a line that gives back more of another than is left of it."""
    rest = left.get(back.returned_line)
    if exceeds(back, rest):
        quantity, amount = (f"{rest.quantity:f}", f"{rest.paid:f}") if rest else ("0", "0")
        raise FailedPrecondition(
            "RETURN_EXCEEDS_PURCHASE",
            f"of line {back.returned_line} of {bought.name} are left {quantity}, for which {amount} was paid",
            {
                "resource": bought.name,
                "line": back.returned_line,
                "quantity_left": quantity,
                "amount_left": amount,
            },
        )
