"""Clocks: when their time is up, and what happens to them. Through all of it: test_clock_model."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from cases.domain.clock import Clock, ClockState
from cases.domain.clock_policy import ClockMetric
from cases.domain.reckoning import BusinessTime
from chassis.business_time import Calendar, read
from chassis.business_time.schedule import WEEKDAYS
from chassis.errors import FailedPrecondition

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SOMEBODY = UUID(int=1)


class Always:
    """Open at all times."""

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        return end - start

    def add(self, start: datetime, duration: timedelta) -> datetime:
        return start + duration


ALWAYS = Always()


class Office:
    """Open some hours of some weekdays, counted a minute at a time: slow, and plainly right."""

    def __init__(self, opens: int = 9, closes: int = 17, days: Sequence[int] = range(5)) -> None:
        self.opens, self.closes, self.days = opens, closes, days

    def is_open(self, at: datetime) -> bool:
        return at.weekday() in self.days and self.opens <= at.hour < self.closes

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        minutes = (end - start) // MINUTE
        return sum(self.is_open(start + n * MINUTE) for n in range(minutes)) * MINUTE

    def add(self, start: datetime, duration: timedelta) -> datetime:
        while duration:
            duration -= self.is_open(start) * MINUTE
            start += MINUTE
        return start


def compiled(office: Office) -> Calendar:
    """The same hours, as services reckon with them."""
    window = {"opens": f"{office.opens:02}:00", "closes": f"{office.closes:02}:00"}
    hours = [{"days": [WEEKDAYS[day] for day in office.days], "windows": [window]}]
    return Calendar(read({"time_zone": "UTC", "hours": hours}))


def started(
    minutes: int = 60, warning: int = 0, calendar: BusinessTime = ALWAYS, at: datetime = MONDAY
) -> Clock:
    clock = Clock(
        uuid4(),
        uuid4(),
        SOMEBODY,
        "delivery",
        ClockMetric.RESOLUTION,
        "p",
        1,
        "office",
        1,
        minutes,
        warning,
        at,
        at,
    )
    clock.start(calendar)
    return clock


def test_friday_half_past_four_and_an_hour_is_monday_half_past_nine() -> None:
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    assert started(60, calendar=Office(), at=friday).due_time == datetime(2026, 3, 9, 9, 30, tzinfo=UTC)


def test_a_pause_puts_the_end_off_by_the_business_time_in_it_and_only_once() -> None:
    clock = started(240, calendar=Office())
    friday, monday = MONDAY + timedelta(days=4, hours=7), MONDAY + timedelta(days=7)
    clock.business_minutes = 5 * 8 * 60 + 60
    clock.pause(friday, "waiting-for-customer", Office())
    assert (clock.state, clock.due_time) == (ClockState.PAUSED, None)
    clock.resume(monday, Office())  # an hour of Friday was left, and a weekend adds nothing
    assert clock.due_time == MONDAY + timedelta(days=7, hours=2)


def test_what_is_done_in_time_is_fulfilled_and_stops_counting() -> None:
    clock = started()
    fact = clock.fulfill(MONDAY + 59 * MINUTE, ALWAYS)
    assert fact is not None
    assert (fact.state, clock.elapsed_minutes, clock.due_time) == ("FULFILLED", 59, None)
    assert clock.fulfill(MONDAY + 70 * MINUTE, ALWAYS) is None


def test_what_is_done_when_time_is_up_is_late_whoever_comes_first() -> None:
    by_word, by_timer = started(), started()
    assert by_timer.breach(MONDAY + 60 * MINUTE)
    for clock in (by_word, by_timer):
        fact = clock.fulfill(MONDAY + 60 * MINUTE, ALWAYS)
        assert fact is not None
        assert (fact.state, clock.breach_time) == ("BREACHED", MONDAY + 60 * MINUTE)


def test_a_breach_stays_and_what_was_done_late_counts_no_more() -> None:
    clock = started()
    assert clock.breach(MONDAY + 60 * MINUTE)
    clock.fulfill(MONDAY + 90 * MINUTE, ALWAYS)
    assert (clock.state, clock.elapsed_minutes) == (ClockState.BREACHED, 90)


def test_word_that_comes_late_of_what_was_done_in_time_takes_the_breach_back() -> None:
    clock = started()
    clock.breach(MONDAY + 60 * MINUTE)
    clock.fulfill(MONDAY + 30 * MINUTE, ALWAYS)
    assert (clock.state, clock.breach_time, clock.elapsed_minutes) == (ClockState.FULFILLED, None, 30)


def test_the_timer_that_comes_early_or_finds_it_paused_does_nothing() -> None:
    clock = started()
    assert clock.breach(MONDAY + 59 * MINUTE) is None
    clock.pause(MONDAY + 59 * MINUTE, "waiting-for-customer", ALWAYS)
    assert clock.breach(MONDAY + 99 * MINUTE) is None


def test_one_that_is_paused_is_late_when_another_calendar_says_that_it_was_up_before() -> None:
    clock = started(calendar=compiled(Office(12, 20, [0])))
    clock.pause(MONDAY + 570 * MINUTE, "waiting-for-customer", compiled(Office(18, 20, [0])))
    assert clock.due_time is None
    clock.follow(2, ALWAYS)
    fact = clock.breach(MONDAY + 601 * MINUTE)
    assert fact is not None
    assert (clock.state, clock.breach_time) == (ClockState.BREACHED, MONDAY + 60 * MINUTE)


def test_a_reopened_case_has_the_time_that_was_left() -> None:
    clock = started()
    clock.fulfill(MONDAY + 50 * MINUTE, ALWAYS)
    clock.reopen(MONDAY + 500 * MINUTE, ALWAYS)
    assert (clock.state, clock.due_time) == (ClockState.RUNNING, MONDAY + 510 * MINUTE)
    assert clock.reopen(MONDAY + 501 * MINUTE, ALWAYS) is None


def test_it_warns_once() -> None:
    clock = started(60, warning=15)
    assert clock.warning_time == MONDAY + 45 * MINUTE
    assert clock.warn(MONDAY + 44 * MINUTE) is None
    assert clock.warn(MONDAY + 45 * MINUTE)
    assert clock.warn(MONDAY + 46 * MINUTE) is None
    clock.pause(MONDAY + 46 * MINUTE, "waiting-for-customer", ALWAYS)
    clock.resume(MONDAY + 50 * MINUTE, ALWAYS)
    assert clock.warning_time is None


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        ("pause twice", "CLOCK_PAUSED"),
        ("pause done", "CLOCK_FULFILLED"),
        ("resume", "CLOCK_NOT_PAUSED"),
        ("pause for ever", "CLOCK_PAUSED_TOO_OFTEN"),
    ],
)
def test_what_makes_no_sense_is_refused(verb: str, reason: str) -> None:
    clock = started()
    if verb == "pause twice":
        clock.pause(MONDAY, "x", ALWAYS)
    if verb == "pause done":
        clock.fulfill(MONDAY, ALWAYS)
    if verb == "pause for ever":
        clock.marks, clock.mark_times = ["STARTED"] * 1_000, [MONDAY] * 1_000
    with pytest.raises(FailedPrecondition) as refused:
        clock.resume(MONDAY, ALWAYS) if verb == "resume" else clock.pause(MONDAY, "x", ALWAYS)
    assert refused.value.reason == reason
