"""When what a policy tells is sent: so long after its event, or on a day."""

from dataclasses import dataclass
from datetime import timedelta

_SEND_HOUR = 9


@dataclass(slots=True)
class OnDay:
    """So many days after a day, where the customer lives, from an hour on."""

    offset_days: int
    hour: int | None

    @property
    def send_hour(self) -> int:
        """The hour, also of one that says none."""
        return _SEND_HOUR if self.hour is None else self.hour


@dataclass(slots=True)
class Day(OnDay):
    """The day of a date in the event."""

    date_field: str  # of the event
    yearly: bool  # whether it is told on that day in each year


@dataclass(slots=True)
class Schedule:
    """One of these, of which no contract has both; neither is at once."""

    delay: timedelta | None = None
    day: Day | None = None
