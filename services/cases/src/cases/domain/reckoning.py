"""Reckoning in business time: how much of it spans hold, and when they hold as much as there is to have."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from chassis.errors import FailedPrecondition


class BusinessTime(Protocol):
    """A calendar: how much business time there is between two moments, and when so much of it has passed."""

    def elapsed(self, start: datetime, end: datetime) -> timedelta: ...

    def add(self, start: datetime, duration: timedelta) -> datetime: ...


def reckoned(
    spans: Iterable[tuple[datetime, datetime | None]], had: timedelta, calendar: BusinessTime
) -> tuple[timedelta, datetime | None]:
    """How much business time the spans that ended hold, and when they hold as much as there was to have.

    So a pause puts off the end by the business time in it, and one over a closed weekend by nothing.
    """
    gone, up = timedelta(), None
    for start, end in spans:
        spent = None if end is None else calendar.elapsed(start, end)
        if up is None and (spent is None or gone + spent >= had):
            up = _added(calendar, start, had - gone)
        gone += spent or timedelta()
    return gone, up


def _added(calendar: BusinessTime, start: datetime, duration: timedelta) -> datetime | None:
    """None where the calendar does not open for so long any more: no case waits for that to be mended."""
    try:
        return calendar.add(start, duration)
    except FailedPrecondition:
        return None
