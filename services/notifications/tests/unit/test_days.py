"""Hours where customers live."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.days import due, hour_of, span

ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
DAYS = st.dates(date(2000, 1, 1), date(2035, 1, 1))
MOMENTS = DAYS.flatmap(
    lambda day: st.integers(0, 86_399).map(
        lambda second: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    )
)
HOURS = st.integers(1, 23)


@given(DAYS, HOURS, ZONES)
def test_an_hour_of_a_day_is_within_the_span_in_which_it_comes_everywhere(
    day: date, hour: int, zone: ZoneInfo
) -> None:
    begin, end = span(day.isoformat(), hour)
    assert begin <= hour_of(day.isoformat(), hour, zone) <= end


@given(MOMENTS, HOURS, ZONES)
def test_the_hour_is_on_the_day_that_a_moment_is_of_there(at: datetime, hour: int, zone: ZoneInfo) -> None:
    begin, end = span(at.isoformat(), hour)
    found = hour_of(at.isoformat(), hour, zone)
    assert begin <= found <= end
    assert abs(found - at) <= timedelta(hours=25)


@pytest.mark.parametrize(
    ("day", "zone", "at"),
    [
        ("2026-12-24", "Europe/Berlin", "2026-12-24T08:00:00+00:00"),
        ("2026-07-24", "Europe/Berlin", "2026-07-24T07:00:00+00:00"),
        ("2026-03-02T11:30:00+00:00", "Pacific/Auckland", "2026-03-02T20:00:00+00:00"),
    ],
)
def test_it_is_nine_where_the_customer_lives(day: str, zone: str, at: str) -> None:
    assert hour_of(day, 9, ZoneInfo(zone)) == datetime.fromisoformat(at)


def test_a_day_that_is_told_is_due_when_it_is_over_and_a_moment_then() -> None:
    assert due("2026-03-02", "Europe/Berlin") == (datetime(2026, 3, 2, 23, tzinfo=UTC), date(2026, 3, 2))
    assert due("2026-03-02T10:00:00+00:00", "") == (datetime(2026, 3, 2, 10, tzinfo=UTC), None)
