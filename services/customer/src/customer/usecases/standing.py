"""Which values stand. Whoever was merged is one person: ask for all of their ids, the survivor's first.

The value is found anew whenever it is read, among what was observed of any of the ids. So a merge and its
undoing write nothing here, and the value is the same whatever came first.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chassis.db.aliases import groups_of
from chassis.db.statement import Executor
from customer.domain import provenance
from customer.domain.attributes import (
    OTHERS_MAX,
    Attribute,
    Candidate,
    Judged,
    Observation,
    Pin,
    Reason,
    Standing,
    best_of_each,
    candidates,
    decided,
    latest_pin,
)
from customer.domain.customers import Customer
from customer.store import attributes as store
from customer.store.tables import CUSTOMERS_BY_ID

Key = tuple[UUID, str]


@dataclass(slots=True)
class Known:
    """What is known of values: the best of each source, what is pinned, and what that says."""

    candidates: dict[Key, list[Candidate]] = field(default_factory=lambda: defaultdict(list))
    pins: dict[Key, Pin] = field(default_factory=dict)
    pinned: dict[UUID, Observation] = field(default_factory=dict)

    def add(self, found: Iterable[Candidate]) -> list[Candidate]:
        """Take in what else is said; returns what is the best of its source now, and was not."""
        new = []
        for each in best_of_each(list(found)):
            held = self.candidates[each.customer_id, each.attribute_id]
            best = best_of_each([*held, each])
            if each in best and each not in held:
                self.candidates[each.customer_id, each.attribute_id] = best
                new.append(each)
        return new

    def pin(self, pin: Pin, observation: Observation | None = None) -> None:
        """Take in what a person pins, or releases."""
        self.pins[pin.customer_id, pin.attribute_id] = pin
        if observation is not None:
            self.pinned[observation.id] = observation

    def own_pin(self, customer_id: UUID, attribute_id: str) -> Pin:
        """What people did under one name alone."""
        return self.pins.get((customer_id, attribute_id)) or Pin(customer_id, attribute_id, None, "", None, 0)

    def standing(self, customer_ids: Sequence[UUID], attribute: Attribute) -> Standing:
        """What stands of whom these ids are."""
        keys = [(customer_id, attribute.id) for customer_id in customer_ids]
        found = [candidate for key in keys for candidate in self.candidates.get(key, ())]
        pins = [pin for key in keys if (pin := self.pins.get(key))]
        pin = latest_pin(pins)
        pinned = self._said(pin, attribute) if pin else None
        judged = decided(attribute, found, pinned)
        is_pinned = bool(judged) and judged[0].reason is Reason.PINNED
        return Standing(
            customer_ids[0],
            attribute,
            judged[0] if judged else None,
            judged[1:],
            sum(each.version for each in pins),
            pin if is_pinned else None,
        )

    def _said(self, pin: Pin, attribute: Attribute) -> Candidate | None:
        observation = self.pinned.get(pin.observation_id) if pin.observation_id else None
        said = candidates(observation) if observation else []
        return next((each for each in said if each.attribute_id == attribute.id and each.value), None)


async def ids_of(on: Executor, customer_id: UUID) -> list[UUID]:
    """All ids of a customer, the survivor's first."""
    groups = await groups_of(on, [customer_id])
    return survivor_first(groups.survivors[customer_id], groups.everybody)


def survivor_first(survivor: UUID, members: Sequence[UUID]) -> list[UUID]:
    """All ids of a customer, the survivor's first."""
    return [survivor, *(each for each in members if each != survivor)]


async def known(on: Executor, customer_ids: Sequence[UUID], attribute_ids: Sequence[str]) -> Known:
    """What is known of these attributes of these customers."""
    of = {"customer_ids": list(customer_ids), "attribute_ids": list(attribute_ids)}
    found = Known()
    for each in await store.CANDIDATES_OF.all(on, **of):
        found.candidates[each.customer_id, each.attribute_id].append(each)
    for pin in await store.PINS_OF.all(on, **of):
        found.pin(pin)
    pinned = [pin.observation_id for pin in found.pins.values() if pin.observation_id]
    if pinned:
        found.pinned = {each.id: each for each in await store.OBSERVATIONS_BY_ID.all(on, ids=pinned)}
    return found


