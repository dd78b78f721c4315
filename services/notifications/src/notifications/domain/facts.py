"""What this service tells the others: the fields of the event messages of the same names."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class NoticeRequested:
    """A notice is wanted."""

    notice: str
    customer: str
    kind: str
    promise: str
    case: str


@dataclass(frozen=True, slots=True)
class NoticeSuppressed:
    """A notice is not sent, for a reason."""

    notice: str
    customer: str
    kind: str
    promise: str
    reason_code: str


@dataclass(frozen=True, slots=True)
class ToldPromise:
    """A new date, a day or a moment, that a policy's notice told as of a promise's version."""

    promise: str
    customer: str
    version: int
    new_due_time: datetime | None
    new_due_date: date | None
    tell_time: datetime
    reason_code: str


@dataclass(frozen=True, slots=True)
class NoticeSent:
    """A provider accepted a notice."""

    notice: str
    customer: str
    kind: str
    promise: str
    case: str
    channel: str
    send_time: datetime
    told_promise: ToldPromise | None


@dataclass(frozen=True, slots=True)
class NoticeUnknown:
    """A notice was handed to a provider whose answer was lost."""

    notice: str
    customer: str
    kind: str
    promise: str
    reason_code: str


@dataclass(frozen=True, slots=True)
class NoticeFailed:
    """A notice was refused for good, or given up."""

    notice: str
    customer: str
    kind: str
    promise: str
    reason_code: str
