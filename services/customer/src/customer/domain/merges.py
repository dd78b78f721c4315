"""Merges: which names are one customer's, as people decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.errors import AlreadyExists, FailedPrecondition
from customer.domain.customers import Customer
from customer.names import CUSTOMER, CUSTOMER_MERGE

NAMES_MAX = 500


class MergeState(StrEnum):
    """Whether a merge holds."""

    MERGED = "MERGED"
    UNDONE = "UNDONE"


@dataclass(slots=True)
class CustomerMerge:
    """That two names are of one customer, as it was asked for. Which survive follows from all merges."""

    id: UUID
    customer_id: UUID
    merged_customer_id: UUID
    reason_code: str
    comment: str
    state: MergeState
    actor: str
    create_time: datetime
    undo_actor: str
    undo_reason_code: str
    undo_time: datetime | None
    sequence: int  # of all merges and their undoing: what holds is played in this order
    known_by: int  # that of its undoing, once it is: a service that knows this one knows what holds
    version: int

    name = CUSTOMER_MERGE.named("id")
    customer = CUSTOMER.named("customer_id")
    merged_customer = CUSTOMER.named("merged_customer_id")

    def undo(self, actor: str, reason_code: str, now: datetime) -> None:
        """Say that it was wrong. FailedPrecondition UNDONE_ALREADY."""
        if self.state is MergeState.UNDONE:
            told = f"{self.name} was undone at {self.undo_time} by {self.undo_actor}."
            raise FailedPrecondition("UNDONE_ALREADY", told, {"resource": self.name})
        self.state, self.undo_actor, self.undo_reason_code = MergeState.UNDONE, actor, reason_code
        self.undo_time, self.version = now, self.version + 1


def survivors(names: Iterable[UUID], merges: Iterable[CustomerMerge]) -> dict[UUID, UUID]:
    """The name that survives, of each name, when these merges hold, which are about no other names.

    Played in their order: whoever `customer_id` is by then takes in all of whom `merged_customer_id` is.
    """
    found = {name: name for name in names}
    for merge in sorted(merges, key=lambda merge: merge.sequence):
        survivor, led_on = found[merge.customer_id], found[merge.merged_customer_id]
        found = {name: survivor if of == led_on else of for name, of in found.items()}
    return found


def check_mergeable(one: Customer, other: Customer, names: int) -> None:
    """Refuse to make one of two who are that already, cannot be, or would have too many names."""
    if one.id == other.id:
        told = f"Both names are of {one.name} already."
        raise AlreadyExists("MERGED_ALREADY", told, {"resource": one.name})
    if one.kind and other.kind and one.kind != other.kind:
        told = (
            "A person and an organization are two customers: say by a relationship how they belong together."
        )
        raise FailedPrecondition("OTHER_TYPE", told, {"type": one.kind})
    if names > NAMES_MAX:
        told = f"A customer has at most {NAMES_MAX} names, and would have {names}."
        raise FailedPrecondition("TOO_MANY_NAMES", told, {"most": NAMES_MAX})
