"""What becomes of memberships: merged and unmerged, closed and opened again, and points between them."""

from collections.abc import Sequence
from uuid import UUID

from chassis import ids
from chassis.api.entities import found, save, write
from chassis.db.transaction import Transaction
from chassis.errors import Aborted, invalid
from chassis.facts import fact_of
from loyalty.domain.facts import (
    MembershipClosed,
    MembershipMerged,
    MembershipReopened,
    MembershipUnmerged,
)
from loyalty.domain.ledger import Account, Transfer
from loyalty.domain.membership import Member, MemberRole, Membership, MembershipState, require_room
from loyalty.names import MEMBERSHIP, UNIT
from loyalty.store import memberships as store
from loyalty.store.ledger import OPEN_ACCOUNTS
from loyalty.store.tables import GET_UNIT
from loyalty.usecases.book import Book
from loyalty.usecases.hand_over import close_accounts, forfeit, hand_back, hand_over, hand_some, lock_pairs
from loyalty.usecases.households import joined, left
from loyalty.usecases.memberships import lock_membership, lock_memberships
from loyalty.usecases.tiers import merge_standings, unmerge_standings


async def merge_memberships(
    tx: Transaction,
    *,
    program_id: str,
    membership_id: UUID,
    merged_membership_program_id: str,
    merged_membership_id: UUID,
    reason_code: str,
) -> Membership:
    """Make one membership part of another, the one that is returned.

    NotFound; FailedPrecondition `MEMBERSHIP_CLOSED`, `RESERVATIONS_OPEN`, `TOO_MANY_MEMBERS`.
    """
    _require_another(
        "merged_membership", program_id, membership_id, merged_membership_program_id, merged_membership_id
    )
    held = await lock_memberships(tx, program_id, membership_id, merged_membership_id)
    into, merged = held[membership_id], held[merged_membership_id]
    into.require_active()
    merged.end(MembershipState.MERGED, reason_code, into.id)
    present = await store.PRESENT_MEMBERS.all(tx, membership_id=into.id)
    coming = await store.PRESENT_MEMBERS.all(tx, membership_id=merged.id)
    require_room(into, present, len(coming))
    book, pairs = await lock_pairs(tx, merged, into)
    for pair in pairs:
        hand_over(book, pair, reason_code, merged.id)
    await book.write()
    await close_accounts(tx, merged, closed=True)
    told = fact_of(MembershipMerged, merged, receiving_membership=into.name, reason_code=reason_code)
    tx.record(told, version=merged.version)
    await _move_members(tx, coming, merged, into, reason_code, merged.id)
    await write(tx, store.UPDATE_MEMBERSHIP, merged)
    await write(tx, store.UPDATE_MEMBERSHIP, into)
    await merge_standings(tx, into, merged)
    return into


async def unmerge_membership(
    tx: Transaction, *, program_id: str, membership_id: UUID, reason_code: str
) -> Membership:
    """Make a merged membership one of its own again, the one that is returned.

    NotFound; FailedPrecondition `MEMBERSHIP_NOT_MERGED`, `MEMBERSHIP_CLOSED`, `RESERVATIONS_OPEN`; Aborted
    when it becomes part of another at the same time.
    """
    asked = await found(tx, MEMBERSHIP, store.GET_MEMBERSHIP, program_id, membership_id)
    held = await lock_memberships(tx, program_id, membership_id, asked.merged_into_id or membership_id)
    merged, whole = held[membership_id], asked.merged_into_id
    if merged.merged_into_id not in (None, whole):  # what it is part of has to be locked before it
        why = f"{merged.name} became part of another meanwhile: try again."
        raise Aborted("REQUEST_IN_FLIGHT", why, retry_after_s=1)
    merged.unmerge()
    into = held[whole or membership_id]
    into.require_active()
    book, pairs = await lock_pairs(tx, into, merged)
    await close_accounts(tx, merged, closed=False)
    for pair in pairs:
        for account in pair.getter.values():
            account.closed = False
        await hand_back(book, pair, reason_code, merged)
    await book.write()
    told = fact_of(MembershipUnmerged, merged, receiving_membership=into.name, reason_code=reason_code)
    tx.record(told, version=merged.version)
    going = await store.CAME_WITH.all(tx, membership_id=into.id, came_with_id=merged.id)
    await _move_members(tx, going, into, merged, reason_code, None)
    await write(tx, store.UPDATE_MEMBERSHIP, into)
    await write(tx, store.UPDATE_MEMBERSHIP, merged)
    await unmerge_standings(tx, into, merged)
    return merged


