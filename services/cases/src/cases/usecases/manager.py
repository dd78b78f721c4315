"""Who answers for the relationship with a customer."""

from uuid import UUID

from cases.store.managers import PUT_MANAGER, RelationshipManager
from chassis.db.statement import values
from chassis.db.transaction import Transaction


async def manager_assigned(tx: Transaction, customer_id: UUID, agent_id: str, version: int) -> None:
    """Take in whom the customer service named, whatever the order in which it arrives."""
    await tx.defer(PUT_MANAGER, **values(RelationshipManager(customer_id, agent_id, version, tx.now)))
