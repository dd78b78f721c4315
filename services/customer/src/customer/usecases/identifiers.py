"""What is known about handles: whether people share one, and whether a customer proved that they have it."""

from datetime import datetime
from uuid import UUID

from chassis.api import etags
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import Changes, fact_of
from customer.domain.contact import PROVED
from customer.domain.facts import (
    IdentifierDeleted,
    IdentifierUpdated,
    IdentifierVerificationWithdrawn,
    IdentifierVerified,
)
from customer.domain.identifiers import Identifier, held_by_several
from customer.names import IDENTIFIER
from customer.store import identifiers as store
from customer.store.tables import DELETE_IDENTIFIER
from customer.usecases.claims import claim
from customer.usecases.customers import Held, locked, save
from customer.usecases.taking_back import take_back


async def update_identifier(
    tx: Transaction, *, customer_id: UUID, identifier_id: UUID, changes: Changes[Identifier], etag: str
) -> Identifier:
    """Say whether people share a handle.

    NotFound; FailedPrecondition IDENTIFIER_SHARED when they do not, and others have it.
    """
    held, identifier = await _of(tx, customer_id, identifier_id, etag)
    if changes.get("shared", identifier.shared) == identifier.shared:
        return identifier
    identifier.shared = not identifier.shared
    identifier.version += 1
    if identifier.shared:
        await store.SHARE_IDENTIFIERS.run(tx, ids=[identifier.id])
        await _note(tx, held, identifier)
    else:
        await _have_alone(tx, held, identifier)
        await _count(tx, held)
    fact = fact_of(IdentifierUpdated, identifier, updated_fields=["shared"])
    tx.record(fact, version=identifier.version)
    return identifier


async def _have_alone(tx: Transaction, held: Held, identifier: Identifier) -> None:
    """Claim anew what was shared. FailedPrecondition IDENTIFIER_SHARED when others have it.

    Another name of the same customer is one of these: a merge may be undone.
    """
    await DELETE_IDENTIFIER.run(tx, id=identifier.id)
    claimed = await claim(tx, [identifier])
    owners = await store.owners_of(tx, [identifier.key] if identifier.key else [])
    others = {owner for _, owner in owners} - {held.customer.id}
    if others or claimed.lost or claimed.joined:
        raise held_by_several("identifier.shared", others or {held.customer.id})


async def verify_identifier(
    tx: Transaction, *, customer_id: UUID, identifier_id: UUID, method: str, etag: str
) -> Identifier:
    """Note that the customer proved that they have a handle. NotFound."""
    held, identifier = await _of(tx, customer_id, identifier_id, etag)
    await prove(tx, held, identifier, method)
    return identifier


async def prove(tx: Transaction, held: Held, identifier: Identifier, method: str) -> None:
    """The customer, who is locked, has just proved that they have this handle of theirs."""
    identifier.verify(method, tx.call.principal.subject, tx.now)
    tx.record(fact_of(IdentifierVerified, identifier, method=method), version=identifier.version)
    await _note(tx, held, identifier)


async def withdraw_verification(
    tx: Transaction, *, customer_id: UUID, identifier_id: UUID, reason_code: str, etag: str
) -> Identifier:
    """Note that it is not known any more whether the customer has a handle. NotFound."""
    held, identifier = await _of(tx, customer_id, identifier_id, etag)
    if method := identifier.withdraw_verification():
        told = {"method": method, "reason_code": reason_code}
        tx.record(fact_of(IdentifierVerificationWithdrawn, identifier, **told), version=identifier.version)
        await _note(tx, held, identifier)
    return identifier


async def delete_identifier(tx: Transaction, *, customer_id: UUID, identifier_id: UUID) -> None:
    """Take a handle from a customer. NotFound when they do not have it.

    What was sent to an address that may never have been theirs does not open their pages any more.
    """
    held, identifier = await _of(tx, customer_id, identifier_id, "")
    tx.record(fact_of(IdentifierDeleted, identifier), version=identifier.version + 1)
    await DELETE_IDENTIFIER.run(tx, id=identifier_id)
    await _count(tx, held)
    if identifier.type in PROVED.values():
        await take_back(tx, [identifier.customer_id])


async def number_failed(tx: Transaction, customer_id: UUID, identifier_id: UUID, at: datetime) -> None:
    """Somebody called a number and it was not the customer's. Of what is theirs no more it says nothing."""
    try:
        held, identifier = await _of(tx, customer_id, identifier_id, "")
    except NotFound:
        return
    if identifier.fail(at):
        fact = fact_of(IdentifierUpdated, identifier, updated_fields=["unreachable_time"])
        tx.record(fact, version=identifier.version)
        await _note(tx, held, identifier)


async def _of(tx: Transaction, customer_id: UUID, identifier_id: UUID, etag: str) -> tuple[Held, Identifier]:
    """The identifier, with its customer, who is locked: all that changes one locks them first."""
    held = await locked(tx, customer_id)
    for identifier in held.identifiers:
        if identifier.id == identifier_id:
            etags.match(etag, identifier.name, identifier.version)
            return held, identifier
    raise NotFound(IDENTIFIER.format(customer_id, identifier_id))


async def _note(tx: Transaction, held: Held, identifier: Identifier) -> None:
    """Write what is noted on an identifier; shared or not is written elsewhere."""
    noted = {name: getattr(identifier, name) for name in store.NOTED}
    await store.NOTE_ON_IDENTIFIER.run(tx, id=identifier.id, **noted)
    await _count(tx, held)


async def _count(tx: Transaction, held: Held) -> None:
    """The customer as a whole, who is shown with their identifiers, is another version."""
    held.customer.touch(tx.now)
    await save(tx, [held.customer])
