"""Which clocks run for what, and for how long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cases.domain.calendar import ALWAYS
from cases.domain.facts import ClockPolicyUpdated
from cases.names import CALENDAR, CLOCK_POLICY, DEPARTMENT
from chassis.errors import InvalidArgument, Violation
from chassis.facts import changed, fact_of


class Subject(StrEnum):
    """What a policy is about."""

    CASE = "CASE"
    WORK_ITEM = "WORK_ITEM"
    PROMISE = "PROMISE"


class ClockMetric(StrEnum):
    """What a clock measures."""

    FIRST_RESPONSE = "FIRST_RESPONSE"
    NEXT_RESPONSE = "NEXT_RESPONSE"
    RESOLUTION = "RESOLUTION"
    SILENCE = "SILENCE"
    DELAY_NOTIFICATION = "DELAY_NOTIFICATION"
    NEXT_PROMISE = "NEXT_PROMISE"


class Pause(StrEnum):
    """When RESOLUTION does not count, by itself."""

    WORK_BLOCKED = "WORK_BLOCKED"
    CUSTOMER_ANSWER = "CUSTOMER_ANSWER"


METRICS = {
    Subject.CASE: [*ClockMetric][:4],
    Subject.WORK_ITEM: [ClockMetric.FIRST_RESPONSE, ClockMetric.RESOLUTION],
    Subject.PROMISE: [ClockMetric.DELAY_NOTIFICATION, ClockMetric.NEXT_PROMISE],
}


@dataclass(slots=True)
class Target:
    """How long one clock has, and how long before its end it warns, in minutes of business time.

    That of `calendars/always` where none is given.
    """

    metric: ClockMetric
    business_minutes: int
    warning_minutes: int
    calendar_id: str | None = None

    calendar = CALENDAR.named("calendar_id")

    def __post_init__(self) -> None:
        self.calendar_id = self.calendar_id or ALWAYS


@dataclass(slots=True)
class ClockPolicy:
    """A rule: what its condition holds for has these clocks. Every change is a new version."""

    id: str
    version: int
    display_name: str
    department_id: str
    subject: Subject
    condition: str
    position: int
    disabled: bool
    create_time: datetime
    update_time: datetime
    targets: list[Target]
    pauses: list[Pause] = field(default_factory=list)

    name = CLOCK_POLICY.named("id")
    department = DEPARTMENT.named("department_id")

    @property
    def calendar_ids(self) -> list[str]:
        """The calendars that its clocks go by, each once."""
        return sorted({each.calendar_id or ALWAYS for each in self.targets})

    def target(self, metric: ClockMetric) -> Target | None:
        """How long it gives for something, if it does and is not switched off."""
        return next((each for each in self.targets if each.metric is metric and not self.disabled), None)

    def pauses_of(self, metric: ClockMetric) -> list[Pause]:
        """When such a clock does not count, by itself."""
        return self.pauses if metric is ClockMetric.RESOLUTION else []

    def update(self, changes: Mapping[str, Any]) -> ClockPolicyUpdated | None:
        """Take over `changes`, as the next version. Nothing when it is so already."""
        fields = changed(self, changes)
        return fact_of(ClockPolicyUpdated, self, updated_fields=fields) if fields else None


def check_targets(subject: Subject, targets: Sequence[Target]) -> None:
    """Refuse targets that no clock could have: InvalidArgument with all that is wrong."""
    wrong: list[Violation] = []
    for number, each in enumerate(targets):
        at = f"clock_policy.targets[{number}]"
        if each.metric in [other.metric for other in targets[:number]]:
            wrong.append(Violation(f"{at}.metric", "INVALID_ENUM", "must not be there twice"))
        if each.metric not in METRICS[subject]:
            allowed = f"must be one of {', '.join(METRICS[subject])}"
            wrong.append(Violation(f"{at}.metric", "INVALID_ENUM", allowed))
        if each.warning_minutes >= each.business_minutes:
            allowed = "must be fewer than business_minutes"
            wrong.append(Violation(f"{at}.warning_minutes", "INVALID_NUMBER", allowed))
    if wrong:
        raise InvalidArgument(wrong)
