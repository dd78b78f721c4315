"""When what a policy tells of an event is of use, and what it fills in of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chassis.events.envelope import Event
from notifications.domain import days
from notifications.domain.policy import NoticePolicy
from notifications.domain.schedule import Day, OnDay
from notifications.usecases import conditions


@dataclass(frozen=True, slots=True)
class Timing:
    """From when on and until when it is of use; and the day and its hour where the customer lives, if any."""

    schedule_time: datetime
    expire_time: datetime
    send_on: str = ""
    day_offset: int = 0
    send_hour: int = 0
    years: int | None = None  # as of a notice


def telling(policy: NoticePolicy, event: Event[Any], at: datetime) -> tuple[dict[str, str], Timing] | None:
    """What a policy fills in of an event, and when that is of use; None when it cannot, or it is over."""
    variables, when = conditions.filled(policy, event.data), timing(policy, event)
    return None if variables is None or when is None or when.expire_time <= at else (variables, when)


def timing(policy: NoticePolicy, event: Event[Any]) -> Timing | None:
    """When a policy's notice about an event is of use; None when the event lacks the date for it.

    Of one that is told each year, in the first whose day comes after the event.
    """
    if policy.day is None:
        begin = event.time + policy.delay
        return Timing(begin, begin + policy.lasts)
    send_on = conditions.send_on(policy.day.date_field, event.data)
    if not send_on:
        return None
    if policy.day.yearly:
        return next_year(policy.day, policy.lasts, send_on, event.time)
    return on_day(policy.day, policy.lasts, send_on)


def on_day(day: OnDay, lasts: timedelta, send_on: str, years: int | None = None) -> Timing:
    """When it is of use of a date, RFC 3339, or so many years after it."""
    begin, end = days.span(send_on, day.offset_days, day.send_hour, years or 0)
    return Timing(begin, end + lasts, send_on, day.offset_days, day.send_hour, years)


def next_year(day: Day, lasts: timedelta, send_on: str, since: datetime, last: int = -1) -> Timing:
    """When it is of use in the first year after the year `last`, and `since`."""
    years = days.year_after(send_on, day.offset_days, day.send_hour, since, last)
    return on_day(day, lasts, send_on, years)
