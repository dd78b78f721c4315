"""Which facts lead to which notices, and what a further fact means for a notice that exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from notifications.domain.notice import LIVE, Notice

PROMISE_AT_RISK = "rapport.cases.v1.PromiseAtRisk"
EVENT_TYPES = (PROMISE_AT_RISK,)


@dataclass(slots=True)
class NoticePolicy:
    """A rule: this fact leads to this notice. Every change is a new version."""

    id: str
    version: int
    event_type: str
    template: str
    enabled: bool
    department_id: str
    create_time: datetime

    @property
    def name(self) -> str:
        """The resource name."""
        return f"noticePolicies/{self.id}"

    @property
    def department(self) -> str:
        """`departments/{department}` whose rule this is."""
        return f"departments/{self.department_id}"


class Step(Enum):
    """What a fact asks for."""

    REQUEST = auto()
    REVISE = auto()
    NOTHING = auto()


def next_step(
    before: Sequence[Notice], variables: dict[str, str], promise_version: int
) -> tuple[Step, Notice | None]:
    """What an at-risk fact means, given the notices that the same policy made for the same promise.

    A customer is told a date once. While the message has not ended, a newer date replaces the older one in
    it; once it was sent the promise is renegotiated, and its successor has a name of its own.

    Args:
        before: those notices.
        variables: what a notice of this fact would say.
        promise_version: the promise's version after this fact; facts may arrive out of order.

    """
    live = next((notice for notice in before if notice.state in LIVE), None)
    if live is not None:
        newer = not live.ended and promise_version > live.promise_version and variables != live.variables
        return (Step.REVISE, live) if newer else (Step.NOTHING, None)
    if any(notice.variables.get("new_date") == variables["new_date"] for notice in before):
        return Step.NOTHING, None
    return Step.REQUEST, None
