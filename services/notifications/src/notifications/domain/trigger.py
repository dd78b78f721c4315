"""What policies make of what happens: who is told what about which thing, and what is not told any more.

About one thing the newest event counts, in whatever order they come and however often. `Mark` is what a
policy heard last of a thing; what is not newer than it changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.names import PLATFORM
from notifications.domain.notice import Notice
from notifications.domain.policy import NoticePolicy
from notifications.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class When:
    """Where an event stands among those about one thing.

    By the thing's own version, where both are events about it; else by their ids, which a service gives in
    the order in which it did what they tell. Not by their times: who waited for another began before.
    """

    version: int  # 0 of an event about another resource, whose versions tell nothing of the thing's
    id: UUID

    def __lt__(self, other: "When") -> bool:
        if self.version and other.version:
            return (self.version, self.id) < (other.version, other.id)
        return self.id < other.id


@dataclass(slots=True)
class Mark:
    """What a policy heard last of a thing; of one customer, where that concerns several, else of all: ""."""

    notice_policy_id: str
    subject: str
    customer: str
    version: int
    time: datetime
    event_id: UUID

    @property
    def when(self) -> When:
        """Where that event stands."""
        return When(self.version, self.event_id)


@dataclass(frozen=True, slots=True)
class Known:
    """What a policy heard before of a thing; `people` says by which name each customer is known now."""

    marks: Sequence[Mark]
    people: Mapping[str, str]

    def is_news(self, when: When, customer: str) -> bool:
        """Whether nothing newer, nor itself, was heard of this customer, or of all; "" is of all alone."""
        return all(
            mark.when < when
            for mark in self.marks
            if not mark.customer or self.are_one(mark.customer, customer)
        )

    def are_one(self, one: str, other: str) -> bool:
        """Whether two names are of one customer."""
        return self.people.get(one, one) == self.people.get(other, other)


@dataclass(frozen=True, slots=True)
class Word:
    """What an event means to a policy: to tell, by `notice`; without, that what waits is not to be told."""

    policy: NoticePolicy
    subject: str
    customer: str  # as of a mark
    when: When
    time: datetime
    cancels: bool  # else it is the policy's own event, which another of its kind supersedes
    notice: Notice | None = None
    asked_by: frozenset[int] | None = None  # the policy's versions whose notices it is about; None: all

    @property
    def key(self) -> tuple[str, str]:
        """The policy and the thing, of which one word is heard at a time."""
        return self.policy.id, self.subject

    def mark(self) -> Mark:
        """What is to be remembered of it."""
        when = self.when
        return Mark(self.policy.id, self.subject, self.customer, when.version, self.time, when.id)

    def withdraws(self, notices: Iterable[Notice], known: Known) -> Sequence[tuple[Notice, Reason]]:
        """The notices that are not to be sent any more, each with why.

        Word of all customers leaves be whoever has newer of their own.
        """
        why = Reason.CAUSE_GONE if self.cancels else Reason.SUPERSEDED
        return [
            (each, why)
            for each in notices
            if (not self.customer or known.are_one(self.customer, each.customer))
            and known.is_news(self.when, each.customer)
            and (self.asked_by is None or each.policy_version in self.asked_by)
            and not each.withdrawn
        ]


def hears(policy: NoticePolicy, department: str) -> bool:
    """Whether a policy may tell of an event of a department, `departments/{department}`; "" is nobody's."""
    return policy.department_id == PLATFORM or department in ("", policy.department)


def turn(policy: NoticePolicy) -> tuple[bool, str]:
    """In which order policies are asked: those of departments before the platform's, then by name.

    One that is tried and has no name yet is the last of its department's or the platform's.
    """
    return policy.department_id == PLATFORM, policy.id or "~"
