"""What no option of the contract can say of a promise: how its dates go together."""

from datetime import datetime
from typing import Any

from cases.domain.due import Due
from chassis.api.validation import Check
from chassis.api.wellknown import day_of, time_of
from chassis.api.zones import NOT_A_TIME_ZONE, time_zone
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import RenegotiatePromiseRequest


def check_promise(check: Check, sent: Promise, now: datetime) -> None:
    """One date, with its time zone; made before it is due, and kept after that."""
    _one_date(check, sent, "must be given, or due_date and time_zone, not both")
    if sent.HasField("due_date") and not sent.time_zone:
        check.refuse("time_zone", "INVALID_CODE", NOT_A_TIME_ZONE)
    elif sent.time_zone and not sent.HasField("due_date"):
        check.refuse("time_zone", "INVALID_CODE", "must be empty without due_date")
    if made := time_of(sent, "make_time"):
        due, kept = _due(sent), time_of(sent, "keep_time")
        if due and made > due.time:
            check.refuse("make_time", "INVALID_TIME", "must not be after it is due")
        if kept and kept < made:
            check.refuse("keep_time", "INVALID_TIME", "must not be before make_time")


def check_renegotiation(check: Check, sent: RenegotiatePromiseRequest, now: datetime) -> None:
    """One date."""
    _one_date(check, sent, "must be given, or due_date, not both")


def _one_date(check: Check, sent: Any, allowed: str) -> None:
    if sent.HasField("due_time") == sent.HasField("due_date"):
        check.refuse("due_time", "REQUIRED", allowed)


def _due(sent: Promise) -> Due | None:
    """By when, as far as it is said."""
    day = day_of(sent, "due_date")
    if day and time_zone(sent.time_zone):
        return Due.of_day(day, sent.time_zone)
    at = time_of(sent, "due_time")
    return Due(at) if at else None
