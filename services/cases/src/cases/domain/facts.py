"""What this service tells.

Generated from rapport/cases/v1/cases_events.proto: not to be edited.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """A case was opened."""

    case: str
    customer: str
    topic: str
    owner: str
    department: str
    state: str
    open_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAssigned:
    """A case got another accountable owner, or followed its owner into another department."""

    case: str
    customer: str
    topic: str
    owner: str
    department: str
    state: str
    open_time: datetime
    previous_owner: str
    previous_department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUpdated:
    """A case was described otherwise."""

    case: str
    customer: str
    topic: str
    owner: str
    department: str
    state: str
    open_time: datetime
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResolved:
    """A case was settled."""

    case: str
    customer: str
    topic: str
    owner: str
    department: str
    state: str
    open_time: datetime
    resolution: str
    resolve_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReopened:
    """A settled case was opened again."""

    case: str
    customer: str
    topic: str
    owner: str
    department: str
    state: str
    open_time: datetime
    reopen_count: int
    reason_code: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemCreated:
    """A department got a part of a case."""

    work_item: str
    customer: str
    case: str
    department: str
    kind: str
    reference: str
    state: str
    create_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemForecast:
    """A department said when it expects to finish."""

    work_item: str
    customer: str
    case: str
    department: str
    kind: str
    reference: str
    state: str
    create_time: datetime
    forecast_finish_time: datetime
    previous_forecast_finish_time: datetime | None
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemStarted:
    """A department began its part."""

    work_item: str
    customer: str
    case: str
    department: str
    kind: str
    reference: str
    state: str
    create_time: datetime
    start_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItemFinished:
    """A department finished its part."""

    work_item: str
    customer: str
    case: str
    department: str
    kind: str
    reference: str
    state: str
    create_time: datetime
    finish_time: datetime


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
class PromiseMade:
    """A promise was made."""

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
    predecessor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseAtRisk:
    """A promise is not expected to be kept in time, or the forecast that said so has changed.

    Each late forecast is told: who counts promises at risk counts by promise, not by event.
    """

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
    forecast_time: datetime | None
    forecast_date: date | None
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRecovered:
    """The forecast that had put a promise at risk was replaced by one in time."""

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
    forecast_time: datetime
    forecast_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRenegotiated:
    """A promise was replaced by one with a new due time, and the customer knows."""

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
    new_due_time: datetime
    new_due_date: date | None
    successor: str
    notice: str
    reason_code: str
    first_due_time: datetime
    customer_requested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseKept:
    """A promise was kept, in time or late."""

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
    keep_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseBroken:
    """A promise was not kept."""

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
class PromiseWithdrawn:
    """A promise was taken back."""

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
    reason_code: str
