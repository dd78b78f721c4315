"""Creating and changing customers, and the handles that they are found by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chassis import ids
from chassis.api import etags, handles
from chassis.api.entities import found
from chassis.db.aliases import groups_of
from chassis.db.statement import arrays, values
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from customer.domain import provenance
from customer.domain.customers import Customer, ProfileUpdate, new_customer
from customer.domain.facts import (
    CustomerCreated,
    CustomerUpdated,
    IdentifierCreated,
    RelationshipManagerAssigned,
)
from customer.domain.identifiers import (
    Draft,
    Handle,
    Identifier,
    IdentifierType,
    Quality,
    check_room,
    distinct,
    same,
    stand_ins,
    taken,
)
from customer.names import CUSTOMER
from customer.store import tables as store
from customer.store.identifiers import owners_of
from customer.usecases.claims import claim
from customer.usecases.provenance import Sayings, calling_source, is_person


def judge(type: IdentifierType, system: str, value: str, region_code: str) -> Handle:
    """The handle with its quality and the form in which it is matched."""
    return judged(system, value, handles.judge(type, value, region_code))


def judged(system: str, value: str, found: handles.Handle) -> Handle:
    """What was found of a value."""
    return Handle(IdentifierType(found.type), system, value, found.normalized_value, Quality(found.quality))


def doubt(handle: Handle) -> tuple[str, str] | None:
    """The reason why nobody is found or reached by the handle, and what is allowed; None when they are."""
    return handles.Handle(handle.type, handle.normalized_value, handle.quality).doubt()


@dataclass(slots=True)
class Held:
    """A customer with their identifiers."""

    customer: Customer
    identifiers: list[Identifier]


def prepare(tx: Transaction, draft: Draft, relationship_manager: str) -> Held:
    """A customer as `draft` describes it, and their identifiers; nothing is written. TOO_MANY_IDENTIFIERS."""
    handles = distinct(draft.handles)
    check_room(0, len(handles))
    customer = new_customer(ids.uuid7(tx.now), draft.profile, relationship_manager, tx.now)
    return Held(customer, [identified(tx, customer.id, handle) for handle in handles])


def identified(tx: Transaction, customer_id: UUID, handle: Handle) -> Identifier:
    """The handle as one of a customer; nothing is written."""
    return Identifier(
        ids.uuid7(tx.now),
        customer_id,
        **values(handle),
        create_time=tx.now,
        verification_method="",
        verify_time=None,
        verifier="",
        unreachable_time=None,
        version=1,
    )


async def refuse_taken(tx: Transaction, identifier: Identifier, field: str) -> None:
    """Raise AlreadyExists IDENTIFIER_TAKEN, naming the owner."""
    owners = await owners_of(tx, [identifier.key] if identifier.key else [])
    raise taken(field, CUSTOMER.format(owners[0][1]) if owners else "another customer")


async def insert_customers(tx: Transaction, created: Sequence[Held], sayings: Sayings) -> None:
    """Insert customers whose identifiers are claimed, with whose word they are, and tell."""
    for held in created:
        sayings.note(tx, held.customer, {})
        tx.record(fact_of(CustomerCreated, held.customer), version=held.customer.version)
        for identifier in held.identifiers:
            record_added(tx, identifier)
    await sayings.keep(tx)
    customers = [held.customer for held in created]
    await tx.defer(store.INSERT_CUSTOMERS, **arrays(store.INSERT_CUSTOMERS.columns, customers))


def record_added(tx: Transaction, identifier: Identifier) -> None:
    """Tell that a customer got a handle."""
    tx.record(fact_of(IdentifierCreated, identifier), version=1)


async def create_customer(tx: Transaction, draft: Draft, relationship_manager: str, source: str) -> Held:
    """Create a customer, by a source. AlreadyExists IDENTIFIER_TAKEN when a handle belongs to another."""
    held = prepare(tx, draft, relationship_manager)
    for lost in (await claim(tx, held.identifiers)).lost:
        await refuse_taken(tx, lost, "customer.identifiers")
    await insert_customers(tx, [held], Sayings(source or calling_source(tx)))
    return held


async def lock_customer(tx: Transaction, customer_id: UUID) -> Customer:
    """The customer, nobody else's to change or to merge until the end of the transaction. NotFound."""
    while True:
        customer = await found(tx, CUSTOMER, store.LOCKED_CUSTOMER, customer_id)
        if (await groups_of(tx, [customer_id])).survivors[customer_id] == customer.id:
            return customer  # and not somebody who was merged while we waited for them


