"""Whatever the zone, the season and the hours: as somebody counts who watches the clock."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.business_time import Calendar, Holidays, Schedule, SpecialDay, Window, explain

from . import oracle

SPAN_MINUTES = 3 * 24 * 60
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # changed at midnight, until 2019
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kathmandu",  # a quarter of an hour off
    "Pacific/Apia",  # left out a day, 2011
    "Africa/Casablanca",  # changes back for Ramadan
    "America/St_Johns",  # changed at one minute past midnight, until 2011
    "Antarctica/Troll",  # by two hours
    "Asia/Gaza",
)
COUNTRIES = (Holidays("US", "NY"), Holidays("DE", "BY"), Holidays("GB"), Holidays("BR"), Holidays("MA"))
# Where changes of the clocks are, and whole hours, more than elsewhere.
MINUTES = st.one_of(
    st.sampled_from([0, 60, 90, 120, 150, 180, 540, 720, 780, 1020, 1440]), st.integers(0, 1440)
)
WINDOWS = st.lists(MINUTES, max_size=6, unique=True).map(
    lambda cuts: tuple(map(Window, sorted(cuts)[::2], sorted(cuts)[1::2]))
)


class Case(NamedTuple):
    """A calendar, a moment, and how many minutes later another is."""

    schedule: Schedule
    start: datetime
    minutes: int


@cache
def changes(zone: str, year: int) -> list[datetime]:
    return oracle.transitions(ZoneInfo(zone), year)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone, year = draw(st.sampled_from(ZONES)), draw(st.integers(1973, 2040))
    turns = [datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 25, tzinfo=UTC), *changes(zone, year)]
    near = draw(st.sampled_from(turns))
    start = near + timedelta(minutes=draw(st.integers(-2 * 1440, 1440)))
    days = st.integers(-2, 4).map(lambda n: (start + timedelta(days=n)).date())
    special = st.dictionaries(days, WINDOWS.map(SpecialDay), max_size=3)
    schedule = Schedule(
        ZoneInfo(zone),
        tuple(draw(st.one_of(st.tuples(*[WINDOWS] * 7), WINDOWS.map(lambda windows: (windows,) * 7)))),
        tuple(draw(st.lists(st.sampled_from(COUNTRIES), max_size=2, unique=True))),
        draw(special),
    )
    return Case(schedule, start, draw(st.integers(0, SPAN_MINUTES)))


def check(case: Case) -> None:
    """Both ways, and step by step."""
    schedule, start, span = case
    calendar, end = Calendar(schedule), start + timedelta(minutes=span)
    shown = oracle.shows_open(schedule, start, span)
    counted = sum(shown)
    assert calendar.minutes(start, end) == counted
    assert calendar.is_open(start) == oracle.is_open(schedule, start)
    assert sum((step.elapsed for step in explain(calendar, start, end)), timedelta()) == timedelta(
        minutes=counted
    )
    if counted:
        last = span - shown[::-1].index(True)  # the minute after the last that is open
        assert calendar.add(start, timedelta(minutes=counted)) == start + timedelta(minutes=last)
        first = timedelta(minutes=shown.index(True))
        assert calendar.next_opening(start) == start + first


few = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(cases())
def test_it_is_what_a_clock_on_the_wall_says_minute_by_minute(case: Case) -> None:
    check(case)


@pytest.mark.slow
@many
@given(cases())
def test_it_is_what_a_clock_on_the_wall_says_in_ten_thousand_cases(case: Case) -> None:
    check(case)


@few
@given(cases(), st.integers(0, 10**11))
def test_time_that_is_added_has_passed_then_and_not_a_moment_before(case: Case, ticks: int) -> None:
    """To the microsecond, also far ahead."""
    calendar, duration, tick = (
        Calendar(case.schedule),
        timedelta(microseconds=ticks),
        timedelta(microseconds=1),
    )
    if not any(case.schedule.week):
        return
    end = calendar.add(case.start, duration)
    assert calendar.elapsed(case.start, end) == duration
    if duration:
        assert calendar.elapsed(case.start, end - tick) == duration - tick


@few
@given(cases(), st.integers(0, 10**12))
def test_two_stretches_of_time_are_as_long_as_both(case: Case, ticks: int) -> None:
    calendar, middle = Calendar(case.schedule), case.start + timedelta(minutes=case.minutes)
    end = middle + timedelta(microseconds=ticks)
    both = calendar.elapsed(case.start, middle) + calendar.elapsed(middle, end)
    assert calendar.elapsed(case.start, end) == both
