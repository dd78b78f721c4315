"""Recording purchases, also those that several sources bring: exports overlap."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple
from uuid import UUID

from chassis import ids
from chassis.api.formats import FORMATS
from chassis.db.statement import LOCK_NAMES
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from chassis.names import EXPORTED
from chassis.overlap import Outcome
from loyalty.domain.facts import PurchaseCorrected, PurchaseRecorded
from loyalty.domain.value import Purchase, ValueFormula, added_value
from loyalty.names import DEPARTMENT, PURCHASE
from loyalty.store import purchases as store
from loyalty.store.receipts import CLAIM, NOBODYS
from loyalty.usecases.bought import Asked
from loyalty.usecases.correcting import correct, corrections, of_their_names
from loyalty.usecases.earning import earn
from loyalty.usecases.evaluating import Sale
from loyalty.usecases.overlapping import find_overlap
from loyalty.usecases.qualify import qualify_by_purchases
from loyalty.usecases.returns import buyers, require_returnable, returning
from loyalty.usecases.values import lock_people, move_other_names, put_in_bands, tell_value
from rapport.options.v1.options_pb2 import FORMAT_REFERENCE


class Recorded(NamedTuple):
    """What became of a purchase: as it stands, or None where it was only checked."""

    purchase: Purchase | None
    outcome: Outcome


# What an export of ours calls rows in an import key, before their names where it was made.
_EXPORTED = f"{EXPORTED}:"


class _Receipt(NamedTuple):
    """What stands on it, but where."""

    reference: str
    purchase_time: datetime
    paid: Decimal
    currency_code: str


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
    if not validate_only:
        await _claim(tx, sent, formula)
    confirmed = [asked.confirmed for asked in requests]
    purchases, unclear = await find_overlap(tx, sent, confirmed, validate_only=validate_only)
    unclear |= await _recorded_by_row(tx, [asked.further_keys(department) for asked in requests])
    came_back = await _came_back(tx, requests, sent)
    clear = [purchase for i, purchase in enumerate(purchases) if i not in unclear | came_back.keys()]
    found = check_purchases(tx, clear) if validate_only else record_purchases(tx, clear, formula)
    recorded, none = iter(await found), Recorded(None, Outcome.UNCLEAR)
    told = dict.fromkeys(unclear, none) | came_back
    return Batch([told.get(i) or next(recorded) for i in range(len(purchases))])


async def _came_back(
    tx: Transaction, requests: Sequence[Asked], sent: Sequence[Purchase]
) -> dict[int, Recorded]:
    """Of rows that an export calls by the name of a purchase that is here: it is known, or says otherwise.

    By index. Who is to correct it does so where it came from.
    """
    named = {
        i: found[0]
        for i, each in enumerate(requests)
        if each.import_key.startswith(_EXPORTED)
        and (found := PURCHASE.match(each.import_key.removeprefix(_EXPORTED))) is not None
    }
    asked = list(named.values())
    here = {p.id: p for p in await store.SOME_PURCHASES.all(tx, ids=asked)} if asked else {}
    return {
        i: Recorded(here[name], Outcome.KNOWN)
        if _content(here[name]) == _content(sent[i])
        else Recorded(None, Outcome.UNCLEAR)
        for i, name in named.items()
        if name in here
    }


def _content(purchase: Purchase) -> tuple[object, ...]:
    return *_receipt(purchase), purchase.refunded, purchase.store


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
    differ = corrections(await of_their_names(tx, again, known), known)
    wrong, before, corrected, went = await correct(tx, again, known, differ)
    moved = buyers((*corrected.values(), *before))
    new_id, version = partial(ids.uuid7, tx.now), formula.version
    await lock_people(tx, moved | buyers(told.values()))
    changed = await store.ADD_VALUES.rows(tx, added_value(told.values(), tx.now, new_id, version, moved))
    values = {value.customer_id: value for value in changed}
    if moved:
        counted = await store.COUNT_VALUES.all(tx, customer_ids=list(moved))
        values |= {value.customer_id: value for value in counted}
    bands = await put_in_bands(tx, list(values.values()), formula)
    told |= {wrong[key].id: purchase for key, purchase in corrected.items()}

    def tell_of(customer_id: UUID, caused_by: UUID | None) -> UUID:
        return tell_value(tx, values[customer_id], bands[customer_id], caused_by)

    was, told = {p.id: p for p in before}, told | {p.id: p for p in went}
    sales = _tell(tx, [*purchases, *went], told, was, tell_of, acting)
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
    await lock_people(tx, buyers(claimed))
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


async def _claim(tx: Transaction, sent: Iterable[Purchase], formula: ValueFormula) -> None:
    """Make customers' what another source brought as nobody's, and rows say now that they bought.

    By time, reference and amount, and of no other store. Which of several it is nobody knows.
    """
    said = [p for p in sent if p.import_key and p.customer_id and p.reference]
    by = defaultdict[_Receipt, list[Purchase]](list)
    for purchase in said:
        by[_receipt(purchase)].append(purchase)
    if not by:
        return
    references, times, amounts, currencies = zip(*by, strict=True)
    asked = {"references": references, "times": times, "amounts": amounts, "currencies": currencies}
    nobodys = defaultdict[_Receipt, list[Purchase]](list)
    for purchase in await NOBODYS.all(tx, **asked):
        nobodys[_receipt(purchase)].append(purchase)
    pairs = [(found[0], by[of][0]) for of, found in nobodys.items() if len(found) == len(by[of]) == 1]
    whose = {
        mine.id: theirs.customer_id
        for mine, theirs in pairs
        if mine.source != theirs.source and (not mine.store or not theirs.store or mine.store == theirs.store)
    }
    if whose:
        await LOCK_NAMES.run(tx, names=[PURCHASE.format(each) for each in whose])
        for each, customer_id in sorted(whose.items()):
            claimed = await CLAIM.all(tx, id=each, customer_id=customer_id, at=tx.now)
            await count_claimed(tx, claimed, formula)


def _receipt(purchase: Purchase) -> "_Receipt":
    return _Receipt(purchase.reference, purchase.purchase_time, purchase.paid, purchase.currency_code)


async def check_purchases(tx: Transaction, purchases: Sequence[Purchase]) -> list[Recorded]:
    """What `record_purchases` would make of the purchases."""
    await require_returnable(tx, purchases)
    keys = [purchase.import_key for purchase in purchases if purchase.import_key]
    known = {p.import_key: p for p in await store.GET_IMPORTED.all(tx, import_keys=keys)}
    first = {p.import_key or p.id: p.id for p in reversed(purchases) if p.import_key not in known}
    again = [p for p in purchases if p.import_key in known]
    returns = await returning(tx, [p.id for p in known.values() if p.refunded < p.paid])
    mended = corrections(await of_their_names(tx, again, known), known, returns)
    new, wrong = set(first.values()), {purchase.id for purchase in mended.values()}
    return [Recorded(None, _outcome(p.id, new, wrong)) for p in purchases]


def _outcome(id: UUID, new: Set[UUID], corrected: Set[UUID]) -> Outcome:
    if id in new:
        return Outcome.CREATED
    return Outcome.CORRECTED if id in corrected else Outcome.KNOWN


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
