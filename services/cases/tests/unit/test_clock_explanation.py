"""How a clock's time is explained."""

from calendar import day_abbr
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from cases.domain.clock import Clock
from cases.domain.clock_explanation import DAYS_MAX, why_clock
from cases.domain.clock_policy import ClockMetric, ClockPolicy, Subject
from chassis.business_time import Calendar, read
from chassis.facts import Told

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
WINDOW = {"opens": "00:00", "closes": "24:00"}
MONDAYS = Calendar(read({"time_zone": "UTC", "hours": [{"days": ["MONDAY"], "windows": [WINDOW]}]}))


def clock_of(days: int, pauses: int) -> Clock:
    """A clock that stood still that often, after as many days as are given each time."""
    clock = Clock(
        *(uuid4(), uuid4(), uuid4(), "delivery", ClockMetric.RESOLUTION, "p", 1, "always", 1),
        business_minutes=365 * 24 * 60,
        warning_minutes=0,
        start_time=MONDAY,
        update_time=MONDAY,
    )
    clock.start(MONDAYS)
    at = MONDAY
    for _ in range(pauses):
        at += timedelta(days=days)
        clock.pause(at, "waiting-for-customer", MONDAYS)
        clock.resume(at, MONDAYS)
    return clock


def test_however_often_a_clock_stood_still_so_many_days_are_told_and_all_that_happened() -> None:
    policy = ClockPolicy(
        "p", 1, "P", "platform", Subject.CASE, "true", 1, False, MONDAY, MONDAY, []
    )  # fmt: skip
    why = why_clock(clock_of(20, pauses=10), policy, MONDAYS, {}, Told())
    days = [step for step in why.inputs.values() if step[:3] in day_abbr]
    assert len(days) == DAYS_MAX
    assert sum(": paused" in step for step in why.inputs.values()) == 10
