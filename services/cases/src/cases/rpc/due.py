"""By when, as requests say it: a moment, or a day in a time zone."""

from datetime import datetime, timedelta
from typing import Any

from cases.domain.due import Due
from chassis.api.validation import Check
from chassis.api.zones import NOT_A_TIME_ZONE, time_zone

AHEAD_MAX = timedelta(days=3653)  # nobody promises or forecasts further


def check_due(check: Check, message: Any, now: datetime) -> Due | None:
    """What `due_time`, or `due_date` and `time_zone`, of a promise say; None with a violation.

    REQUIRED, INVALID_TIME, INVALID_CODE. A day counts by its end.
    """
    latest = now + AHEAD_MAX
    at = check.moment(message, "due_time", latest=latest, required=False)
    day = check.date(message, "due_date", latest=latest)
    zone = message.time_zone
    if message.HasField("due_time") == message.HasField("due_date"):
        check.refuse("due_time", "REQUIRED", "must be given, or due_date and time_zone, not both")
    if message.HasField("due_date") and time_zone(zone) is None:
        check.refuse("time_zone", "INVALID_CODE", NOT_A_TIME_ZONE)
    elif zone and not message.HasField("due_date"):
        check.refuse("time_zone", "INVALID_CODE", "must be empty without due_date")
    elif day:
        return Due.of_day(day, zone)
    return Due(at) if at else None
