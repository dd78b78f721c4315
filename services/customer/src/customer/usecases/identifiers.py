"""Adding and removing handles."""

from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import fact_of
from customer.domain.facts import IdentifierDeleted
from customer.domain.identifiers import Identifier, IdentifierType, check_room, same, taken
from customer.names import IDENTIFIER
from customer.store.identifiers import DELETE_IDENTIFIER
from customer.usecases.customers import claim, identified, locked, record_added, refuse_taken, save
from customer.usecases.handles import judge


async def create_identifier(
    tx: Transaction, *, customer_id: UUID, type: IdentifierType, system: str, value: str
) -> Identifier:
    """Give a customer a handle, judged in their region.

    NotFound; AlreadyExists IDENTIFIER_TAKEN when it belongs to them or to another; FailedPrecondition
    TOO_MANY_IDENTIFIERS.
    """
    held = await locked(tx, customer_id)
    customer = held.customer
    handle = judge(type, system, value, customer.region_code)
    for theirs in held.identifiers:
        if same(theirs, handle):
            raise taken("identifier", theirs.customer, identifier=theirs.name)
    check_room(len(held.identifiers))
    identifier = identified(tx, customer.id, handle)
    if await claim(tx, [identifier]):
        await refuse_taken(tx, identifier, "identifier")
    customer.touch(tx.now)
    record_added(tx, identifier)
    await save(tx, [customer])
    return identifier


async def delete_identifier(tx: Transaction, *, customer_id: UUID, identifier_id: UUID) -> None:
    """Take a handle from a customer. NotFound when they do not have it."""
    held = await locked(tx, customer_id)
    identifier = next((i for i in held.identifiers if i.id == identifier_id), None)
    if identifier is None:
        raise NotFound(IDENTIFIER.format(customer_id, identifier_id))
    held.customer.touch(tx.now)
    tx.record(fact_of(IdentifierDeleted, identifier), version=2)
    await DELETE_IDENTIFIER.run(tx, id=identifier_id)
    await save(tx, [held.customer])
