"""Claiming purchases that are nobody's, by their receipts."""

from collections.abc import Collection, Sequence
from uuid import UUID

from chassis import ids
from chassis.db.aliases import lock_person
from chassis.db.statement import LOCK_NAME, values
from chassis.db.transaction import Transaction
from loyalty.domain.receipts import (
    TRY_PERIOD,
    Claimed,
    ClaimOutcome,
    Receipt,
    ReceiptTry,
    receipt_hash,
    tries_left,
)
from loyalty.domain.value import Purchase, ValueFormula
from loyalty.store import purchases as purchase_store
from loyalty.store import receipts as store
from loyalty.usecases.purchases import count_claimed


async def claim_purchase(
    tx: Transaction, formula: ValueFormula, *, customer_id: UUID, receipt_code: str, receipt: Receipt | None
) -> Claimed:
    """Make a purchase that is nobody's a customer's, with what was given back of it; or count a wrong try.

    One that they have already, as another source brought it, is that one: nobody has it twice.
    All but that it is theirs is a wrong try, and answered, so that it is counted. FailedPrecondition
    `TOO_MANY_TRIES`.
    """
    found = await _find(tx, receipt_code, receipt)
    for each in found[:1]:  # before people, as whoever gives it back does; and nobody gives it back meanwhile
        await LOCK_NAME.run(tx, name=each.name)
    names = await lock_person(tx, customer_id)
    [[wrong]] = await store.COUNT_TRIES.all(tx, customer_ids=names, since=tx.now - TRY_PERIOD)
    left = tries_left(wrong)
    outcome = ClaimOutcome.UNCLEAR if found else ClaimOutcome.NOT_FOUND
    if len(found) == 1:
        if (purchase := await _have(tx, formula, found[0], customer_id, names)) is not None:
            return Claimed(purchase, left, customer_id, ClaimOutcome.CLAIMED)
        outcome = ClaimOutcome.TAKEN
    await store.INSERT_TRY.run(tx, **values(ReceiptTry(ids.uuid7(tx.now), customer_id, tx.now)))
    return Claimed(None, left - 1, customer_id, outcome)


async def _have(
    tx: Transaction, formula: ValueFormula, found: Purchase, customer_id: UUID, names: Collection[UUID]
) -> Purchase | None:
    """The purchase, a customer's now or before, by any of their names; None when it is another's."""
    stands = await purchase_store.GET_PURCHASE.one(tx, id=found.id)
    if stands.customer_id is None:
        alike = await _alike(tx, stands)
        if theirs := next((each for each in alike if each.customer_id in names), None):
            return theirs
        if alike:
            return None
    elif stands.customer_id not in names:
        return None
    if claimed := await store.CLAIM.all(tx, id=found.id, customer_id=customer_id, at=tx.now):
        await count_claimed(tx, claimed, formula)
    stands = await purchase_store.GET_PURCHASE.one(tx, id=found.id)
    return stands if stands.customer_id in names else None


async def _alike(tx: Transaction, found: Purchase) -> list[Purchase]:
    """What another source brought as somebody's that may be the same, from no other store."""
    if not found.reference:
        return []
    said = {name: getattr(found, name) for name in ("reference", "purchase_time", "paid", "currency_code")}
    return [
        each
        for each in await store.ALIKE.all(tx, **said)
        if each.source != found.source and (not each.store or not found.store or each.store == found.store)
    ]


async def _find(tx: Transaction, receipt_code: str, receipt: Receipt | None) -> Sequence[Purchase]:
    """The purchases that a receipt may be of; two stand for several."""
    if receipt is None:
        return await store.WITH_CODE.all(tx, receipt_hash=receipt_hash(receipt_code))
    begins, ends = receipt.day
    return await store.WITH_RECEIPT.all(
        tx,
        reference=receipt.reference,
        store=receipt.store,
        begins=begins,
        ends=ends,
        paid=receipt.amount,
        currency_code=receipt.amount_currency,
    )
