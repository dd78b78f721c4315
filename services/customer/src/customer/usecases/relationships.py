"""Noting, changing and ending what customers are to each other."""

from datetime import datetime
from uuid import UUID

from chassis import ids
from chassis.api.entities import found
from chassis.api.messages import seen
from chassis.db.statement import LOCK_NAME, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import Changes, fact_of
from customer.domain.facts import (
    RelationshipCreated,
    RelationshipDeleted,
    RelationshipEnded,
    RelationshipUpdated,
)
from customer.domain.relationships import SUBSIDIARY, Relationship, circle, exists, same_customer
from customer.names import CUSTOMER, RELATIONSHIP
from customer.store import relationships as store
from customer.usecases.people import lock_people


async def create_relationship(
    tx: Transaction,
    *,
    customer_id: UUID,
    related_customer_id: UUID,
    kind: str,
    role: str,
    start_time: datetime | None,
    end_time: datetime | None,
) -> Relationship:
    """Note what a customer is to another.

    NotFound; AlreadyExists RELATIONSHIP_EXISTS; FailedPrecondition SAME_CUSTOMER, RELATIONSHIP_CIRCLE.
    """
    relationship = Relationship(
        ids.uuid7(tx.now),
        customer_id,
        related_customer_id,
        kind,
        seen(role),
        start_time,
        end_time,
        tx.now,
        tx.now,
        version=1,
    )
    relationship.check_times()
    if kind == SUBSIDIARY:  # one at a time: none sees half of a circle
        await LOCK_NAME.run(tx, name=SUBSIDIARY)
    pair = await _keep_both(tx, customer_id, related_customer_id)
    await LOCK_NAME.run(tx, name=f"{kind} {pair}")
    if end_time is None:
        await _check_new(tx, relationship)
    await store.INSERT_RELATIONSHIP.rows(tx, [relationship])
    tx.record(fact_of(RelationshipCreated, relationship), version=relationship.version)
    return relationship


async def _keep_both(tx: Transaction, *pair: UUID) -> list[UUID]:
    """Have both be there, two, and merged with nobody until the transaction ends; who they are.

    Others may relate either to somebody else meanwhile: a company has many employees.
    """
    groups, known = await lock_people(tx, pair, sharing=True)
    for each in pair:
        if groups.survivors[each] not in known:
            raise NotFound(CUSTOMER.format(each))
    if len(groups.members) == 1:
        raise same_customer(*groups.members)
    return [groups.survivors[each] for each in pair]


async def _check_new(tx: Transaction, relationship: Relationship) -> None:
    pair = {
        "customer_id": relationship.customer_id,
        "related_customer_id": relationship.related_customer_id,
    }
    if held := await store.HOLDING.maybe(tx, **pair, kind=relationship.kind):
        raise exists(held.name)
    if relationship.kind == SUBSIDIARY and await store.BELONGS_TO.maybe(tx, **pair):
        raise circle(*pair.values())


async def update_relationship(
    tx: Transaction, *, relationship_id: UUID, changes: Changes[Relationship], etag: str
) -> Relationship:
    """Change or end a relationship. NotFound; FailedPrecondition RELATIONSHIP_ENDED."""
    relationship = await found(tx, RELATIONSHIP, store.LOCK_RELATIONSHIP, relationship_id, etag=etag)
    held = relationship.end_time is None
    if "role" in changes:
        changes["role"] = seen(changes["role"])
    fields = relationship.change(changes)
    if not fields:
        return relationship
    ends = held and relationship.end_time is not None
    if others := [field for field in fields if not (ends and field == "end_time")]:
        fact = fact_of(RelationshipUpdated, relationship, updated_fields=others)
        tx.record(fact, version=relationship.version)
    if ends:
        tx.record(fact_of(RelationshipEnded, relationship), version=relationship.version)
    relationship.update_time = tx.now
    await tx.defer(store.UPDATE_RELATIONSHIP, **values(relationship))
    return relationship


async def delete_relationship(tx: Transaction, *, relationship_id: UUID, etag: str) -> None:
    """Delete a relationship that was noted by mistake. NotFound."""
    relationship = await found(tx, RELATIONSHIP, store.LOCK_RELATIONSHIP, relationship_id, etag=etag)
    tx.record(fact_of(RelationshipDeleted, relationship), version=relationship.version + 1)
    await store.DELETE_RELATIONSHIP.run(tx, id=relationship.id)
