"""Streams that are watched: how long one lasts, by a request with `max_age`."""

from datetime import timedelta
from typing import Any

from chassis.errors import invalid

MAX_AGE = timedelta(minutes=30)
MARGIN_S = 0.1  # in which the stream ends by itself before its caller ends it


def max_age_s(request: Any, context: Any) -> float:
    """How long a watch lasts: what was asked for, 30 minutes, or until just before the deadline, in seconds.

    InvalidArgument INVALID_NUMBER for what is no length of time.
    """
    most_s: float = min(MAX_AGE.total_seconds(), context.time_remaining() - MARGIN_S)
    if not request.HasField("max_age"):
        return most_s
    asked_s: float = request.max_age.seconds + request.max_age.nanos / 1e9
    if asked_s <= 0:
        allowed = "must be more than 0 seconds; over 30 minutes means 30 minutes"
        raise invalid("max_age", "INVALID_NUMBER", allowed)
    return min(most_s, asked_s)
