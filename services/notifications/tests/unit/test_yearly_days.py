"""Days that come each year, against a calendar that is walked day by day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from chassis.zones import day_of
from notifications.domain.days import hour_of, span, year_after

ZONES = ("UTC", "Europe/Vienna", "America/New_York", "Pacific/Auckland", "Pacific/Kiritimati", "Etc/GMT+12")
A_DAY = timedelta(days=1)
_moments = st.integers(0, 160 * 366 * 24).map(
    lambda hours: datetime(1900, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
)
_near_leap_days = st.builds(
    lambda year, hours: datetime(year, 2, 27, tzinfo=UTC) + timedelta(hours=hours),
    st.integers(1996, 2032),
    st.integers(0, 96),
)
_said = st.one_of(st.dates(date(1900, 1, 1), date(2060, 1, 1)), _moments, _near_leap_days)


def walked(first: date, years: int) -> date:
    """The day of the same month and number so many years later, found by walking; or the day before it."""
    day = date(first.year + years, 1, 1)
    last = day
    while (day.month, day.day) <= (first.month, first.day) and day.year == first.year + years:
        last, day = day, day + A_DAY
    return last


@given(_said, st.integers(-366, 366), st.integers(1, 23), st.sampled_from(ZONES), st.integers(0, 60))
def test_it_is_the_hour_of_the_day_where_the_customer_lives_in_that_year(
    said: date, offset: int, hour: int, name: str, years: int
) -> None:
    zone = ZoneInfo(name)
    at = hour_of(said.isoformat(), offset, hour, zone, years)
    there = at.astimezone(zone)
    assert there.date() == walked(day_of(said, zone), years) + timedelta(days=offset)
    assert there.hour in (hour, hour + 1)  # the one after it, where clocks leave it out
    first, last = span(said.isoformat(), offset, hour, years)
    assert first <= at <= last


@given(_said, st.integers(-366, 366), st.integers(1, 23), st.sampled_from(ZONES), _moments)
def test_no_later_year_is_passed_over_whose_day_begins_after_where_the_customer_lives(
    said: date, offset: int, hour: int, name: str, since: datetime
) -> None:
    text, zone = said.isoformat(), ZoneInfo(name)
    years = year_after(text, offset, hour, since)
    assert all(hour_of(text, offset, 0, zone, each) <= since for each in range(1, years))
    assert years == 0 or span(text, offset, hour, years)[1] > since
    assert years > 0 or span(text, offset, hour)[0] > since
    assert year_after(text, offset, hour, since, years) == years + 1
