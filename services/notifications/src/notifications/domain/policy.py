"""Which facts lead to which notices."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from notifications.domain.customer_date import CustomerDate
from notifications.domain.notice import Concern
from notifications.domain.schedule import Day, Schedule
from notifications.domain.strategy import DeliveryStrategy
from notifications.domain.template import REQUIRED, Type
from notifications.names import DEPARTMENT, POLICY, TEMPLATE


@dataclass(frozen=True, slots=True)
class Means:
    """What a notice of a concern is requested by, and must be."""

    event_type: str  # the fact that leads to it
    kind: str  # what its notices are called; also the platform's policy
    type: Type  # of its template
    must_say: tuple[str, ...]  # whatever else its type must


CONCERNS = {
    Concern.AT_RISK: Means(
        "rapport.cases.v1.PromiseAtRisk", "promise-at-risk", Type.DELAY, REQUIRED[Type.DELAY]
    ),
    Concern.RECOVERED: Means(
        "rapport.cases.v1.PromiseRecovered", "promise-recovered", Type.INFORMATION, ("old_date",)
    ),
}
BY_EVENT = {means.event_type: means for means in CONCERNS.values()}
LIFETIME = timedelta(days=1)  # for how long a notice is of use of whose policy, or sender, says nothing


def takes_call_first(event_type: str) -> bool:
    """Whether an event is bad news, which a person may tell before a message does."""
    return event_type == CONCERNS[Concern.AT_RISK].event_type


class CallFirst(StrEnum):
    """Whether a person tells bad news before a message does; without one, whoever it is too much for."""

    NEVER = "NEVER"
    ALWAYS = "ALWAYS"


@dataclass(slots=True)
class PolicyTerms:
    """What a policy says."""

    event_type: str  # "" of one on a date of customers
    customer_date: CustomerDate | None
    template_id: str  # to send
    disabled: bool
    condition: str  # over `event`; "" holds always
    variables: dict[str, str]  # of the template, each an expression over `event`
    customer_field: str  # of the event: who is told; "" is `customer`
    subject_field: str  # of the event and of those that cancel it: what it is about; "" is its resource
    expire_after: timedelta | None
    cancel_event_types: list[str]
    schedule: Schedule | None  # None is at once
    delivery: DeliveryStrategy | None  # of its notices
    call_first: CallFirst | None  # of a delay; None: as the relationship asks

    @property
    def lasts(self) -> timedelta:
        """For how long its notices are of use."""
        return self.expire_after or LIFETIME

    @property
    def delay(self) -> timedelta:
        """How long after the event it is sent, where it is not on a day."""
        return (self.schedule and self.schedule.delay) or timedelta()

    @property
    def day(self) -> Day | None:
        """The day on which it is sent, if it is on one."""
        return self.schedule.day if self.schedule else None

    @property
    def reads(self) -> tuple[object, ...]:
        """What it reads of an event: while that stays, what was read is what it would read again."""
        what = (self.condition, self.variables, self.customer_field, self.subject_field)
        return self.event_type, *what, self.day and self.day.date_field


@dataclass(slots=True)
class NoticePolicy(PolicyTerms):
    """A rule: this fact leads to this notice. Every change is a new version, its deletion too."""

    id: str
    version: int
    department_id: str
    create_time: datetime
    update_time: datetime
    deleted: bool = False

    name = POLICY.named("id")
    template = TEMPLATE.named("template_id")
    department = DEPARTMENT.named("department_id")  # whose rule this is

    @property
    def of_promises(self) -> bool:
        """Whether it tells the dates of promises, which have their own way from fact to notice."""
        return self.event_type in BY_EVENT

    @property
    def trigger(self) -> str:
        """What leads to its notices."""
        return str(self.customer_date.date) if self.customer_date else self.event_type

    @property
    def idle(self) -> list[str]:
        """The fields that it fills in and that say nothing of what it tells."""
        names = [] if takes_call_first(self.event_type) else ["call_first"]
        if self.of_promises or self.customer_date:
            names += ["condition", "variables", "customer_field", "subject_field", "cancel_event_types"]
            names += ["schedule", "expire_after" if self.of_promises else "event_type"]
        filled = [name for name in names if getattr(self, name)]
        silence = self.of_promises and self.delivery and self.delivery.fallback_after
        return [*filled, "delivery.fallback_after"] if silence else filled
