"""Creating and changing customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis import ids
from chassis.api import etags
from chassis.api.entities import found
from chassis.db.statement import arrays, values
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from customer.domain.customers import Customer, ProfileUpdate, new_customer
from customer.domain.facts import (
    CustomerCreated,
    CustomerUpdated,
    IdentifierCreated,
    RelationshipManagerAssigned,
)
from customer.domain.identifiers import Draft, Handle, Identifier, check_room, distinct, stand_ins, taken
from customer.names import CUSTOMER
from customer.store.customers import INSERT_CUSTOMERS, LOCKED_CUSTOMER, UPDATE_CUSTOMERS, UPDATED_COLUMNS
from customer.store.identifiers import CLAIM_IDENTIFIERS, IDENTIFIERS_OF, owners_of


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
    return Identifier(ids.uuid7(tx.now), customer_id, **values(handle), create_time=tx.now)


async def claim(tx: Transaction, identifiers: Sequence[Identifier]) -> list[Identifier]:
    """Insert identifiers; returns those that belong to somebody else by now.

    Waits for whoever is about to commit the same handle. All go in by one statement in the order of the
    handles, so that no two transactions wait for each other.
    """
    ordered = sorted(identifiers, key=lambda i: (i.type, i.system, i.normalized_value))
    inserted = {row["id"] for row in await CLAIM_IDENTIFIERS.rows(tx, ordered)}
    return [identifier for identifier in ordered if identifier.id not in inserted]


async def refuse_taken(tx: Transaction, identifier: Identifier, field: str) -> None:
    """Raise AlreadyExists IDENTIFIER_TAKEN, naming the owner."""
    owners = await owners_of(tx, [identifier.key] if identifier.key else [])
    raise taken(field, CUSTOMER.format(owners[0][1]) if owners else "another customer")


async def insert_customers(tx: Transaction, created: Sequence[Held]) -> None:
    """Insert customers whose identifiers are claimed, and tell."""
    for held in created:
        tx.record(fact_of(CustomerCreated, held.customer), version=held.customer.version)
        for identifier in held.identifiers:
            record_added(tx, identifier)
    customers = [held.customer for held in created]
    await tx.defer(INSERT_CUSTOMERS, **arrays(INSERT_CUSTOMERS.columns, customers))


def record_added(tx: Transaction, identifier: Identifier) -> None:
    """Tell that a customer got a handle."""
    tx.record(fact_of(IdentifierCreated, identifier), version=1)


async def create_customer(tx: Transaction, draft: Draft, relationship_manager: str) -> Held:
    """Create a customer. AlreadyExists IDENTIFIER_TAKEN when a handle belongs to another."""
    held = prepare(tx, draft, relationship_manager)
    for lost in await claim(tx, held.identifiers):
        await refuse_taken(tx, lost, "customer.identifiers")
    await insert_customers(tx, [held])
    return held


async def locked(tx: Transaction, customer_id: UUID) -> Held:
    """The customer with identifiers, nobody else's to change until the end of the transaction. NotFound."""
    customer = await found(tx, CUSTOMER, LOCKED_CUSTOMER, customer_id)
    return Held(customer, await IDENTIFIERS_OF.all(tx, customer_ids=[customer.id]))


def without_stand_in(held: Held, changes: Mapping[str, str]) -> Mapping[str, str]:
    """The changes, and when they bring a real name to a customer known by an id so far, that id's end."""
    if held.customer.display_name not in stand_ins(held.identifiers) or "display_name" in changes:
        return changes
    real = any(changes.get(field) for field in ("given_name", "family_name", "organization_name"))
    return {**changes, "display_name": ""} if real else changes


async def save(tx: Transaction, customers: Sequence[Customer]) -> None:
    """Write customers back, as the last thing that the transaction does to them."""
    await tx.defer(UPDATE_CUSTOMERS, **arrays(UPDATED_COLUMNS, customers))


async def update_customer(tx: Transaction, customer_id: UUID, update: ProfileUpdate, etag: str) -> Held:
    """Change what `update` names of a profile.

    Aborted ETAG_MISMATCH when `etag` is of another version; "" asks for nothing. FailedPrecondition
    OTHER_TYPE for a field of what the customer is not.
    """
    held = await locked(tx, customer_id)
    etags.match(etag, held.customer.name, held.customer.version)
    changes = without_stand_in(held, held.customer.named_by(update))
    changed = held.customer.change(changes, tx.now)
    if changed:
        fact = fact_of(CustomerUpdated, held.customer, updated_fields=changed)
        tx.record(fact, version=held.customer.version)
        await save(tx, [held.customer])
    return held


async def assign_manager(tx: Transaction, *, customer_id: UUID, relationship_manager: str, etag: str) -> Held:
    """Name the human who answers for the relationship. Aborted ETAG_MISMATCH."""
    held = await locked(tx, customer_id)
    etags.match(etag, held.customer.name, held.customer.version)
    before = held.customer.relationship_manager
    if held.customer.assign(relationship_manager, tx.now):
        fact = fact_of(RelationshipManagerAssigned, held.customer, previous_relationship_manager=before)
        tx.record(fact, version=held.customer.version)
        await save(tx, [held.customer])
    return held
