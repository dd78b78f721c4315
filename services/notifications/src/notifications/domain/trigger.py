"""What policies make of what happens: who is told what about which thing, and what is not told any more.

About one thing the newest event counts, in whatever order they come and however often. `Mark` is what a
policy heard last of a thing; what is not newer than it changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.names import PLATFORM
from notifications.domain.notice import CAUSE_GONE, SUPERSEDED, Notice, State
from notifications.domain.policy import NoticePolicy

POLICY_OFF = "policy-off"


@dataclass(frozen=True, slots=True, order=True)
class When:
    """Where an event stands among those about one thing: by the version of the resource that they are about.

    The version is 0 where they are about different ones, whose versions tell nothing of each other.
    """

    version: int
    time: datetime
    id: UUID


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
        return When(self.version, self.time, self.event_id)


@dataclass(frozen=True, slots=True)
class Word:
    """What an event means to a policy: to tell, by `notice`; without, that what waits is not to be told."""

    policy: NoticePolicy
    subject: str
    customer: str  # as of a mark
    when: When
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
        return Mark(self.policy.id, self.subject, self.customer, when.version, when.time, when.id)

    def is_news(self, marks: Iterable[Mark]) -> bool:
        """Whether nothing newer, nor itself, was heard before of this customer."""
        return all(
            mark.when < self.when
            for mark in marks
            if not mark.customer or not self.customer or mark.customer == self.customer
        )

    def withdraws(self, notices: Iterable[Notice]) -> Sequence[tuple[Notice, str]]:
        """The notices that are not to be sent any more, each with why."""
        why = CAUSE_GONE if self.cancels else SUPERSEDED
        return [
            (each, why)
            for each in notices
            if each.state in (State.REQUESTED, State.SENDING)
            and self.customer in ("", each.customer)
            and (self.asked_by is None or each.policy_version in self.asked_by)
        ]


def hears(policy: NoticePolicy, department: str) -> bool:
    """Whether a policy may tell of an event of a department, `departments/{department}`; "" is nobody's."""
    return policy.department_id == PLATFORM or department in ("", policy.department)


def turn(policy: NoticePolicy) -> tuple[bool, str]:
    """In which order policies are asked: those of departments before the platform's, then by name."""
    return policy.department_id == PLATFORM, policy.id
