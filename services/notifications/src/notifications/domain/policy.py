"""Which facts lead to which notices."""

from dataclasses import dataclass
from datetime import datetime

from notifications.domain.notice import Concern
from notifications.domain.template import REQUIRED, Type
from notifications.names import DEPARTMENT, POLICY, TEMPLATE

EVENTS = {
    Concern.AT_RISK: "rapport.cases.v1.PromiseAtRisk",
    Concern.RECOVERED: "rapport.cases.v1.PromiseRecovered",
}
# Whatever the type of the template.
MUST_SAY = {Concern.AT_RISK: REQUIRED[Type.DELAY], Concern.RECOVERED: ("old_date",)}
PLATFORM = "platform"  # the department that owns what every installation begins with
EVENT_TYPES = tuple(EVENTS.values())


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
