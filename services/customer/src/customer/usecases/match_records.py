"""What of customers is compared, and the keys by which those are found who may be one."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from customer.domain.identifiers import Identifier
from customer.domain.match_features import Features, features_of
from customer.store import matches as store
from customer.store.matches import MatchKey, MatchRecord

LOADED_AT_ONCE = 100


@dataclass(slots=True)
class Indexed:
    """What became of customers' keys: who is there, and of whom something is new."""

    known: dict[UUID, Features]
    changed: set[UUID] = field(default_factory=set)
    gone: set[UUID] = field(default_factory=set)


async def load(on: Executor, ids: Collection[UUID]) -> dict[UUID, Features]:
    """What of customers is compared; nothing of those who are no more.

    Some at a time: calls are answered between.
    """
    found: dict[UUID, Features] = {}
    asked = list(ids)
    for at in range(0, len(asked), LOADED_AT_ONCE):
        some = asked[at : at + LOADED_AT_ONCE]
        identifiers: dict[UUID, list[Identifier]] = {}
        for each in await store.IDENTIFIERS_AS_MADE.all(on, ids=some):
            identifiers.setdefault(each.customer_id, []).append(each)
        customers = await store.CUSTOMERS_AS_MADE.all(on, ids=some)
        found |= {each.id: features_of(each, identifiers.get(each.id, [])) for each in customers}
    return found


async def index(tx: Transaction, ids: Collection[UUID]) -> Indexed:
    """Give customers the keys that they are found by now."""
    found = Indexed(await load(tx, ids))
    before = {each.customer_id: each for each in await store.RECORDS_OF.all(tx, customer_ids=list(ids))}
    found.gone = set(ids) - found.known.keys()
    records: list[MatchRecord] = []
    for customer_id, features in found.known.items():
        digest = features.digest
        if customer_id not in before or before[customer_id].digest != digest:
            records.append(MatchRecord.of(customer_id, digest, features.keys))
    found.changed = {each.customer_id for each in records}
    await _replace_keys(tx, before, records, found.gone)
    return found


async def _replace_keys(
    tx: Transaction, before: Mapping[UUID, MatchRecord], records: list[MatchRecord], gone: Iterable[UUID]
) -> None:
    had = {(key, r.customer_id) for r in before.values() for key in r.keys}
    has = {(key, r.customer_id) for r in records for key in r.keys}
    replaced = {r.customer_id for r in records} | set(gone)
    if old := sorted(each for each in had - has if each[1] in replaced):
        keys, customers = zip(*old, strict=True)
        await store.DELETE_KEYS.run(tx, keys=list(keys), customers=list(customers))
    await store.INSERT_KEYS.rows(tx, [MatchKey(*each) for each in sorted(has - had)])
    await store.SAVE_RECORDS.rows(tx, records)
    if forgotten := sorted(before.keys() & set(gone)):
        await store.DELETE_RECORDS.run(tx, customer_ids=forgotten)


async def partners(
    tx: Transaction, features: Collection[Features], stop: Collection[int]
) -> tuple[set[tuple[UUID, UUID]], int]:
    """The pairs of these with whoever shares a key, (one of these, other), and how many looks were left out.

    Nobody is found by a key of `stop`, nor by one that too many share: those looks are left out.
    """
    keys = {each.customer_id: [key for key in each.keys if key not in stop] for each in features}
    holders, common = await store.holders_of_keys(tx, {key for each in keys.values() for key in each})
    pairs = {
        (customer_id, other)
        for customer_id, each in keys.items()
        for key in each
        for other in holders.get(key, ())
        if other != customer_id
    }
    return pairs, sum(key in common for each in keys.values() for key in each)
