"""Recording purchases, also those that several sources bring: exports overlap."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import NamedTuple
from uuid import UUID

from chassis import ids, overlap
from chassis.api.formats import FORMATS
from chassis.db.aliases import groups_of
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from chassis.overlap import Outcome
from loyalty.domain.facts import PurchaseCorrected, PurchaseRecorded
from loyalty.domain.value import Purchase, ValueFormula, added_value
from loyalty.names import DEPARTMENT
from loyalty.store import purchases as store
from loyalty.usecases.bought import Asked
from loyalty.usecases.earning import earn
from loyalty.usecases.evaluating import Sale
from loyalty.usecases.qualify import qualify_by_purchases
from loyalty.usecases.returns import buyer, require_returnable
from loyalty.usecases.values import lock_people, move_other_names, put_in_bands, tell_value
from rapport.options.v1.options_pb2 import FORMAT_REFERENCE


class Recorded(NamedTuple):
    """What became of a purchase: as it stands, or None where it was only checked."""

    purchase: Purchase | None
    outcome: Outcome


class Batch(NamedTuple):
    """What became of each item."""

    results: list[Recorded]


async def record_batch(
    tx: Transaction, formula: ValueFormula, *, requests: Sequence[Asked], validate_only: bool
) -> Batch:
    """Record up to 1,000 purchases, those with an import key once ever. None if they are only validated."""
    department = tx.call.principal.department  # what departments call their sources is their own business
    keys = [f"{department}/{asked.import_key}" if asked.import_key else None for asked in requests]
    sent = [
        asked.purchase.purchase(tx.now, asked.receipt_code, key)
        for asked, key in zip(requests, keys, strict=True)
    ]
    confirmed = [asked.confirmed for asked in requests]
    purchases, unclear = await find_overlap(tx, sent, confirmed, validate_only=validate_only)
    unclear |= await _recorded_by_row(tx, [asked.further_keys(department) for asked in requests])
    clear = [purchase for i, purchase in enumerate(purchases) if i not in unclear]
    found = check_purchases(tx, clear) if validate_only else record_purchases(tx, clear, formula)
    recorded, none = iter(await found), Recorded(None, Outcome.UNCLEAR)
    return Batch([none if i in unclear else next(recorded) for i in range(len(purchases))])


async def _recorded_by_row(tx: Transaction, further: Sequence[Sequence[str]]) -> set[int]:
    """The indexes of purchases of several rows of which another than the first was recorded as a purchase."""
    keys = [key for each in further for key in each]
    known = {row["import_key"] for row in await store.KNOWN_KEYS.all(tx, import_keys=keys)} if keys else set()
    return {i for i, each in enumerate(further) if not known.isdisjoint(each)} if known else set()


async def record_purchases(
    tx: Transaction,
    purchases: Sequence[Purchase],
    formula: ValueFormula,
    acting: Callable[[int], None] = lambda _: None,
) -> list[Recorded]:
    """Record purchases that are new and add them to what their customers are worth.

    One with an import key that is known or repeated is not recorded again, but corrected when it says
    otherwise. `acting` is called with a purchase's index before its facts are recorded: to say whose they
    are.
    """
    await require_returnable(tx, purchases)
    # In the order of their keys, so that two imports of the same rows cannot wait for each other.
    ordered = sorted(purchases, key=lambda purchase: purchase.import_key or "")
    told = {purchase.id: purchase for purchase in await store.INSERT_PURCHASES.rows(tx, ordered)}
    new = set(told)
    again = [p for p in ordered if p.import_key and p.id not in told]
    keys = [p.import_key for p in again]
    known = {p.import_key: p for p in await store.GET_IMPORTED.all(tx, import_keys=keys)} if keys else {}
    differ = list(_corrections(await _of_their_names(tx, again, known), known))
    wrong, before, corrected = await _correct(tx, again, differ)
    moved = _buyers((*corrected.values(), *before))
    new_id, version = partial(ids.uuid7, tx.now), formula.version
    await lock_people(tx, moved | _buyers(told.values()))
    changed = await store.ADD_VALUES.rows(tx, added_value(told.values(), tx.now, new_id, version, moved))
    values = {value.customer_id: value for value in changed}
    if moved:
        counted = await store.COUNT_VALUES.all(tx, customer_ids=list(moved))
        values |= {value.customer_id: value for value in counted}
    bands = await put_in_bands(tx, list(values.values()), formula)
    told |= {wrong[key].id: purchase for key, purchase in corrected.items()}

    def tell_of(customer_id: UUID, caused_by: UUID | None) -> UUID:
        return tell_value(tx, values[customer_id], bands[customer_id], caused_by)

    was = {p.id: p for p in before}
    sales = _tell(tx, purchases, told, was, tell_of, acting)
    of = {sale.purchase.customer_id for sale in sales}
    for customer_id in values.keys() - of:  # whom a correction left without any of them
        tell_of(customer_id, None)
    await move_other_names(tx, values.values(), formula)
    await earn(tx, sales, bands, acting)
    await qualify_by_purchases(tx, values.keys())
    stands, mended = known | corrected, {purchase.id for purchase in wrong.values()}
    return [Recorded(told.get(p.id) or stands[p.import_key], _outcome(p.id, new, mended)) for p in purchases]


async def count_claimed(tx: Transaction, claimed: Sequence[Purchase], formula: ValueFormula) -> None:
    """Add purchases that were nobody's to what the customer is worth who claimed them, and tell of it."""
    await lock_people(tx, _buyers(claimed))
    new_id = partial(ids.uuid7, tx.now)
    values = await store.ADD_VALUES.rows(tx, added_value(claimed, tx.now, new_id, formula.version))
    bands = await put_in_bands(tx, values, formula)
    before = {purchase.id: replace(purchase, customer_id=None) for purchase in claimed}
    by_customer = {value.customer_id: value for value in values}

    def tell_of(customer_id: UUID, caused_by: UUID | None) -> UUID:
        return tell_value(tx, by_customer[customer_id], bands[customer_id], caused_by)

    stand = {purchase.id: purchase for purchase in claimed}
    sales = _tell(tx, claimed, stand, before, tell_of, lambda _: None)
    await move_other_names(tx, values, formula)
    await earn(tx, sales, bands, lambda _: None)
    await qualify_by_purchases(tx, by_customer.keys())


