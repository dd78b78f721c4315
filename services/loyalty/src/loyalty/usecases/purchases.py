"""Recording purchases."""

from collections.abc import Callable, Sequence
from uuid import UUID

from chassis.db.database import Database
from chassis.db.transaction import Transaction
from loyalty.domain.facts import PurchaseRecorded, ValueChanged
from loyalty.domain.value import CustomerValue, Money, Purchase, ValueFormula, added_value
from loyalty.names import CUSTOMER, PURCHASE
from loyalty.store.purchases import ADD_VALUES, GET_IMPORTED, INSERT_PURCHASES, NEWEST_PURCHASE


async def record_purchases(
    tx: Transaction,
    purchases: Sequence[Purchase],
    formula: ValueFormula,
    acting: Callable[[int], None] = lambda _: None,
) -> tuple[list[Purchase], int]:
    """Record purchases that are new and add them to what their customers are worth.

    Args:
        tx: the transaction.
        purchases: with ids chosen; one with an import key that is known or repeated is not recorded again.
        formula: what makes a value a band.
        acting: called with a purchase's index before its facts are recorded, to say whose they are.

    Returns:
        For each of `purchases` the recorded one, then or now; and how many were recorded now.

    """
    # In the order of their keys, so that two imports of the same rows cannot wait for each other.
    ordered = sorted(purchases, key=lambda purchase: purchase.import_key or "")
    recorded = {purchase.id: purchase for purchase in await INSERT_PURCHASES.rows(tx, ordered)}
    known_keys = [p.import_key for p in purchases if p.import_key and p.id not in recorded]
    known = (
        {p.import_key: p for p in await GET_IMPORTED.all(tx, import_keys=known_keys)} if known_keys else {}
    )
    changed = await ADD_VALUES.rows(tx, added_value(recorded.values()))
    _tell(tx, purchases, recorded, {value.customer_id: value for value in changed}, formula, acting)
    return [recorded[p.id] if p.id in recorded else known[p.import_key] for p in purchases], len(recorded)


async def currency_stays(db: Database, formula: ValueFormula) -> None:
    """ValueError when purchases were recorded in another currency than the one that is set."""
    newest = await NEWEST_PURCHASE.maybe(db)
    if newest is not None and newest.currency_code != formula.currency:
        stays = newest.currency_code
        raise ValueError(f"purchases are recorded in {stays}, so RAPPORT_CURRENCY must be {stays}")


def _tell(
    tx: Transaction,
    purchases: Sequence[Purchase],
    recorded: dict[UUID, Purchase],
    changed: dict[UUID, CustomerValue],
    formula: ValueFormula,
    acting: Callable[[int], None],
) -> None:
    """One fact for each purchase; after a customer's first, what all of theirs made of the value."""
    told: dict[UUID, UUID] = {}
    for i, purchase in enumerate(purchases):
        if purchase.id not in recorded:
            continue
        acting(i)
        customer = CUSTOMER.format(purchase.customer_id)
        event_id = tx.record(
            PurchaseRecorded(
                purchase=PURCHASE.format(purchase.id),
                customer=customer,
                amount=Money(purchase.amount, purchase.currency_code),
                purchase_time=purchase.purchase_time,
                reference=purchase.reference,
            ),
            version=1,
        )
        if purchase.customer_id in told:
            tx.share(told[purchase.customer_id])
            continue
        value = changed[purchase.customer_id]
        told[purchase.customer_id] = tx.record(
            ValueChanged(
                customer_value=value.name,
                customer=customer,
                lifetime_value=formula.money(value.lifetime_value),
                purchase_count=value.purchase_count,
                band=formula.band(value),
                first_purchase_time=value.first_purchase_time,
                last_purchase_time=value.last_purchase_time,
            ),
            version=value.version,
            caused_by=event_id,
        )
