"""Memberships: who belongs to them, the cards that find them, and what becomes of them.

A customer is in one membership of a program at a time. One that is merged is part of another, which has its
members and what it held; it keeps its accounts, its cards and its history, so that it can be undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition
from loyalty.names import CARD, CUSTOMER, MEMBER, MEMBERSHIP, PROGRAM

MEMBERS_MAX = 20


class MembershipState(StrEnum):
    """What can be done with a membership."""

    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"
    MERGED = "MERGED"


class MemberRole(StrEnum):
    """What a customer is in a membership."""

    PRIMARY = "PRIMARY"
    MEMBER = "MEMBER"


class CardState(StrEnum):
    """Whether a card finds its membership."""

    ACTIVE = "ACTIVE"
    BLOCKED = "BLOCKED"


@dataclass(slots=True)
class Membership:
    """A place in a program, made for a customer, to which several may belong.

    `received_by_id` is the membership that got what it held when it was closed.
    """

    id: UUID
    program_id: str
    customer_id: UUID
    create_time: datetime
    update_time: datetime
    version: int = 1
    state: MembershipState = MembershipState.ACTIVE
    merged_into_id: UUID | None = None
    close_reason_code: str = ""
    received_by_id: UUID | None = None

    name = MEMBERSHIP.named("program_id", "id")
    program = PROGRAM.named("program_id")
    customer = CUSTOMER.named("customer_id")
    merged_into = MEMBERSHIP.named("program_id", "merged_into_id")

    def require_active(self) -> None:
        """FailedPrecondition `MEMBERSHIP_CLOSED` of one on which nothing can be done."""
        if self.state is not MembershipState.ACTIVE:
            told = f"{self.name} is {self.state}; that can be done with one that is ACTIVE."
            details = {"resource": self.name, "state": str(self.state)}
            raise FailedPrecondition("MEMBERSHIP_CLOSED", told, details)

    def end(self, state: MembershipState, reason_code: str, into: UUID | None = None) -> None:
        """Be closed, or part of another. FailedPrecondition `MEMBERSHIP_CLOSED`."""
        self.require_active()
        merged = state is MembershipState.MERGED
        self._become(state, reason_code, into if merged else None, None if merged else into)

    def unmerge(self) -> None:
        """Be one of its own again. FailedPrecondition `MEMBERSHIP_NOT_MERGED`."""
        if self.state is not MembershipState.MERGED:
            told = f"{self.name} is {self.state}; one that is MERGED can be one of its own again."
            raise FailedPrecondition("MEMBERSHIP_NOT_MERGED", told, {"resource": self.name})
        self._become(MembershipState.ACTIVE)

    def reopen(self) -> None:
        """Be active after it was closed. FailedPrecondition `MEMBERSHIP_NOT_CLOSED`."""
        if self.state is not MembershipState.CLOSED:
            told = f"{self.name} is {self.state}; one that is CLOSED can be opened again."
            raise FailedPrecondition("MEMBERSHIP_NOT_CLOSED", told, {"resource": self.name})
        self._become(MembershipState.ACTIVE)

    def _become(
        self,
        state: MembershipState,
        reason_code: str = "",
        merged_into_id: UUID | None = None,
        received_by_id: UUID | None = None,
    ) -> None:
        self.state, self.close_reason_code = state, reason_code
        self.merged_into_id, self.received_by_id = merged_into_id, received_by_id
        self.version += 1


@dataclass(slots=True)
class Member:
    """A customer's time in a membership.

    `came_with_id` is the membership that was merged into it with them. What they bought counts for the
    membership from `counts_from` on; None: whenever it was.
    """

    id: UUID
    program_id: str
    membership_id: UUID
    customer_id: UUID
    role: MemberRole
    join_time: datetime
    leave_time: datetime | None = None
    leave_reason_code: str = ""
    came_with_id: UUID | None = None
    counts_from: datetime | None = None

    name = MEMBER.named("program_id", "membership_id", "id")
    member = name  # as facts call it
    program = PROGRAM.named("program_id")
    membership = MEMBERSHIP.named("program_id", "membership_id")
    customer = CUSTOMER.named("customer_id")

    def leave(self, reason_code: str, at: datetime) -> None:
        """Belong to it no more. FailedPrecondition `MEMBER_LEFT`."""
        self.require_present()
        self.leave_time, self.leave_reason_code = at, reason_code

    def require_present(self) -> None:
        """FailedPrecondition `MEMBER_LEFT` of who left."""
        if self.leave_time is not None:
            told = f"{self.customer} left {self.membership} before."
            raise FailedPrecondition("MEMBER_LEFT", told, {"resource": self.name})


def require_room(membership: Membership, members: Sequence[Member], more: int) -> None:
    """FailedPrecondition `TOO_MANY_MEMBERS` when that many more would not fit."""
    if len(members) + more > MEMBERS_MAX:
        told = f"{membership.name} has {len(members)} members; there can be {MEMBERS_MAX} in one."
        raise FailedPrecondition("TOO_MANY_MEMBERS", told, {"resource": membership.name})


@dataclass(slots=True)
class Card:
    """What finds a membership: its number is one of those in use in the program.

    It is kept by a keyed hash and its end, `number_end`, which is what is told of it.
    """

    id: UUID
    program_id: str
    membership_id: UUID
    number_hash: str
    number_end: str
    state: CardState
    replaced_id: UUID | None
    replaced_card: str
    block_reason_code: str
    create_time: datetime
    update_time: datetime
    version: int = 1

    name = CARD.named("program_id", "membership_id", "id")
    card = name  # as facts call it

    @property
    def number(self) -> str:
        """What is told of its number."""
        return self.number_end

    def block(self, reason_code: str) -> None:
        """Find nothing any more. FailedPrecondition `CARD_BLOCKED`."""
        if self.state is CardState.BLOCKED:
            raise card_blocked(self.name)
        self.state, self.block_reason_code = CardState.BLOCKED, reason_code
        self.version += 1


def card_blocked(card: str) -> FailedPrecondition:
    """The refusal of a card that is blocked."""
    return FailedPrecondition("CARD_BLOCKED", f"{card} is blocked.", {"resource": card})