def _buyers(purchases: Iterable[Purchase]) -> set[UUID]:
    return {purchase.customer_id for purchase in purchases if purchase.customer_id}


async def check_purchases(tx: Transaction, purchases: Sequence[Purchase]) -> list[Recorded]:
    """What `record_purchases` would make of the purchases."""
    await require_returnable(tx, purchases)
    keys = [purchase.import_key for purchase in purchases if purchase.import_key]
    known = {p.import_key: p for p in await store.GET_IMPORTED.all(tx, import_keys=keys)}
    first = {p.import_key or p.id: p.id for p in reversed(purchases) if p.import_key not in known}
    again = [p for p in purchases if p.import_key in known]
    mended = _corrections(await _of_their_names(tx, again, known), known)
    new, wrong = set(first.values()), {purchase.id for purchase in mended.values()}
    return [Recorded(None, _outcome(p.id, new, wrong)) for p in purchases]


def _outcome(id: UUID, new: Set[UUID], corrected: Set[UUID]) -> Outcome:
    if id in new:
        return Outcome.CREATED
    return Outcome.CORRECTED if id in corrected else Outcome.KNOWN


async def _of_their_names(
    tx: Transaction, again: Sequence[Purchase], known: Mapping[str | None, Purchase]
) -> list[Purchase]:
    """What is said again, of the name that it was recorded of where that is another name of the customer.

    A merge moves nothing, nor does an import that meanwhile finds the name that survived; and what was
    nobody's stays whose it is since.
    """
    born = {p.id: known[p.import_key].customer_id for p in again}
    other = [p for p in again if p.customer_id != born[p.id]]
    if not other:
        return list(again)
    people = {name for p in other for name in (p.customer_id, born[p.id]) if name}
    whose = (await groups_of(tx, people)).whose
    before = {p.id: buyer(known[p.import_key], whose) for p in other}
    kept = {p.id for p in other if buyer(p, whose) in (None, before[p.id])}
    return [replace(p, customer_id=born[p.id]) if p.id in kept else p for p in again]


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
) -> tuple[dict[str | None, Purchase], list[Purchase], dict[str | None, Purchase]]:
    """Let purchases say what their rows say now: as said, as they were, as recorded now."""
    if not wrong:
        return {}, [], {}
    # What was read without the lock only says what to lock: somebody may have corrected or claimed it since.
    before = {p.import_key: p for p in await store.LOCK_IMPORTED.all(tx, import_keys=wrong)}
    said_again = [p for p in again if p.import_key in before]
    said = _corrections(await _of_their_names(tx, said_again, before), before)
    after = await store.CORRECT_PURCHASES.rows(tx, list(said.values()))
    return said, [before[key] for key in said], {p.import_key: p for p in after}


async def find_overlap(
    tx: Transaction, purchases: Sequence[Purchase], confirmed: Sequence[bool], *, validate_only: bool
) -> tuple[list[Purchase], set[int]]:
    """The purchases as they are to be recorded; the indexes of unclear ones that are not `confirmed`.

    One of a customer at a time with the reference and amount of another source's is that one, with its
    import key, and says what was given back of it since, unless another department brought it. With another
    amount it may be a line of it or the same number in another till, for numbers begin again with every till
    and year. Without a reference nothing tells equal ones apart.
    """
    groups = await groups_of(tx, _buyers(p for p in purchases if p.import_key))
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


def _tell(
    tx: Transaction,
    purchases: Sequence[Purchase],
    recorded: Mapping[UUID, Purchase],
    before: Mapping[UUID, Purchase],
    tell_of: Callable[[UUID, UUID | None], UUID],
    acting: Callable[[int], None],
) -> list[Sale]:
    """One fact for each purchase; after a customer's first, what all of theirs made of the value.

    `recorded` holds what stands, by the ids of `purchases`; `before` what was corrected, by its own.
    """
    told: dict[UUID, UUID] = {}
    sales: list[Sale] = []
    for i, sent in enumerate(purchases):
        purchase = recorded.get(sent.id)
        if purchase is None:
            continue
        acting(i)
        fact = _fact(purchase, before, tx.call.principal.department)
        event_id = tx.record(fact, version=purchase.version)
        sales.append(Sale(purchase, before.get(purchase.id), event_id, i))
        if purchase.customer_id in told:
            tx.share(told[purchase.customer_id])
        elif purchase.customer_id:
            told[purchase.customer_id] = tell_of(purchase.customer_id, event_id)
    return sales


def _fact(
    purchase: Purchase, before: Mapping[UUID, Purchase], department_id: str
) -> PurchaseRecorded | PurchaseCorrected:
    """A reference that is no code may be words about somebody, and stays here."""
    is_code = FORMATS[FORMAT_REFERENCE](purchase.reference) is None
    told = {
        "department": DEPARTMENT.format(department_id) if department_id else "",
        "reference": purchase.reference if is_code else "",
    }
    if purchase.version == 1:
        return fact_of(PurchaseRecorded, purchase, **told)
    was = before[purchase.id]
    moved = {"previous_customer": was.customer, "previous_net_amount": was.net_amount}
    return fact_of(PurchaseCorrected, purchase, **told, **moved)
