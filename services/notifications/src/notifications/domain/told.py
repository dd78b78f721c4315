"""What a notice told a customer about a promise: a part of a fact, and none itself."""

from dataclasses import dataclass
from datetime import date, datetime


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
