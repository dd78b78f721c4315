"""What this service tells.

Generated from rapport/cases/v1/cases_events.proto: not to be edited.
"""

from dataclasses import dataclass
from datetime import date, datetime

from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What every event about the case tells."""

    case: str
    customer: str
    topic: str
    owner: str
    department: str
    state: str
    open_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened(_Case):
    """A case was opened."""

    harm: str
    priority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAssigned(_Case):
    """A case got another accountable owner, or followed its owner into another department."""

    previous_owner: str
    previous_department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUpdated(_Case):
    """A case was described otherwise."""

    updated_fields: list[str]
    harm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResolved(_Case):
    """A case was settled."""

    resolution: str
    resolve_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReopened(_Case):
    """A settled case was opened again."""

    reopen_count: int
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePrioritized(_Case):
    """A case became more or less pressing, or is so for other reasons."""

    harm: str
    priority: str
    previous_priority: str
    priority_reasons: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMerged(_Case):
    """A case is the same concern as another, with which it is read and settled from then on."""

    merged_into: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUnmerged(_Case):
    """A merged case stands by itself again."""

    merged_into: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _CaseLink:
    """What every event about the case link tells."""

    case_link: str
    customer: str
    case: str
    linked_case: str
    kind: str
    department: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLinkCreated(_CaseLink):
    """Two cases were linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLinkDeleted(_CaseLink):
    """A link of two cases was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseJobCreated:
    """Somebody began to do one thing to many cases.

    It is about no single customer.
    """

    case_job: str
    department: str
    problem: str
    case_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseJobEnded:
    """A job over many cases has seen them all, or was given up.

    It is about no single customer.
    """

    case_job: str
    department: str
    problem: str
    case_count: int
    state: str
    done_count: int
    refused_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCreated:
    """Somebody noted something on a case.

    What they noted may be personal and does not travel.
    """

    note: str
    customer: str
    case: str
    topic: str
    department: str
    create_time: datetime
    visibility: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _WorkItem:
    """What every event about the work item tells."""

    work_item: str
    customer: str
    case: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemCreated(_WorkItem):
    """A department got a part of a case."""

    kind: str
    reference: str
    state: str
    create_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemForecast(_WorkItem):
    """A department said when it expects to finish."""

    kind: str
    reference: str
    state: str
    create_time: datetime
    forecast_finish_time: datetime
    previous_forecast_finish_time: datetime | None
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemStarted(_WorkItem):
    """A department began its part."""

    kind: str
    reference: str
    state: str
    create_time: datetime
    start_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemAssigned(_WorkItem):
    """A department's part was given to somebody, or taken from them."""

    kind: str
    reference: str
    state: str
    create_time: datetime
    assignee: str
    previous_assignee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemBlocked(_WorkItem):
    """A department's part cannot go on."""

    kind: str
    reference: str
    state: str
    create_time: datetime
    block_time: datetime
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemUnblocked(_WorkItem):
    """A department's part can go on."""

    kind: str
    reference: str
    state: str
    create_time: datetime
    block_time: datetime
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemHandedOver(_WorkItem):
    """A part of a case went to another department, which has not begun it.

    Who waits for it waits from now on.
    """

    kind: str
    reference: str
    state: str
    create_time: datetime
    previous_department: str
    reason_code: str
    asked_customer_again: bool
    returned: bool
    handoff_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemUpdated(_WorkItem):
    """A department's part was described otherwise."""

    kind: str
    reference: str
    state: str
    create_time: datetime
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemFinished(_WorkItem):
    """A department finished its part."""

    kind: str
    reference: str
    state: str
    create_time: datetime
    finish_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemCalled(_WorkItem):
    """A customer was called, or could not be reached."""

    reason_code: str
    outcome: str
    outcome_code: str
    channel: str
    attempt_count: int
    identifier: str
    promise: str
    call_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCreated:
    """A department declared a topic of cases.

    It is about no customer.
    """

    topic: str
    department: str
    parent_topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicUpdated:
    """A topic of cases was changed.

    It is about no customer.
    """

    topic: str
    department: str
    parent_topic: str
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCreated:
    """An agent was created.

    Names and numbers are personal and do not travel. It is about no customer.
    """

    agent: str
    department: str
    inactive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentUpdated:
    """An agent was changed.

    Names and numbers are personal and do not travel. It is about no customer.
    """

    agent: str
    department: str
    inactive: bool
    updated_fields: list[str]
    previous_department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentCreated:
    """A department was described for the first time.

    It is about no customer.
    """

    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentUpdated:
    """A department was described otherwise.

    It is about no customer.
    """

    department: str
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCreated:
    """A team was made.

    It is about no customer.
    """

    team: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamUpdated:
    """A team was changed.

    It is about no customer.
    """

    team: str
    department: str
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarCreated:
    """A calendar was created.

    It is about no customer.
    """

    calendar: str
    department: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarUpdated:
    """A calendar was changed: there is another version of it.

    It is about no customer.
    """

    calendar: str
    department: str
    version: int
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promise:
    """What every event about the promise tells."""

    promise: str
    customer: str
    case: str
    work_item: str
    department: str
    kind: str
    reference: str
    state: str
    root: str
    make_time: datetime
    due_time: datetime
    due_date: date | None
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseMade(_Promise):
    """A promise was made."""

    predecessor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseAtRisk(_Promise):
    """A promise is not expected to be kept in time, or the forecast that said so has changed.

    Each late forecast is told: who counts promises at risk counts by promise, not by event.
    """

    forecast_time: datetime | None
    forecast_date: date | None
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRecovered(_Promise):
    """What had put a promise at risk does so no more: a forecast in time replaced it, or its work goes on."""

    forecast_time: datetime | None
    forecast_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRenegotiated(_Promise):
    """A promise was replaced by one with a new due time, and the customer knows."""

    new_due_time: datetime
    new_due_date: date | None
    successor: str
    notice: str
    reason_code: str
    first_due_time: datetime
    customer_requested: bool
    authority_policy: str
    policy_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseKept(_Promise):
    """A promise was kept, in time or late."""

    keep_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseBroken(_Promise):
    """A promise was not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseDelayNotified(_Promise):
    """A person told the customer that a promise will not be kept in time, without another date yet."""

    delay_notify_time: datetime
    notifier: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseWithdrawn(_Promise):
    """A promise was taken back."""

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    """What every event about the clock tells."""

    clock: str
    customer: str
    case: str
    work_item: str
    promise: str
    department: str
    metric: str
    state: str
    clock_policy: str
    policy_version: int
    start_time: datetime
    due_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStarted(_Clock):
    """A clock was started.

    How we keep our times is on no timeline.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPaused(_Clock):
    """A clock was paused.

    How we keep our times is on no timeline.
    """

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockResumed(_Clock):
    """A clock goes on: it was resumed, or its case was opened again.

    How we keep our times is on no timeline.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFulfilled(_Clock):
    """What a clock measures was done, in time or late, as its state says.

    How we keep our times is on no timeline.
    """

    fulfill_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockWarned(_Clock):
    """A clock's time is up soon.

    How we keep our times is on no timeline.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockUpdated(_Clock):
    """A clock goes by another version of its calendar, from another moment on, or for another department.

    How we keep our times is on no timeline.
    """

    calendar_version: int
    previous_due_time: datetime | None
    previous_department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBreached(_Clock):
    """A clock's time was up before it was done.

    How we keep our times is on no timeline.
    """

    breach_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """How long one clock has."""

    metric: str
    business_minutes: int
    warning_minutes: int
    calendar: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPolicyCreated:
    """A policy says which clocks run for what.

    It is about no customer.
    """

    clock_policy: str
    department: str
    subject: str
    version: int
    targets: list[Target]
    disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPolicyUpdated:
    """A policy was changed: there is another version of it.

    It is about no customer.
    """

    clock_policy: str
    department: str
    subject: str
    version: int
    targets: list[Target]
    disabled: bool
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How much, for whom, by whom."""

    permission: str
    least_band: str
    least_harm: str
    points: int
    rolling_day_points: int
    days: int
    rolling_day_days: int
    money: Money
    rolling_day_money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityPolicyCreated:
    """A policy says what people may do alone.

    It is about no customer.
    """

    authority_policy: str
    department: str
    act: str
    limits: list[Limit]
    disabled: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityPolicyUpdated:
    """A policy was changed: a new version.

    It is about no customer.
    """

    authority_policy: str
    department: str
    act: str
    limits: list[Limit]
    disabled: bool
    version: int
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Escalation:
    """What every event about the escalation tells."""

    escalation: str
    customer: str
    case: str
    promise: str
    clock: str
    department: str
    reason: str
    assignee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStarted(_Escalation):
    """Somebody with more authority is asked to take a case, or a promise."""

    due_time: datetime
    answer_promise: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRaised(_Escalation):
    """Nobody took it in time, and the next level is asked."""

    due_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationTaken(_Escalation):
    """Somebody took it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationCancelled(_Escalation):
    """What it is about is settled, or somebody else has it: nobody is asked any more."""
