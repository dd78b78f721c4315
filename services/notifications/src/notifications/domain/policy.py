"""Which facts lead to which notices."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notifications.domain.notice import Concern
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
SEND_HOUR = 9


@dataclass(slots=True)
class NoticePolicy:
    """A rule: this fact leads to this notice. Every change is a new version, its deletion too."""

    id: str
    version: int
    event_type: str
    template_id: str
    disabled: bool
    department_id: str
    create_time: datetime
    update_time: datetime
    deleted: bool = False
    condition: str = ""  # over `event`; "" holds always
    variables: dict[str, str] = field(
        default_factory=dict
    )  # of the template, each an expression over `event`
    customer_field: str = ""  # of the event: who is told; "" is `customer`
    subject_field: str = ""  # of the event and of those that cancel it: what it is about; "" is its resource
    expire_after: timedelta | None = None
    cancel_event_types: list[str] = field(default_factory=list)
    after: timedelta | None = None  # how long after the event
    date_field: str = ""  # of the event, on whose day it is sent, with `days_before` and `send_hour`
    days_before: int = 0
    send_hour: int = 0  # 0 is SEND_HOUR
    delivery: DeliveryStrategy | None = None  # of its notices
    without_call: bool = False  # whether its messages wait for no person to call first

    name = POLICY.named("id")
    template = TEMPLATE.named("template_id")  # to send
    department = DEPARTMENT.named("department_id")  # whose rule this is

    @property
    def of_promises(self) -> bool:
        """Whether it tells the dates of promises, which have their own way from fact to notice."""
        return self.event_type in BY_EVENT

    @property
    def rules_of_any(self) -> list[str]:
        """The fields that it fills in of those that rules about promises have no use for."""
        names = (
            *("condition", "variables", "customer_field", "subject_field", "expire_after"),
            *("cancel_event_types", "after", "date_field", "days_before", "send_hour"),
        )
        filled = [name for name in names if getattr(self, name)]
        silence = self.delivery is not None and self.delivery.fallback_after
        return [*filled, "delivery.fallback_after"] if silence else filled
