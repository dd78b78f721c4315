"""What is observed of customers is recorded, and people pin what stands."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from chassis import ids
from chassis.api import etags
from chassis.api.entities import found
from chassis.db.aliases import Groups
from chassis.db.statement import arrays
from chassis.db.transaction import Transaction
from chassis.errors import InvalidArgument, NotFound, Violation, invalid
from customer.domain import provenance
from customer.domain.attributes import (
    Attribute,
    DataClass,
    Observation,
    Standing,
    Type,
    candidates,
)
from customer.names import ATTRIBUTE, CUSTOMER, OBSERVATION
from customer.store import attributes as store
from customer.store.tables import UPDATE_CUSTOMERS, UPDATED_COLUMNS
from customer.usecases.changing_values import bring, tell
from customer.usecases.customers import lock_customer
from customer.usecases.people import lock_people
from customer.usecases.provenance import calling_source
from customer.usecases.standing import Key, Known, ids_of, known, standing, survivor_first

KNOWN_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is kept, and of what type it was sent; empty, and UNSPECIFIED, for none."""

    type: Type
    text: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What a source says of a customer, now without `observe_time`; `path` is where in the request."""

    customer_id: UUID
    source: str
    values: Mapping[str, Value]
    observe_time: datetime | None = None
    confidence: float = 1.0
    path: str = "observation"


async def record_observations(tx: Transaction, observed: Sequence[Observed]) -> list[Observation]:
    """Record what sources say, all or none, and tell of which attributes another value stands.

    NotFound without a customer; InvalidArgument UNKNOWN_ATTRIBUTE, PROFILE_FIELD, INVALID_VALUE with
    everything that is wrong.
    """
    attributes = await _known_attributes(tx, observed)
    people = await _lock(tx, {each.customer_id for each in observed})
    held = await known(tx, people.everybody, list(attributes))
    recorded = [_observation(tx, each) for each in observed]
    said = [candidate for each in recorded for candidate in candidates(each)]
    keys = sorted({(each.customer_id, each.attribute_id) for each in said})
    before = _standing(held, people, keys, attributes)
    await bring(tx, held, said, attributes)
    await store.INSERT_OBSERVATIONS.rows(tx, recorded)
    for each in recorded:
        tx.touch(each.name)
    await tell(tx, before, _standing(held, people, keys, attributes), held)
    return recorded


async def pin_value(
    tx: Transaction,
    customer_id: UUID,
    attribute_id: str,
    *,
    observation_id: UUID | None,
    value: Value,
    source: str,
    etag: str,
) -> Standing:
    """Have an observed value, or a new one, stand until it is released.

    An observation is pinned under the name that it is of: a merge that is undone takes it along. NotFound;
    PermissionDenied NOT_OWNER of a value that is another department's to read; InvalidArgument
    INVALID_VALUE; FailedPrecondition NOT_MANUAL, PROFILE_FIELD; Aborted ETAG_MISMATCH.
    """
    attribute = await _attribute(tx, attribute_id)
    if attribute.profile_field:
        attribute.refuse_of_profile("is pinned by a person who changes it with UpdateCustomer")
    attribute.require_manual()
    people = await _lock(tx, [customer_id])
    held = await known(tx, people.everybody, [attribute_id])
    before = _standing(held, people, [(customer_id, attribute_id)], {attribute_id: attribute})
    _match(etag, before)
    if observation_id is not None:
        observation = await found(tx, OBSERVATION, store.OBSERVATION, customer_id, observation_id)
        if not observation.contents.get(attribute_id):
            raise invalid("observation", "INVALID_VALUE", f"must be one with a value of {attribute.name}")
    else:
        _refuse(_wrong(attribute, value, "value"))
        by = source or calling_source(tx)
        observation = _observation(tx, Observed(customer_id, by, {attribute_id: value}))
        await bring(tx, held, candidates(observation), {attribute_id: attribute})
        await store.INSERT_OBSERVATIONS.rows(tx, [observation])
    own = held.own_pin(observation.customer_id, attribute_id)
    pin = replace(own, observation_id=observation.id, actor=tx.call.principal.subject, pin_time=tx.now)
    held.pin(pin, observation)
    await store.SAVE_PINS.rows(tx, [pin])
    return await _told(tx, before, held, people, attribute)


async def release_value(
    tx: Transaction, *, customer_id: UUID, attribute_value_id: str, etag: str
) -> Standing:
    """Have the rule decide again; let imports change a field of the profile. Refusals as of `pin_value`.

    Of a customer who was merged, whatever is pinned under any of the names.
    """
    attribute = await _attribute(tx, attribute_value_id)
    if attribute.profile_field:
        return await _release_field(tx, customer_id, attribute, etag)
    people = await _lock(tx, [customer_id])
    held = await known(tx, people.everybody, [attribute.id])
    before = _standing(held, people, [(customer_id, attribute.id)], {attribute.id: attribute})
    _match(etag, before)
    for pin in list(held.pins.values()):
        if pin.observation_id is not None:
            held.pin(replace(pin, observation_id=None, actor="", pin_time=None))
    await store.SAVE_PINS.rows(tx, list(held.pins.values()))
    return await _told(tx, before, held, people, attribute)


async def _attribute(tx: Transaction, attribute_id: str) -> Attribute:
    """The attribute whose value is decided, by who may see it: what is SENSITIVE is its department's."""
    attribute = await found(tx, ATTRIBUTE, store.ATTRIBUTE, attribute_id)
    if attribute.data_class is DataClass.SENSITIVE:
        tx.require_owner(attribute)
    return attribute


