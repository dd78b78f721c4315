"""What is said of customers is kept, and whoever another value stands of is told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from customer.domain.attributes import Attribute, Candidate, Standing
from customer.domain.facts import AttributeValueUpdated
from customer.store import attributes as store
from customer.usecases.standing import Key, Known

SOURCES_MAX = 100


async def bring(
    tx: Transaction, held: Known, said: Sequence[Candidate], attributes: Mapping[str, Attribute]
) -> None:
    """Keep what is the best of its source; where there are too many, what would stand last gives way."""
    new = held.add(said)
    beyond = []
    for key in {(each.customer_id, each.attribute_id) for each in new}:
        trust = attributes[key[1]].trust
        ranked = sorted(held.candidates[key], key=lambda each: (trust(each.teller), each.strength))
        beyond += ranked[:-SOURCES_MAX]
        held.candidates[key] = ranked[-SOURCES_MAX:]
    await store.SAVE_CANDIDATES.rows(tx, [each for each in new if each not in beyond])
    if beyond:
        keys = [(each.customer_id, each.attribute_id, each.department_id, each.source) for each in beyond]
        names = ("customers", "attributes", "departments", "sources")
        columns = dict(zip(names, map(list, zip(*keys, strict=True)), strict=True))
        await store.DELETE_CANDIDATES.run(tx, **columns)


async def tell(
    tx: Transaction, before: Mapping[Key, Standing], after: Mapping[Key, Standing], held: Known
) -> None:
    """Count and tell where another value stands, or is pinned."""
    changed = []
    for key, now in after.items():
        if _shown(now) == _shown(before[key]):
            continue
        own = held.own_pin(*key)
        pin = replace(own, version=own.version + 1)
        held.pin(pin)
        changed.append(pin)
        by = now.standing.candidate if now.standing else None
        fact = fact_of(
            AttributeValueUpdated,
            pin,
            department=by.department if by else "",
            source=by.source if by else "",
            observe_time=by.observe_time if by else tx.now,
            pinned=now.pin is not None,
            topic=pin.topic,
        )
        tx.record(fact, version=pin.version)
    await store.SAVE_PINS.rows(tx, changed)


def _shown(each: Standing) -> tuple[str, UUID | None]:
    return (
        each.standing.candidate.value if each.standing else "",
        each.pin.observation_id if each.pin else None,
    )
