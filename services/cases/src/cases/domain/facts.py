"""What happened, named as the events that `cases_events.proto` publishes, field by field."""

from dataclasses import dataclass
from datetime import date, datetime


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
class CaseUpdated:
    """A case was described otherwise. The display name may be personal: it does not travel."""

    case: str
    customer: str
    topic: str
    updated_fields: list[str]


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
class _OfPromise:
    """What every fact about a promise says of it, so that nobody has to ask."""

    promise: str
    customer: str
    case: str
    department: str
    kind: str
    reference: str
    root: str
    make_time: datetime
    due_time: datetime
    due_date: date | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class PromiseMade(_OfPromise):
    """A promise was made."""

    predecessor: str


@dataclass(frozen=True, slots=True)
class PromiseAtRisk(_OfPromise):
    """A promise is not expected to be kept in time; without `forecast_time` it was the clock that said so."""

    forecast_time: datetime | None
    forecast_date: date | None
    reason_code: str
    broken: bool


@dataclass(frozen=True, slots=True)
class PromiseRecovered(_OfPromise):
    """The forecast that had put a promise at risk was replaced by one in time."""

    forecast_time: datetime


@dataclass(frozen=True, slots=True)
class PromiseRenegotiated(_OfPromise):
    """A promise was replaced by one with a new due time; `late` when it was broken before that."""

    new_due_time: datetime
    new_due_date: date | None
    successor: str
    notice: str
    reason_code: str
    late: bool
    first_due_time: datetime


@dataclass(frozen=True, slots=True)
class PromiseKept(_OfPromise):
    """A promise was kept, in time or late."""

    keep_time: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class PromiseBroken(_OfPromise):
    """A promise was not kept."""


@dataclass(frozen=True, slots=True)
class PromiseWithdrawn(_OfPromise):
    """A promise was taken back; `broken` when that was after its due time."""

    reason_code: str
    broken: bool
