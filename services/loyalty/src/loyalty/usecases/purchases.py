"""Recording purchases."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import NamedTuple
from uuid import UUID

from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.money import Money
from chassis.overlap import Outcome
from chassis.settings import WrongSettings
from loyalty.domain.facts import PurchaseRecorded, ValueChanged
from loyalty.domain.value import CustomerValue, Purchase, ValueFormula, added_value
from loyalty.names import CUSTOMER, PURCHASE
from loyalty.store.purchases import (
    ADD_VALUES,
    CORRECT_PURCHASES,
    COUNT_VALUES,
    GET_IMPORTED,
    INSERT_PURCHASES,
    LOCK_IMPORTED,
    NEWEST_PURCHASE,
)


class Recorded(NamedTuple):
    """What became of a purchase: as it stands, or None where it was only checked."""

    purchase: Purchase | None
    outcome: Outcome


async def record_purchases(
    tx: Transaction,
    purchases: Sequence[Purchase],
    formula: ValueFormula,
    acting: Callable[[int], None] = lambda _: None,
) -> list[Recorded]:
    """Record purchases that are new and add them to what their customers are worth.

    Args:
        tx: the transaction.
        purchases: with ids chosen; one with an import key that is known or repeated is not recorded again,
            but corrected when it says otherwise.
        formula: what makes a value a band.
        acting: called with a purchase's index before its facts are recorded, to say whose they are.

    """
    # In the order of their keys, so that two imports of the same rows cannot wait for each other.
    ordered = sorted(purchases, key=lambda purchase: purchase.import_key or "")
    told = {purchase.id: purchase for purchase in await INSERT_PURCHASES.rows(tx, ordered)}
    new = set(told)
    again = [p for p in ordered if p.import_key and p.id not in told]
    keys = [p.import_key for p in again]
    known = {p.import_key: p for p in await GET_IMPORTED.all(tx, import_keys=keys)} if keys else {}
    wrong, corrected, moved = await _correct(tx, again, list(_corrections(again, known)))
    changed = await ADD_VALUES.rows(tx, added_value(told.values(), moved))
    values = {value.customer_id: value for value in changed}
    if moved:
        counted = await COUNT_VALUES.all(tx, customer_ids=list(moved))
        values |= {value.customer_id: value for value in counted}
    told |= {wrong[key].id: purchase for key, purchase in corrected.items()}
    _tell(tx, purchases, told, values, formula, acting)
    stands, mended = known | corrected, {purchase.id for purchase in wrong.values()}
    return [Recorded(told.get(p.id) or stands[p.import_key], _outcome(p.id, new, mended)) for p in purchases]


async def check_purchases(tx: Transaction, purchases: Sequence[Purchase]) -> list[Recorded]:
    """What `record_purchases` would make of the purchases."""
    keys = [purchase.import_key for purchase in purchases if purchase.import_key]
    known = {p.import_key: p for p in await GET_IMPORTED.all(tx, import_keys=keys)}
    first = {p.import_key or p.id: p.id for p in reversed(purchases) if p.import_key not in known}
    mended = _corrections([p for p in purchases if p.import_key in known], known)
    new, wrong = set(first.values()), {purchase.id for purchase in mended.values()}
    return [Recorded(None, _outcome(p.id, new, wrong)) for p in purchases]


def _outcome(id: UUID, new: Set[UUID], corrected: Set[UUID]) -> Outcome:
    if id in new:
        return Outcome.CREATED
    return Outcome.CORRECTED if id in corrected else Outcome.KNOWN


def _corrections(
    again: Iterable[Purchase], known: Mapping[str | None, Purchase]
) -> dict[str | None, Purchase]:
    """What those of the known purchases are now that say otherwise than their rows say again."""
    said: dict[str | None, Purchase] = {}
    for p in again:
        said[p.import_key] = said.get(p.import_key, known[p.import_key]).corrected_by(p)
    return {key: p for key, p in said.items() if not p.says(known[key])}


async def _correct(
    tx: Transaction, again: Sequence[Purchase], wrong: list[str | None]
) -> tuple[dict[str | None, Purchase], dict[str | None, Purchase], set[UUID]]:
    """Let purchases say what their rows say now: as said, as recorded, and whose values count again."""
    if not wrong:
        return {}, {}, set()
    # What was read without the lock only says whom to lock: another import may have corrected it since.
    before = {p.import_key: p for p in await LOCK_IMPORTED.all(tx, import_keys=wrong)}
    said = _corrections([p for p in again if p.import_key in before], before)
    after = await CORRECT_PURCHASES.rows(tx, list(said.values()))
    moved = {p.customer_id for p in after} | {before[key].customer_id for key in said}
    return said, {p.import_key: p for p in after}, moved


async def currency_stays(db: Database, formula: ValueFormula) -> None:
    """WrongSettings when purchases were recorded in another currency than the one that is set."""
    newest = await NEWEST_PURCHASE.maybe(db)
    if newest is not None and newest.currency_code != formula.currency:
        stays = newest.currency_code
        raise WrongSettings(
            f"RAPPORT_CURRENCY: is {formula.currency}, and purchases are recorded in {stays}. Go on with "
            f"RAPPORT_CURRENCY={stays}, or count in {formula.currency} in an empty database: a local stack "
            "has one in another RAPPORT_HOME, or after `make clean`, which removes its data"
        )


def _tell(
    tx: Transaction,
    purchases: Sequence[Purchase],
    recorded: dict[UUID, Purchase],
    changed: dict[UUID, CustomerValue],
    formula: ValueFormula,
    acting: Callable[[int], None],
) -> None:
    """One fact for each purchase; after a customer's first, what all of theirs made of the value.

    `recorded` holds what stands, by the ids of `purchases`. A customer whom a correction left without any of
    them is told of last.
    """
    told: dict[UUID, UUID] = {}
    for i, sent in enumerate(purchases):
        purchase = recorded.get(sent.id)
        if purchase is None:
            continue
        acting(i)
        event_id = tx.record(
            PurchaseRecorded(
                purchase=PURCHASE.format(purchase.id),
                customer=CUSTOMER.format(purchase.customer_id),
                amount=Money(purchase.worth, purchase.currency_code),
                purchase_time=purchase.purchase_time,
                reference=purchase.reference,
                topic="corrected" if purchase.version > 1 else "",
            ),
            version=purchase.version,
        )
        if purchase.customer_id in told:
            tx.share(told[purchase.customer_id])
            continue
        value = changed[purchase.customer_id]
        told[purchase.customer_id] = _tell_value(tx, value, formula, event_id)
    for customer_id in changed.keys() - told.keys():
        _tell_value(tx, changed[customer_id], formula, None)


def _tell_value(tx: Transaction, value: CustomerValue, formula: ValueFormula, caused_by: UUID | None) -> UUID:
    return tx.record(
        ValueChanged(
            customer_value=value.name,
            customer=CUSTOMER.format(value.customer_id),
            lifetime_value=formula.money(value.lifetime_value),
            purchase_count=value.purchase_count,
            band=formula.band(value),
            first_purchase_time=value.first_purchase_time,
            last_purchase_time=value.last_purchase_time,
        ),
        version=value.version,
        caused_by=caused_by,
    )
