"""Forgetting a person: what the rows add up to stays, under a pseudonym that says nothing.

Their points go with them: who was alone in a membership leaves it closed and empty, its cards finding
nothing; a household keeps what it has, and somebody else answers for it. What was told of them, and who did
what, is in the tables of the chassis and goes after the days that these keep it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from chassis.db.aliases import groups_of, lock_person
from chassis.db.transaction import Transaction
from loyalty.domain.membership import Member, MemberRole, MembershipState
from loyalty.store import erasure as store
from loyalty.store.memberships import PRESENT_MEMBERS
from loyalty.usecases.book import Book
from loyalty.usecases.households import make_member_primary, remove_member
from loyalty.usecases.membership_ends import close_membership
from loyalty.usecases.memberships import lock_membership

_REASON = "customer-erased"


async def forget_customer(tx: Transaction, *, customer_id: UUID) -> None:
    """Take a customer, by all their names, from everything that is kept; each name gets a pseudonym.

    FailedPrecondition `RESERVATIONS_OPEN` while something is set aside for a redemption of theirs. Once they
    are forgotten it changes nothing.
    """
    await lock_person(tx, customer_id)
    groups = await groups_of(tx, [customer_id])
    for each in groups.members[groups.survivors[customer_id]]:
        for member in await store.PRESENT_AS.all(tx, customer_id=each):
            await _leave(tx, member)
        accounts = await store.ACCOUNTS_MADE_FOR.all(tx, customer_id=each)
        await Book.lock(tx, [row["name"] for row in accounts])  # in the order that all lock them in
        pseudonym = uuid4()
        for statement in store.RENAMED:
            await statement.run(tx, customer_id=each, pseudonym=pseudonym)


async def _leave(tx: Transaction, member: Member) -> None:
    """Have them belong to it no more, or what was theirs alone be nothing."""
    where: dict[str, Any] = {"program_id": member.program_id, "membership_id": member.membership_id}
    membership = await lock_membership(tx, **where)
    others = [
        each
        for each in await PRESENT_MEMBERS.all(tx, membership_id=member.membership_id)
        if each.id != member.id
    ]
    if others:
        await _hand_on(tx, member, others)
        await remove_member(tx, **where, member_id=member.id, reason_code=_REASON)
        return
    if membership.state is MembershipState.ACTIVE:
        await close_membership(
            tx,
            **where,
            receiving_membership_program_id=None,
            receiving_membership_id=None,
            reason_code=_REASON,
        )
    await store.FORGET_CARDS.run(tx, membership_id=member.membership_id)


async def _hand_on(tx: Transaction, member: Member, others: Sequence[Member]) -> None:
    """Have who has been in it longest answer for it, if they did."""
    if member.role is MemberRole.PRIMARY:
        heir = min(others, key=lambda each: each.join_time)
        await make_member_primary(
            tx, program_id=heir.program_id, membership_id=heir.membership_id, member_id=heir.id
        )
