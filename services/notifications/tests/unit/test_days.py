"""Hours where customers live."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.zones import TICK, day_of
from notifications.domain.days import due, hour_of, span

ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
DAYS = st.dates(date(2012, 1, 1), date(2035, 1, 1))  # since then no place has left out a day
MOMENTS = DAYS.flatmap(
    lambda day: st.integers(0, 86_399).map(
        lambda second: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    )
)
HOURS = st.integers(1, 23)
OFFSETS = st.integers(-3, 3)
QUARTER = timedelta(minutes=15)  # by which clocks differ on earth, and are moved


def seen(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """When who looks at a clock there every quarter of an hour first sees that hour of that day, or later."""
    at = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    while ((local := at.astimezone(zone)).date(), local.hour) < (day, hour):
        at += QUARTER
    return at


@given(DAYS, OFFSETS, HOURS, ZONES)
def test_an_hour_of_a_day_is_when_a_clock_there_shows_it(
    day: date, offset: int, hour: int, zone: ZoneInfo
) -> None:
    assume(not zone.key.startswith("Antarctica/"))  # where clocks leave out more than an hour
    begin, end = span(day.isoformat(), offset, hour)
    found = hour_of(day.isoformat(), offset, hour, zone)
    assert begin <= found <= end
    assert found == seen(day + timedelta(days=offset), hour, zone)


@given(MOMENTS, OFFSETS, HOURS, ZONES)
def test_of_a_moment_it_is_so_many_days_from_the_day_that_it_is_of_there(
    at: datetime, offset: int, hour: int, zone: ZoneInfo
) -> None:
    begin, end = span(at.isoformat(), offset, hour)
    found = hour_of(at.isoformat(), offset, hour, zone)
    assert begin <= found <= end
    day = day_of(at, zone)
    assert found == hour_of(day.isoformat(), offset, hour, zone)
    ended = at.astimezone(zone).date() - day
    assert ended == timedelta(
        days=at == datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    )


@given(DAYS, ZONES)
def test_midnight_ends_a_day_also_where_clocks_are_moved_then(day: date, zone: ZoneInfo) -> None:
    ends = datetime.combine(day + timedelta(days=1), time(), zone)
    assert day_of(ends, zone) == day
    assert day_of(ends.astimezone(UTC) + TICK, zone) == day + timedelta(days=1)


@pytest.mark.parametrize(
    ("ends", "zone", "offset", "at"),
    [
        # What ends with 31 March, and with 29 March, the day on which clocks are moved.
        ("2026-03-31T22:00:00+00:00", "Europe/Berlin", 0, "2026-03-31T07:00:00+00:00"),
        ("2026-03-31T22:00:00+00:00", "Europe/Berlin", -14, "2026-03-17T08:00:00+00:00"),
        ("2026-03-29T22:00:00+00:00", "Europe/Berlin", -1, "2026-03-28T08:00:00+00:00"),
        ("2026-10-25T22:30:00+00:00", "Europe/Berlin", -1, "2026-10-24T07:00:00+00:00"),
        # Days after it: over a change of clocks, and from the last day of a leap year's February.
        ("2026-03-28T23:00:00+00:00", "Europe/Berlin", 3, "2026-03-31T07:00:00+00:00"),
        ("2028-03-01T00:00:00+00:00", "UTC", 3, "2028-03-03T09:00:00+00:00"),
        # Midnight is no hour in Beirut when clocks go forward.
        ("2026-03-28T22:00:00+00:00", "Asia/Beirut", 0, "2026-03-28T07:00:00+00:00"),
        ("2028-03-01T00:00:00+00:00", "UTC", 0, "2028-02-29T09:00:00+00:00"),
    ],
)
def test_what_ends_at_midnight_is_told_on_its_last_day_and_days_are_counted_there(
    ends: str, zone: str, offset: int, at: str
) -> None:
    assert hour_of(ends, offset, 9, ZoneInfo(zone)) == datetime.fromisoformat(at)


@pytest.mark.parametrize(
    ("day", "zone", "at"),
    [
        ("2026-12-24", "Europe/Berlin", "2026-12-24T08:00:00+00:00"),
        ("2026-07-24", "Europe/Berlin", "2026-07-24T07:00:00+00:00"),
        ("2026-03-02T11:30:00+00:00", "Pacific/Auckland", "2026-03-02T20:00:00+00:00"),
    ],
)
def test_it_is_nine_where_the_customer_lives(day: str, zone: str, at: str) -> None:
    assert hour_of(day, 0, 9, ZoneInfo(zone)) == datetime.fromisoformat(at)


def test_a_day_that_is_told_is_due_when_it_is_over_and_a_moment_then() -> None:
    assert due("2026-03-02", "Europe/Berlin") == (datetime(2026, 3, 2, 23, tzinfo=UTC), date(2026, 3, 2))
    assert due("2026-03-02T10:00:00+00:00", "") == (datetime(2026, 3, 2, 10, tzinfo=UTC), None)
