"""Breakage: points that ended or were forfeited, posted for each month that is over."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from uuid import UUID

SETTLED = timedelta(hours=1)  # after a month: nothing that is under way can still count to it


def month_of(at: datetime, zone: tzinfo, back: int = 0) -> datetime:
    """When the month of a moment began in a zone, or the one so many months before."""
    today = at.astimezone(zone)
    years, month = divmod(today.year * 12 + today.month - 1 - back, 12)
    return datetime(years, month + 1, 1, tzinfo=zone).astimezone(UTC)


@dataclass(slots=True)
class Breakage:
    """What was posted for a unit and a month, `start_time` to `end_time`, in whole units.

    Less than nothing when more of what had ended was taken back than ended. `transfer_id` is None for
    nothing.
    """

    program_id: str
    unit_id: str
    start_time: datetime
    end_time: datetime
    amount: int
    transfer_id: UUID | None
    post_time: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A unit, its program's zone, and until when it was posted for; None for never."""

    program_id: str
    unit_id: str
    time_zone: str
    posted_until: datetime | None
