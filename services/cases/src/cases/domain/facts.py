"""What happened, named as the events that `cases_events.proto` publishes, field by field."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """A case was opened."""

    case: str
    customer: str
    topic: str
    owner: str
    open_time: datetime


@dataclass(frozen=True, slots=True)
class CaseAssigned:
    """A case got another accountable owner."""

    case: str
    customer: str
    owner: str
    previous_owner: str


@dataclass(frozen=True, slots=True)
class CaseResolved:
    """A case was settled."""

    case: str
    customer: str
    resolution: str


@dataclass(frozen=True, slots=True)
class CaseReopened:
    """A settled case was opened again."""

    case: str
    customer: str
    reopen_count: int


@dataclass(frozen=True, slots=True)
class WorkItemAdded:
    """A department got a part of a case."""

    work_item: str
    customer: str
    case: str
    department: str
    kind: str


@dataclass(frozen=True, slots=True)
class WorkItemForecast:
    """A department said when it expects to finish."""

    work_item: str
    customer: str
    case: str
    department: str
    forecast_finish_time: datetime
    previous_forecast_time: datetime | None
    reason_code: str


@dataclass(frozen=True, slots=True)
class WorkItemFinished:
    """A department finished its part."""

    work_item: str
    customer: str
    case: str
    department: str
    finish_time: datetime


@dataclass(frozen=True, slots=True)
class PromiseMade:
    """A promise was made."""

    promise: str
    customer: str
    case: str
    department: str
    kind: str
    reference: str
    due_time: datetime
    predecessor: str
    root: str


@dataclass(frozen=True, slots=True)
class PromiseAtRisk:
    """A promise is not expected to be kept in time; without `forecast_time` it was the clock that said so."""

    promise: str
    customer: str
    case: str
    department: str
    kind: str
    reference: str
    due_time: datetime
    forecast_time: datetime | None
    reason_code: str


@dataclass(frozen=True, slots=True)
class PromiseRenegotiated:
    """A promise was replaced by one with a new due time."""

    promise: str
    customer: str
    case: str
    department: str
    due_time: datetime
    new_due_time: datetime
    successor: str
    notice: str
    reason_code: str
    root: str


@dataclass(frozen=True, slots=True)
class PromiseKept:
    """A promise was kept, in time or late."""

    promise: str
    customer: str
    case: str
    department: str
    due_time: datetime
    keep_time: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class PromiseBroken:
    """A promise was not kept."""

    promise: str
    customer: str
    case: str
    department: str
    due_time: datetime


@dataclass(frozen=True, slots=True)
class PromiseWithdrawn:
    """A promise was taken back."""

    promise: str
    customer: str
    case: str
    department: str
    reason_code: str
