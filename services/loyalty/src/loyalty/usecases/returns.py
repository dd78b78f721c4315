"""What is given back of purchases: never more than was bought, whoever is first."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain
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
    bought, left, amounts = await lock_bought(tx, {of for _, of in returning}, again)
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
                require_left(original, left[of], line, amounts[of])
                take(left[of], line)
                amounts[of] += line.paid


def buyer(purchase: Purchase, whose: Mapping[UUID, UUID]) -> UUID | None:
    """Who bought it, by the name that all of theirs are found by; None for what is nobody's."""
    return whose[purchase.customer_id] if purchase.customer_id else None


def buyers(purchases: Iterable[Purchase]) -> set[UUID]:
    """Whose they are, by the names that they were recorded with."""
    return {purchase.customer_id for purchase in purchases if purchase.customer_id}


async def lock_bought(
    tx: Transaction, purchase_ids: Collection[UUID], again: Collection[str | None] = ()
) -> tuple[dict[UUID, Purchase], dict[UUID, dict[int, Line]], dict[UUID, Decimal]]:
    """Purchases, what is left of their lines, and of what was paid: nobody else gives it back meanwhile.

    What the rows `again`, by their import keys, gave back before is left: they are said once more.
    """
    returned = {
        of: [
            line
            for each in returns
            if not each.import_key or each.import_key not in again
            for line in each.sold
        ]
        for of, returns in (await lock_returns(tx, purchase_ids)).items()
    }
    bought = {each.id: each for each in await store.SOME_PURCHASES.all(tx, ids=list(purchase_ids))}
    left = {of: left_of(each.sold, returned[of]) for of, each in bought.items()}
    return bought, left, {of: each.worth - _paid_back(returned[of]) for of, each in bought.items()}


async def lock_returns(tx: Transaction, purchase_ids: Collection[UUID]) -> dict[UUID, list[Purchase]]:
    """What gave lines of purchases back: nobody else does until the transaction ends."""
    await LOCK_NAMES.run(tx, names=[PURCHASE.format(each) for each in purchase_ids])
    return await returning(tx, purchase_ids)


async def returning(on: Executor, purchase_ids: Collection[UUID]) -> dict[UUID, list[Purchase]]:
    """What gave lines of each purchase back."""
    returned: dict[UUID, list[Purchase]] = {each: [] for each in purchase_ids}
    for each in await store.RETURNS_OF.all(on, ids=list(purchase_ids)) if purchase_ids else ():
        assert each.returned_purchase_id is not None, "it was found by it"
        returned[each.returned_purchase_id].append(each)
    return returned


async def returns_of(on: Executor, ids: Collection[UUID]) -> Mapping[UUID, list[Line]]:
    """What was given back of lines of purchases."""
    found = await returning(on, ids)
    return {of: [line for each in returns for line in each.sold] for of, returns in found.items()}


def refunded_beside(said: Purchase, returns: Sequence[Purchase]) -> Purchase:
    """A purchase of which no more was refunded than was paid and not given back by lines.

    Who refunds and who takes the goods back, a bank and a till, tell of the same; so no more counts.
    """
    left = said.paid - _paid_back(chain.from_iterable(each.sold for each in returns))
    return replace(said, refunded=min(said.refunded, max(left, Decimal(0)))) if returns else said


def _paid_back(lines: Iterable[Line]) -> Decimal:
    return -sum((line.paid for line in lines if line.returned_line), Decimal(0))


def require_left(
    bought: Purchase, left: dict[int, Line], back: Line, amount_left: Decimal | None = None
) -> None:
    """Refuse a line that gives back more of another than is left of it, or than was not refunded yet."""
    rest = left.get(back.returned_line)
    if bought.refunded and amount_left is not None and rest and amount_left + back.paid < 0:
        rest = replace(rest, paid=max(amount_left, Decimal(0)))
    if exceeds(back, rest):
        quantity, amount = (
            (f"{rest.quantity.normalize():f}", f"{rest.paid.normalize():f}") if rest else ("0", "0")
        )
        told = (
            f"of line {back.returned_line} of {bought.name} are left {quantity}, for which {amount} was paid"
        )
        if rest is None:
            told = f"{bought.name} has no line {back.returned_line} of something that was bought"
        raise FailedPrecondition(
            "RETURN_EXCEEDS_PURCHASE",
            told,
            {
                "resource": bought.name,
                "line": back.returned_line,
                "quantity_left": quantity,
                "amount_left": amount,
            },
        )
