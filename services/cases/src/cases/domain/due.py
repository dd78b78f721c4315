"""By when something was promised: a moment, or a day where the customer lives.

A promised moment is in time itself. A promised day is a day in one time zone, whatever the clocks do there:
it ends at the next midnight, which is late, and is compared with other days there, not with moments.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
LENT_LEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Due:
    """By when."""

    time: datetime  # the promised moment; of a day, the first moment after it
    day: date | None = None  # the promised one; None for a moment
    time_zone: str = ""  # the IANA zone in which it is a day; empty for a moment

    @classmethod
    def of_day(cls, day: date, time_zone: str) -> "Due":
        """The whole of `day` in an IANA time zone. Where clocks skip midnight, it ends when they do."""
        midnight = datetime.combine(day + _DAY, time.min, zone(time_zone))
        return cls(midnight.astimezone(zone("UTC")), day, time_zone)

    def missed_by(self, at: datetime) -> bool:
        """Whether what is done at `at` is late."""
        return at >= self.time if self.day else at > self.time

    def days_until(self, later: "Due") -> int:
        """By how many days another is later; one that is begun counts."""
        if self.day and later.day:
            return max(0, (later.day - self.day).days)
        return max(0, -(-(later.time - self.time) // _DAY))

    def is_ahead(self, now: datetime) -> bool:
        """Whether who promises in another's name leaves it the time to keep the promise."""
        return self.time >= now + LENT_LEAD


def day_of(at: datetime, time_zone: str) -> date:
    """The day on which `at` is in an IANA time zone."""
    return at.astimezone(zone(time_zone)).date()


@lru_cache(1024)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone. KeyError (ZoneInfoNotFoundError) or ValueError when there is none of that name."""
    return ZoneInfo(name)
