"""Which facts lead to which notices."""

from dataclasses import dataclass
from datetime import datetime

from notifications.domain.notice import Concern
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

    name = POLICY.named("id")
    template = TEMPLATE.named("template_id")  # to send
    department = DEPARTMENT.named("department_id")  # whose rule this is
