"""Cards of memberships."""

from uuid import UUID

from chassis import ids
from chassis.api.entities import found, write
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists
from chassis.facts import fact_of
from loyalty.domain.card_numbers import CardNumber, CardNumbers
from loyalty.domain.facts import CardBlocked, CardIssued
from loyalty.domain.membership import Card, CardState, Membership
from loyalty.names import CARD
from loyalty.store import memberships as store
from loyalty.usecases.memberships import lock_membership


async def create_card(
    tx: Transaction, numbers: CardNumbers, *, program_id: str, membership_id: UUID, number: str
) -> Card:
    """Issue a card. NotFound; AlreadyExists; FailedPrecondition `MEMBERSHIP_CLOSED`, `NO_CARD_PEPPER`."""
    kept = numbers.kept(program_id, number, "card.number")
    membership = await lock_membership(tx, program_id, membership_id)
    membership.require_active()
    card = await _issue(tx, membership, kept, None)
    await write(tx, store.UPDATE_MEMBERSHIP, membership)
    return card


async def block_card(
    tx: Transaction, *, program_id: str, membership_id: UUID, card_id: UUID, reason_code: str
) -> Card:
    """Have a card find nothing any more. NotFound; FailedPrecondition `CARD_BLOCKED`."""
    membership = await lock_membership(tx, program_id, membership_id)
    card = await found(tx, CARD, store.LOCK_CARD, program_id, membership_id, card_id)
    await _block(tx, membership, card, reason_code)
    await write(tx, store.UPDATE_MEMBERSHIP, membership)
    return card


async def replace_card(
    tx: Transaction,
    numbers: CardNumbers,
    *,
    program_id: str,
    membership_id: UUID,
    card_id: UUID,
    number: str,
    reason_code: str,
) -> Card:
    """Block a card and issue another. NotFound; AlreadyExists; FailedPrecondition as of the two."""
    wanted = numbers.kept(program_id, number, "number")
    membership = await lock_membership(tx, program_id, membership_id)
    membership.require_active()
    lost = await found(tx, CARD, store.LOCK_CARD, program_id, membership_id, card_id)
    await _block(tx, membership, lost, reason_code)
    new = await _issue(tx, membership, wanted, lost)
    await write(tx, store.UPDATE_MEMBERSHIP, membership)
    return new


async def _issue(tx: Transaction, membership: Membership, number: CardNumber, replaced: Card | None) -> Card:
    card = Card(
        id=ids.uuid7(tx.now),
        program_id=membership.program_id,
        membership_id=membership.id,
        number_hash=number.number_hash,
        number_end=number.number_end,
        state=CardState.ACTIVE,
        replaced_id=replaced.id if replaced else None,
        replaced_card=replaced.name if replaced else "",
        block_reason_code="",
        create_time=tx.now,
        update_time=tx.now,
    )
    if await store.INSERT_CARD.maybe(tx, **values(card)) is None:
        taken = await store.CARD_BY_NUMBER.maybe(tx, program_id=card.program_id, number_hash=card.number_hash)
        raise ResourceExists(taken.name if taken else card.name)
    membership.version += 1
    told = fact_of(CardIssued, membership, card=card.name, replaced_card=card.replaced_card)
    tx.record(told, version=membership.version)
    return card


async def _block(tx: Transaction, membership: Membership, card: Card, reason_code: str) -> None:
    card.block(reason_code)
    card.update_time = tx.now
    membership.version += 1
    told = fact_of(CardBlocked, membership, card=card.name, reason_code=reason_code)
    tx.record(told, version=membership.version)
    await store.UPDATE_CARD.run(tx, **values(card))