async def _move_members(
    tx: Transaction,
    moving: Sequence[Member],
    giver: Membership,
    getter: Membership,
    reason_code: str,
    came_with_id: UUID | None,
) -> None:
    """Have members of one membership belong to another. Who came with it may come back and answer for it."""
    new = []
    for member in moving:
        left(tx, giver, member, reason_code)
        is_first = came_with_id is None and member.customer_id == getter.customer_id
        role = MemberRole.PRIMARY if is_first else MemberRole.MEMBER
        new.append(
            Member(
                id=ids.uuid7(tx.now),
                program_id=getter.program_id,
                membership_id=getter.id,
                customer_id=member.customer_id,
                role=role,
                join_time=tx.now,
                came_with_id=came_with_id,
                counts_from=tx.now,
            )
        )
    if came_with_id is None and new and all(each.role is MemberRole.MEMBER for each in new):
        new[0].role = MemberRole.PRIMARY
    await store.SAVE_MEMBERS.rows(tx, moving)
    await store.ADD_MEMBERS.rows(tx, new)
    for member in new:
        joined(tx, getter, member)


async def close_membership(
    tx: Transaction,
    *,
    program_id: str,
    membership_id: UUID,
    receiving_membership_program_id: str | None,
    receiving_membership_id: UUID | None,
    reason_code: str,
) -> Membership:
    """Close a membership; what it holds goes to another, or is forfeited.

    NotFound; FailedPrecondition `MEMBERSHIP_CLOSED`, `RESERVATIONS_OPEN`.
    """
    receiving = receiving_membership_id
    if receiving:
        _require_another(
            "receiving_membership",
            program_id,
            membership_id,
            receiving_membership_program_id or "",
            receiving,
        )
    held = await lock_memberships(tx, program_id, *filter(None, (membership_id, receiving)))
    closed, into = held[membership_id], held[receiving] if receiving else None
    if into:
        into.require_active()
    closed.end(MembershipState.CLOSED, reason_code, receiving)
    book, pairs = await lock_pairs(tx, closed, into)
    for pair in pairs:
        if into:
            hand_over(book, pair, reason_code, None)
        else:
            forfeit(book, pair, reason_code)
    await book.write()
    await close_accounts(tx, closed, closed=True)
    told = fact_of(
        MembershipClosed, closed, receiving_membership=into.name if into else "", reason_code=reason_code
    )
    await save(tx, store.UPDATE_MEMBERSHIP, closed, told)
    return closed


async def reopen_membership(
    tx: Transaction, *, program_id: str, membership_id: UUID, reason_code: str
) -> Membership:
    """Open a closed membership again. NotFound; FailedPrecondition `MEMBERSHIP_NOT_CLOSED`."""
    membership = await lock_membership(tx, program_id, membership_id)
    membership.reopen()
    await lock_pairs(tx, membership, None)
    await close_accounts(tx, membership, closed=False)
    told = fact_of(MembershipReopened, membership, reason_code=reason_code)
    await save(tx, store.UPDATE_MEMBERSHIP, membership, told)
    return membership


async def transfer_points(
    tx: Transaction,
    *,
    program_id: str,
    membership_id: UUID,
    receiving_membership_program_id: str,
    receiving_membership_id: UUID,
    unit_program_id: str,
    unit_id: str,
    amount: int,
    reason_code: str,
) -> Transfer:
    """Move points from one membership to another: one transfer, on the statements of both; ends stay.

    NotFound; FailedPrecondition `INSUFFICIENT_BALANCE`, `MEMBERSHIP_CLOSED`.
    """
    _require_another(
        "receiving_membership",
        program_id,
        membership_id,
        receiving_membership_program_id,
        receiving_membership_id,
    )
    if unit_program_id != program_id:
        raise invalid("unit", "INVALID_NAME", "must be of the same program as the membership")
    await found(tx, UNIT, GET_UNIT, program_id, unit_id)
    accounts = []
    for each in (membership_id, receiving_membership_id):
        member = await found(tx, MEMBERSHIP, store.GET_MEMBERSHIP, program_id, each)
        member.require_active()
        accounts.append(Account.of_member(member, unit_id, tx.now))
    await OPEN_ACCOUNTS.rows(tx, sorted(accounts, key=lambda account: account.id))
    book = await Book.lock(tx, [account.name for account in accounts])
    giver, getter = (book.accounts[account.name] for account in accounts)
    given = hand_some(book, giver, getter, amount, reason_code)
    await book.write()
    return given


def _require_another(
    field: str, program_id: str, membership_id: UUID, other_program_id: str, other_id: UUID
) -> None:
    if other_program_id != program_id or other_id == membership_id:
        raise invalid(field, "INVALID_NAME", "must be another membership of the same program")