async def locked(tx: Transaction, customer_id: UUID) -> Held:
    """The customer with identifiers, as `lock_customer`. NotFound."""
    customer = await lock_customer(tx, customer_id)
    return Held(customer, (await store.identifiers_of(tx, [customer.id]))[customer.id])


def without_stand_in(held: Held, changes: Mapping[str, str]) -> Mapping[str, str]:
    """The changes, and when they bring a real name to a customer known by an id so far, that id's end."""
    if held.customer.display_name not in stand_ins(held.identifiers) or "display_name" in changes:
        return changes
    real = any(changes.get(field) for field in ("given_name", "family_name", "organization_name"))
    return {**changes, "display_name": ""} if real else changes


async def save(tx: Transaction, customers: Sequence[Customer]) -> None:
    """Write customers back, as the last thing that the transaction does to them."""
    await tx.defer(store.UPDATE_CUSTOMERS, **arrays(store.UPDATED_COLUMNS, customers))


async def update_customer(
    tx: Transaction, customer_id: UUID, update: ProfileUpdate, etag: str, source: str
) -> Held:
    """Change what `update` names of a profile, by the word of a source. What a person changes, imports leave.

    Aborted ETAG_MISMATCH when `etag` is of another version; "" asks for nothing. FailedPrecondition
    OTHER_TYPE for a field of what the customer is not.
    """
    held = await locked(tx, customer_id)
    etags.match(etag, held.customer.name, held.customer.version)
    before = provenance.profile(held.customer)
    changed = held.customer.change(without_stand_in(held, held.customer.named_by(update)), tx.now)
    if changed:
        sayings = Sayings(source or calling_source(tx))
        sayings.note(tx, held.customer, before, provenance.FIELDS if is_person(tx) else ())
        await sayings.keep(tx)
        fact = fact_of(CustomerUpdated, held.customer, updated_fields=changed)
        tx.record(fact, version=held.customer.version)
        await save(tx, [held.customer])
    return held


async def assign_manager(tx: Transaction, customer_id: UUID, relationship_manager: str, etag: str) -> Held:
    """Name the human who answers for the relationship. Aborted ETAG_MISMATCH."""
    held = await locked(tx, customer_id)
    etags.match(etag, held.customer.name, held.customer.version)
    before = held.customer.relationship_manager
    if held.customer.assign(relationship_manager, tx.now):
        fact = fact_of(RelationshipManagerAssigned, held.customer, previous_relationship_manager=before)
        tx.record(fact, version=held.customer.version)
        await save(tx, [held.customer])
    return held


async def create_identifier(
    tx: Transaction, *, customer_id: UUID, type: IdentifierType, system: str, value: str, shared: bool
) -> Identifier:
    """Give a customer a handle, judged in their region.

    NotFound; AlreadyExists IDENTIFIER_TAKEN when it belongs to them or to another; FailedPrecondition
    TOO_MANY_IDENTIFIERS.
    """
    held = await locked(tx, customer_id)
    customer = held.customer
    handle = replace(judge(type, system, value, customer.region_code), shared=shared)
    for theirs in held.identifiers:
        if same(theirs, handle):
            raise taken("identifier", theirs.customer, identifier=theirs.name)
    check_room(len(held.identifiers))
    identifier = identified(tx, customer_id, handle)
    if (await claim(tx, [identifier])).lost:
        await refuse_taken(tx, identifier, "identifier")
    customer.touch(tx.now)
    record_added(tx, identifier)
    await save(tx, [customer])
    return identifier
