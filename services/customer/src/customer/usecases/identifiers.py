"""Adding and removing handles."""

from uuid import UUID

from chassis import ids
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import fact_of
from customer.domain.facts import IdentifierRemoved
from customer.domain.identifiers import Identifier, IdentifierType, check_room, same
from customer.domain.names import identifier_name
from customer.store.identifiers import DELETE_IDENTIFIER
from customer.usecases.customers import Held, claim, locked, record_added, refuse_taken, save
from customer.usecases.handles import judge


async def add_identifier(tx: Transaction, customer_id: UUID, type: IdentifierType, value: str) -> Held:
    """Give a customer a handle; nothing happens when they have it.

    NotFound; AlreadyExists IDENTIFIER_TAKEN when it belongs to another; FailedPrecondition
    TOO_MANY_IDENTIFIERS.
    """
    held = await locked(tx, customer_id)
    customer = held.customer
    handle = judge(type, value, customer.region_code)
    if any(same(identifier, handle) for identifier in held.identifiers):
        return held
    check_room(len(held.identifiers))
    identifier = Identifier(
        ids.uuid7(tx.now),
        customer.id,
        handle.type,
        handle.value,
        handle.normalized_value,
        handle.quality,
        tx.now,
    )
    if await claim(tx, [identifier]):
        await refuse_taken(tx, identifier, "identifier")
    customer.touch(tx.now)
    record_added(tx, identifier)
    await save(tx, [customer])
    held.identifiers.append(identifier)
    return held


async def remove_identifier(tx: Transaction, customer_id: UUID, identifier_id: UUID) -> Held:
    """Take a handle from a customer. NotFound when they do not have it."""
    held = await locked(tx, customer_id)
    identifier = next((i for i in held.identifiers if i.id == identifier_id), None)
    if identifier is None:
        raise NotFound(identifier_name(customer_id, identifier_id))
    held.identifiers.remove(identifier)
    held.customer.touch(tx.now)
    tx.record(fact_of(IdentifierRemoved, identifier), version=2)
    await DELETE_IDENTIFIER.run(tx, id=identifier_id)
    await save(tx, [held.customer])
    return held
