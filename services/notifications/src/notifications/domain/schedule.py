"""When what a policy tells is sent: so long after its event, or on a day of it."""

from dataclasses import dataclass
from datetime import timedelta

SEND_HOUR = 9


@dataclass(slots=True)
class Day:
    """The day of a date in the event, where the customer lives, or so many days after it, from an hour on."""

    date_field: str  # of the event
    offset_days: int
    hour: int  # 0 is SEND_HOUR
    yearly: bool  # whether it is told on that day in each year


THAT_DAY = Day("", 0, 0, yearly=False)


@dataclass(slots=True)
class Schedule:
    """One of these, of which no contract has both; neither is at once."""

    delay: timedelta | None = None
    day: Day | None = None