async def _release_field(tx: Transaction, customer_id: UUID, attribute: Attribute, etag: str) -> Standing:
    customer = await lock_customer(tx, customer_id)
    etags.match(etag, customer.name, customer.version)
    if provenance.release(customer, provenance.field_of(attribute.id)):
        customer.touch(tx.now)
        tx.touch(customer.name)
        await UPDATE_CUSTOMERS.run(tx, **arrays(UPDATED_COLUMNS, [customer]))
    return (await standing(tx, await ids_of(tx, customer_id), [attribute]))[0]


def _match(etag: str, before: Mapping[Key, Standing]) -> None:
    (only,) = before.values()
    etags.match(etag, only.name, only.version)


async def _told(
    tx: Transaction, before: Mapping[Key, Standing], held: Known, people: Groups, attribute: Attribute
) -> Standing:
    """Tell what became of one value, and answer with it."""
    of = {attribute.id: attribute}
    await tell(tx, before, _standing(held, people, before, of), held)
    (after,) = _standing(held, people, before, of).values()
    return after


async def _known_attributes(tx: Transaction, observed: Sequence[Observed]) -> dict[str, Attribute]:
    """The attributes of which something is said. InvalidArgument with everything that is wrong."""
    asked = sorted({attribute_id for each in observed for attribute_id in each.values})
    rows = await store.ATTRIBUTES_BY_ID.all(tx, ids=asked)
    known = {each.id: each for each in rows if each.delete_time is None}
    wrong: list[Violation] = []
    others = "" if known.keys() >= set(asked) else await _others(tx)
    for each in observed:
        for i, (attribute_id, value) in enumerate(each.values.items()):
            where, attribute = f"{each.path}.values[{i}]", known.get(attribute_id)
            if attribute is None:
                wrong.append(Violation(f"{where}.attribute", "UNKNOWN_ATTRIBUTE", f"must be one of {others}"))
            elif attribute.profile_field:
                told = "must not be a field of the profile: UpdateCustomer and imports change it"
                wrong.append(Violation(f"{where}.attribute", "PROFILE_FIELD", told))
            else:
                wrong += _wrong(attribute, value, f"{where}.value")
    _refuse(wrong)
    return known


async def _others(tx: Transaction) -> str:
    rows = await store.KNOWN_ATTRIBUTES.all(tx, most=KNOWN_SHOWN + 1)
    names = [ATTRIBUTE.format(row["id"]) for row in islice(rows, KNOWN_SHOWN)]
    more = [" and more, see ListAttributes"] if len(rows) > KNOWN_SHOWN else []
    return (", ".join(names) or "those that are declared, and none is so far") + "".join(more)


def _wrong(attribute: Attribute, value: Value, where: str) -> list[Violation]:
    """What is wrong with a value of an attribute. None is always right."""
    if not value.text:
        return []
    if value.type is not attribute.type:
        return [
            Violation(where, "INVALID_VALUE", f"must be of the type {attribute.type}, as {attribute.name} is")
        ]
    if attribute.type is Type.CODE and value.text not in attribute.codes:
        return [Violation(f"{where}.code", "INVALID_VALUE", f"must be one of {', '.join(attribute.codes)}")]
    return []


def _refuse(wrong: Sequence[Violation]) -> None:
    if wrong:
        raise InvalidArgument(wrong)


async def _lock(tx: Transaction, customer_ids: Collection[UUID]) -> Groups:
    """Who these are. NotFound.

    Nobody else records of them meanwhile, or two may each tell of the wrong value.
    """
    people, there = await lock_people(tx, customer_ids)
    for customer_id in customer_ids:
        if customer_id not in there:
            raise NotFound(CUSTOMER.format(customer_id))
    return people


def _observation(tx: Transaction, observed: Observed) -> Observation:
    principal = tx.call.principal
    return Observation(
        id=ids.uuid7(tx.now),
        customer_id=observed.customer_id,
        source=observed.source,
        department_id=principal.department,
        actor=principal.subject,
        origin="",
        observe_time=min(observed.observe_time or tx.now, tx.now),  # clocks differ
        confidence=observed.confidence,
        contents={attribute_id: value.text for attribute_id, value in observed.values.items()},
        create_time=tx.now,
        act_id=tx.id,
    )


def _standing(
    held: Known, people: Groups, keys: Iterable[Key], attributes: Mapping[str, Attribute]
) -> dict[Key, Standing]:
    """What stands, of whom the names are."""
    survivors = people.survivors
    return {
        (customer_id, attribute_id): held.standing(
            survivor_first(survivors[customer_id], people.members[survivors[customer_id]]),
            attributes[attribute_id],
        )
        for customer_id, attribute_id in keys
    }
