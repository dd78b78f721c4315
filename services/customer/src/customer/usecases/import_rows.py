"""Applying imported rows: each finds its customer and brings what is missing, or becomes a new customer."""

from collections.abc import Sequence
from uuid import UUID

from chassis import ids
from chassis.db.transaction import Transaction
from chassis.errors import Aborted
from customer.domain import facts
from customer.domain.customers import Customer
from customer.domain.identifiers import (
    MATCH_ORDER,
    MAX_IDENTIFIERS,
    Draft,
    Handle,
    Identifier,
    Key,
    distinct,
    same,
)
from customer.domain.names import customer_name
from customer.store.customers import LOCKED_CUSTOMERS
from customer.store.identifiers import IDENTIFIERS_OF
from customer.usecases.customers import Held, claim, insert_customers, prepare, record_added, save
from customer.usecases.resolve import owners_of


async def apply_drafts(
    tx: Transaction, drafts: Sequence[Draft], relationship_manager: str
) -> tuple[int, int]:
    """Apply rows in their order. Returns how many created a customer and how many matched one.

    A handle that belongs to another customer than the one the row matched stays where it is.
    Aborted when somebody took a handle meanwhile: try the whole chunk again.
    """
    owners = await owners_of(tx, (handle for draft in drafts for handle in draft.handles))
    known = await _known(tx, set(owners.values()))
    created: dict[UUID, Held] = {}
    changed: dict[UUID, Customer] = {}
    added: list[Identifier] = []
    for draft in drafts:
        owner = _match(draft.handles, owners)
        if owner is None:
            held = prepare(tx, draft, relationship_manager)
            known[held.customer.id] = created[held.customer.id] = held
            new = held.identifiers
        else:
            held = known[owner]
            new = _bring(tx, held, draft, owners)
            fields = held.customer.change({f: value for f, value in draft.profile.items() if value}, tx.now)
            if owner in created:
                held.customer.version = 1  # it is still being made
            elif fields or new:
                _record_changed(tx, held.customer, fields)
                changed[owner] = held.customer
        owners.update({identifier.key: identifier.customer_id for identifier in new if identifier.key})
        added += new
    if await claim(tx, added):
        raise Aborted("IDENTIFIER_TAKEN", "An identifier changed hands meanwhile: try again.")
    for identifier in added:
        if identifier.customer_id not in created:
            record_added(tx, identifier)
    if created:
        await insert_customers(tx, list(created.values()))
    if changed:
        await save(tx, list(changed.values()))
    return len(created), len(drafts) - len(created)


async def _known(tx: Transaction, customer_ids: set[UUID]) -> dict[UUID, Held]:
    """The customers that rows may match, locked, with their identifiers."""
    customers = await LOCKED_CUSTOMERS.all(tx, ids=list(customer_ids))
    known = {customer.id: Held(customer, []) for customer in customers}
    for identifier in await IDENTIFIERS_OF.all(tx, customer_ids=list(known)):
        known[identifier.customer_id].identifiers.append(identifier)
    return known


def _match(handles: Sequence[Handle], owners: dict[Key, UUID]) -> UUID | None:
    """The owner of the first known handle, in the order of `MATCH_ORDER`, then any."""
    rank = {kind: position for position, kind in enumerate(MATCH_ORDER)}
    for handle in sorted(handles, key=lambda handle: rank.get(handle.type, len(rank))):
        if handle.key in owners:
            return owners[handle.key]
    return None


def _bring(tx: Transaction, held: Held, draft: Draft, owners: dict[Key, UUID]) -> list[Identifier]:
    """The identifiers that a row adds to its customer: those that are nobody's, if there is room."""
    missing = [
        h
        for h in distinct(draft.handles)
        if h.key not in owners and not any(same(i, h) for i in held.identifiers)
    ]
    new = [
        Identifier(
            ids.uuid7(tx.now), held.customer.id, h.type, h.value, h.normalized_value, h.quality, tx.now
        )
        for h in missing[: MAX_IDENTIFIERS - len(held.identifiers)]
    ]
    held.identifiers += new
    return new


def _record_changed(tx: Transaction, customer: Customer, fields: list[str]) -> None:
    """Tell which profile fields changed; a customer that only got identifiers counts a change for them."""
    if fields:
        tx.record(facts.CustomerUpdated(customer_name(customer.id), fields), version=customer.version)
    else:
        customer.touch(tx.now)
