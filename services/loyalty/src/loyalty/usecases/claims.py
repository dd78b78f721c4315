"""Claiming purchases that are nobody's, by their receipts."""

from collections.abc import Collection
from uuid import UUID

from chassis import ids
from chassis.db.aliases import lock_person
from chassis.db.statement import LOCK_NAME, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from loyalty.domain.receipts import TRY_PERIOD, Claimed, Receipt, ReceiptTry, only, receipt_hash, tries_left
from loyalty.domain.value import Purchase, ValueFormula
from loyalty.store import purchases as purchase_store
from loyalty.store import receipts as store
from loyalty.usecases.purchases import count_claimed


async def claim_purchase(
    tx: Transaction, formula: ValueFormula, *, customer_id: UUID, receipt_code: str, receipt: Receipt | None
) -> Claimed:
    """Make a purchase that is nobody's a customer's, with what was given back of it; or count a wrong try.

    One that they have already, as another source brought it, is that one: nobody has it twice.
    FailedPrecondition `TOO_MANY_TRIES`, `RECEIPT_UNCLEAR`, `ALREADY_CLAIMED`.
    """
    found = await _find(tx, receipt_code, receipt)
    if found:  # before people, as whoever gives it back does; and nobody gives it back meanwhile
        await LOCK_NAME.run(tx, name=found.name)
    names = await lock_person(tx, customer_id)
    [[wrong]] = await store.COUNT_TRIES.all(tx, customer_ids=names, since=tx.now - TRY_PERIOD)
    left = tries_left(wrong)
    if found is None:
        await store.INSERT_TRY.run(tx, **values(ReceiptTry(ids.uuid7(tx.now), customer_id, tx.now)))
        return Claimed(None, left - 1, customer_id)
    if found.customer_id is None and (known := await _known(tx, found, names)):
        return Claimed(known, left, customer_id)
    claimed = await store.CLAIM.all(tx, id=found.id, customer_id=customer_id, at=tx.now)
    if claimed:
        await count_claimed(tx, claimed, formula)
    stands = await purchase_store.GET_PURCHASE.one(tx, id=found.id)
    if stands.customer_id not in names:
        raise _anothers(found)
    return Claimed(stands, left, customer_id)


async def _known(tx: Transaction, found: Purchase, names: Collection[UUID]) -> Purchase | None:
    """What another source brought that is what was found, and is the customer's already.

    FailedPrecondition `ALREADY_CLAIMED`: it is another's, from the same store.
    """
    if not found.reference:
        return None
    said = {name: getattr(found, name) for name in ("reference", "purchase_time", "paid", "currency_code")}
    alike = [each for each in await store.ALIKE.all(tx, **said) if each.source != found.source]
    for each in alike:
        if each.customer_id in names and (not each.store or not found.store or each.store == found.store):
            return each
    for each in alike:
        if each.store and each.store == found.store:
            raise _anothers(found)
    return None


def _anothers(purchase: Purchase) -> FailedPrecondition:
    told = f"{purchase.name} is another customer's"
    return FailedPrecondition("ALREADY_CLAIMED", told, {"resource": purchase.name})


async def _find(tx: Transaction, receipt_code: str, receipt: Receipt | None) -> Purchase | None:
    if receipt is None:
        return only(await store.WITH_CODE.all(tx, receipt_hash=receipt_hash(receipt_code)))
    begins, ends = receipt.day
    return only(
        await store.WITH_RECEIPT.all(
            tx,
            reference=receipt.reference,
            store=receipt.store,
            begins=begins,
            ends=ends,
            paid=receipt.amount,
            currency_code=receipt.amount_currency,
        )
    )
