"""Who belongs to a membership, and who answers for it."""

from uuid import UUID

from chassis import ids
from chassis.api.entities import found, write
from chassis.db.aliases import lock_person
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, ResourceExists
from chassis.facts import fact_of
from loyalty.domain.facts import MemberJoined, MemberLeft, PrimaryMemberChanged
from loyalty.domain.membership import Member, MemberRole, Membership, require_room
from loyalty.names import MEMBER
from loyalty.store import memberships as store
from loyalty.usecases.memberships import earning_memberships, lock_membership


async def create_member(
    tx: Transaction, *, program_id: str, membership_id: UUID, customer_id: UUID
) -> Member:
    """Add a customer to a membership.

    NotFound; AlreadyExists when they are in one by any name; FailedPrecondition `MEMBERSHIP_CLOSED`,
    `TOO_MANY_MEMBERS`.
    """
    await lock_person(tx, customer_id)
    membership = await lock_membership(tx, program_id, membership_id)
    if held := await earning_memberships(tx, program_id, [customer_id]):
        raise ResourceExists(held[customer_id].name)
    membership.require_active()
    require_room(membership, await store.PRESENT_MEMBERS.all(tx, membership_id=membership_id), 1)
    new = Member(
        ids.uuid7(tx.now),
        program_id,
        membership_id,
        customer_id,
        MemberRole.MEMBER,
        tx.now,
        counts_from=tx.now,
    )
    if not await store.ADD_MEMBERS.rows(tx, [new]):  # they bought something meanwhile, and joined by it
        raise ResourceExists((await earning_memberships(tx, program_id, [customer_id]))[customer_id].name)
    joined(tx, membership, new)
    await write(tx, store.UPDATE_MEMBERSHIP, membership)
    return new


async def remove_member(
    tx: Transaction, *, program_id: str, membership_id: UUID, member_id: UUID, reason_code: str
) -> Member:
    """End a customer's time in a membership. NotFound; FailedPrecondition `MEMBER_LEFT`, `PRIMARY_MEMBER`."""
    membership = await lock_membership(tx, program_id, membership_id)
    member = await found(tx, MEMBER, store.GET_MEMBER, program_id, membership_id, member_id)
    member.require_present()
    if member.role is MemberRole.PRIMARY:
        told = f"{member.customer} answers for {membership.name}; have another member do so first."
        raise FailedPrecondition("PRIMARY_MEMBER", told, {"resource": member.name})
    left(tx, membership, member, reason_code)
    await store.SAVE_MEMBERS.rows(tx, [member])
    await write(tx, store.UPDATE_MEMBERSHIP, membership)
    return member


async def make_member_primary(
    tx: Transaction, *, program_id: str, membership_id: UUID, member_id: UUID
) -> Member:
    """Have a member answer for a membership. NotFound; FailedPrecondition `MEMBER_LEFT`."""
    membership = await lock_membership(tx, program_id, membership_id)
    member = await found(tx, MEMBER, store.GET_MEMBER, program_id, membership_id, member_id)
    member.require_present()
    if member.role is not MemberRole.PRIMARY:
        present = await store.PRESENT_MEMBERS.all(tx, membership_id=membership_id)
        before = [each for each in present if each.role is MemberRole.PRIMARY]
        for each in before:
            each.role = MemberRole.MEMBER
        member.role = MemberRole.PRIMARY
        membership.version += 1
        fact = fact_of(PrimaryMemberChanged, member, membership=membership.name)
        tx.record(fact, version=membership.version)
        await store.SAVE_MEMBERS.rows(tx, before)  # first: one at a time answers for it
        await store.SAVE_MEMBERS.rows(tx, [member])
        await write(tx, store.UPDATE_MEMBERSHIP, membership)
    return member


def joined(tx: Transaction, membership: Membership, member: Member) -> None:
    """Say that a customer belongs to it now."""
    membership.version += 1
    fact = fact_of(MemberJoined, member, membership=membership.name)
    tx.record(fact, version=membership.version)


def left(tx: Transaction, membership: Membership, member: Member, reason_code: str) -> None:
    """Have a customer belong to it no more, and say so."""
    member.leave(reason_code, tx.now)
    membership.version += 1
    fact = fact_of(MemberLeft, member, membership=membership.name, reason_code=reason_code)
    tx.record(fact, version=membership.version)
