"""Business time: how long something was open between two moments, and when so much of it has passed.

A calendar opens in windows of the clock on the wall: several a weekday, none on holidays, others on dates
that are exceptions. A moment is open when the wall clock of its zone then shows a time inside a window of
that day. So what is counted is time that really passed: an hour that the clocks skip has no moments and
counts nothing, one that they repeat is there twice and counts twice.

    calendar = Calendar(read(json.load(file)))
    calendar.minutes(opened, closed)               # whole business minutes
    calendar.add(opened, timedelta(hours=1))       # the first moment at which that much has passed
    explain(calendar, opened, closed)              # step by step: which windows of which days, which holidays

docs/calendars.md describes the format that `read` takes.
"""

from chassis.business_time.calendar import FIRST_YEAR, HORIZON_YEARS, LAST_YEAR, Calendar
from chassis.business_time.document import NEVER_OPEN, NOT_A_TIME_OF_DAY, look, read
from chassis.business_time.explained import Step, explain
from chassis.business_time.holidays import Holidays
from chassis.business_time.schedule import (
    DAY_MINUTES,
    WEEKDAYS,
    Plan,
    Schedule,
    SpecialDay,
    Weekday,
    Window,
    minutes_of,
)

__all__ = [
    "DAY_MINUTES",
    "FIRST_YEAR",
    "HORIZON_YEARS",
    "LAST_YEAR",
    "NEVER_OPEN",
    "NOT_A_TIME_OF_DAY",
    "WEEKDAYS",
    "Calendar",
    "Holidays",
    "Plan",
    "Schedule",
    "SpecialDay",
    "Step",
    "Weekday",
    "Window",
    "explain",
    "look",
    "minutes_of",
    "read",
]
