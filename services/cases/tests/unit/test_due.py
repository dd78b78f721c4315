from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.domain.due import LENT_LEAD, Due, day_of

TICK = timedelta(microseconds=1)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/Los_Angeles",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Africa/Cairo",
]
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
moments = st.integers(0, 16 * 365 * 24 * 60).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
zones = st.sampled_from(ZONES)


@given(days, zones)
def test_a_promised_day_lasts_until_the_next_local_midnight_which_is_late(day, zone):
    due = Due.of_day(day, zone)
    assert day_of(due.time - TICK, zone) == day
    assert day_of(due.time, zone) > day
    assert not due.missed_by(due.time - TICK)
    assert due.missed_by(due.time)


@given(days, zones, moments)
def test_what_is_done_on_the_promised_day_or_before_is_in_time_whatever_the_clock_did(day, zone, at):
    assert Due.of_day(day, zone).missed_by(at) == (at.astimezone(ZoneInfo(zone)).date() > day)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 29), "Europe/Berlin", 23),
        (date(2026, 10, 25), "Europe/Berlin", 25),
        (date(2026, 4, 24), "Africa/Cairo", 23),  # midnight itself is skipped
    ],
)
def test_the_day_on_which_the_clocks_change_is_longer_or_shorter(day, zone, hours):
    before = Due.of_day(day - timedelta(days=1), zone)
    assert Due.of_day(day, zone).time - before.time == timedelta(hours=hours)


def test_a_promised_moment_is_in_time_itself():
    due = Due(datetime(2026, 3, 5, 9, tzinfo=UTC))
    assert not due.missed_by(due.time)
    assert due.missed_by(due.time + TICK)


def test_who_promises_in_anothers_name_leaves_it_an_hour():
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert timedelta(hours=1) == LENT_LEAD
    assert Due(now + LENT_LEAD).is_ahead(now)
    assert not Due(now + LENT_LEAD - TICK).is_ahead(now)