async def standing(
    on: Executor, customer_ids: Sequence[UUID], attributes: Sequence[Attribute]
) -> list[Standing]:
    """What stands of these attributes of whom the ids are, in their order."""
    own = [each.id for each in attributes if not each.profile_field]
    found = await known(on, customer_ids, own) if own else Known()
    customers = {}
    if len(own) < len(attributes):
        customers = {each.id: each for each in await CUSTOMERS_BY_ID.all(on, ids=list(customer_ids))}
    said = await _said(on, customers.values())
    fields = [each.id for each in attributes if each.profile_field]
    lately: Sequence[Observation] = ()
    if fields:
        of = {"customer_ids": list(customers), "attribute_ids": fields}
        lately = await store.LATEST_OBSERVATIONS.all(on, **of)
    earlier = [each for observation in lately for each in candidates(observation)]
    return [
        _of_profile([customers[each] for each in customer_ids if each in customers], attribute, said, earlier)
        if attribute.profile_field
        else found.standing(customer_ids, attribute)
        for attribute in attributes
    ]


async def _said(on: Executor, customers: Iterable[Customer]) -> dict[UUID, Observation]:
    """The observations that profiles are made of."""
    ids = {UUID(each.observation) for customer in customers for each in provenance.sources(customer).values()}
    found = await store.OBSERVATIONS_BY_ID.all(on, ids=list(ids)) if ids else []
    return {each.id: each for each in found}


def _of_profile(
    customers: Sequence[Customer],
    attribute: Attribute,
    said: dict[UUID, Observation],
    lately: Sequence[Candidate],
) -> Standing:
    """What the survivor's profile says, what those of others do, and what was said before."""
    name = provenance.field_of(attribute.id)
    survivor = customers[0]
    profiles = [each for customer in customers if (each := _candidate(customer, attribute, name, said))]
    earlier = [each for each in lately if each.attribute_id == attribute.id and each.value]
    stands = next((each for each in profiles if each.customer_id == survivor.id), None)
    origin = provenance.sources(survivor).get(name)
    is_held = origin is not None and origin.held
    others = [
        each for each in (*profiles, *best_of_each(earlier)) if stands is None or each.value != stands.value
    ]
    distinct = list({(each.source, each.value): each for each in reversed(others)}.values())[::-1]
    judged = [Judged(each, _reason(each, stands, is_held)) for each in distinct[:OTHERS_MAX]]
    first = judged[0].reason if judged else Reason.ONLY
    pin = None
    if is_held and stands is not None:
        first = Reason.PINNED
        pin = Pin(survivor.id, attribute.id, stands.observation_id, stands.actor, stands.observe_time, 0)
    return Standing(
        survivor.id, attribute, Judged(stands, first) if stands else None, judged, survivor.version, pin
    )


def _candidate(
    customer: Customer, attribute: Attribute, name: str, said: dict[UUID, Observation]
) -> Candidate | None:
    """What a profile says, by whose word. What is older than observations is by nobody's."""
    value: str = getattr(customer, name)
    origin = provenance.sources(customer).get(name)
    by = said.get(UUID(origin.observation)) if origin else None
    if not value:
        return None
    return Candidate(
        customer.id,
        attribute.id,
        by.source if by else "",
        value,
        by.id if by else None,
        by.department_id if by else "",
        by.actor if by else "",
        by.observe_time if by else None,
        by.confidence if by else 0.0,
    )


def _reason(other: Candidate, stands: Candidate | None, is_held: bool) -> Reason:
    if stands is None or other.customer_id != stands.customer_id:
        return Reason.SURVIVOR
    return Reason.PINNED if is_held else Reason.LATER
