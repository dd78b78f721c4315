"""What contact with customers is for."""

from typing import TypedDict

from chassis.api.entities import created, own_department, owned, save
from chassis.db.transaction import Transaction
from chassis.facts import changed, fact_of
from customer.domain.consents import Default, Purpose
from customer.domain.facts import PurposeCreated, PurposeUpdated
from customer.names import PURPOSE
from customer.store.consents import INSERT_PURPOSE, LOCK_PURPOSE, UPDATE_PURPOSE


class PurposeChanges(TypedDict, total=False):
    """What of a purpose can be put otherwise."""

    display_name: str
    description: str


async def create_purpose(
    tx: Transaction,
    *,
    purpose_id: str,
    display_name: str,
    description: str,
    department_id: str | None,
    contact_default: Default,
) -> Purpose:
    """Create a purpose. AlreadyExists RESOURCE_EXISTS, PermissionDenied NOT_OWNER."""
    owner = own_department(tx, department_id, "purpose.department")
    purpose = Purpose(
        purpose_id, display_name, description, owner, contact_default, tx.now, tx.now, version=1
    )
    tx.require_owner(purpose)
    await created(tx, INSERT_PURPOSE, purpose)
    tx.record(fact_of(PurposeCreated, purpose), version=purpose.version)
    return purpose


async def update_purpose(tx: Transaction, *, purpose_id: str, changes: PurposeChanges, etag: str) -> Purpose:
    """Change how a purpose is called or described. PermissionDenied NOT_OWNER."""
    purpose = await owned(tx, PURPOSE, LOCK_PURPOSE, purpose_id, etag=etag)
    if fields := changed(purpose, changes):
        await save(tx, UPDATE_PURPOSE, purpose, fact_of(PurposeUpdated, purpose, updated_fields=fields))
    return purpose
