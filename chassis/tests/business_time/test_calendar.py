"""Business time where other products got it wrong, in days that anybody can check by hand."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chassis.business_time import HORIZON_YEARS, Calendar, explain, read
from chassis.errors import FailedPrecondition

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
HOUR = timedelta(hours=1)


def calendar(
    *windows: str, zone: str = "Europe/Berlin", days: list[str] = WEEKDAYS, **more: object
) -> Calendar:
    return Calendar(read({"time_zone": zone, "hours": [{"days": days, "windows": [*windows]}], **more}))


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


OFFICE = calendar("09:00-17:00")
SPLIT = calendar("09:00-12:00", "13:00-17:00")
ALWAYS = calendar("00:00-24:00", days=[*WEEKDAYS, "SATURDAY", "SUNDAY"])
NIGHT = calendar("02:00-03:00", days=["SUNDAY"])


def test_an_hour_from_friday_afternoon_ends_on_monday_morning():
    assert OFFICE.add(at("2026-11-27T16:30"), HOUR) == at("2026-11-30T09:30")


def test_what_comes_at_midnight_or_on_a_weekend_counts_from_the_next_opening():
    assert OFFICE.add(at("2026-11-27T23:59"), HOUR) == at("2026-11-30T10:00")
    assert OFFICE.next_opening(at("2026-11-28T12:00")) == at("2026-11-30T09:00")


def test_what_ends_with_a_window_ends_when_that_closes():
    assert OFFICE.add(at("2026-11-27T16:00"), HOUR) == at("2026-11-27T17:00")


def test_a_window_is_open_when_it_opens_and_not_when_it_closes():
    assert OFFICE.is_open(at("2026-11-27T09:00"))
    assert not OFFICE.is_open(at("2026-11-27T17:00"))
    assert OFFICE.next_opening(at("2026-11-27T17:00")) == at("2026-11-30T09:00")


def test_a_lunch_break_does_not_count():
    assert SPLIT.minutes(at("2026-11-27T11:30"), at("2026-11-27T13:30")) == 60
    assert SPLIT.add(at("2026-11-27T11:30"), HOUR) == at("2026-11-27T13:30")


def test_of_a_pause_only_what_would_have_counted_counts():
    """From Friday evening to Monday morning nothing: wall time would move a deadline by days."""
    assert OFFICE.elapsed(at("2026-11-27T16:30"), at("2026-11-30T09:15")) == timedelta(minutes=45)


def test_seconds_count_and_only_whole_minutes_are_told():
    start, end = at("2026-11-27T09:00:30"), at("2026-11-27T09:02:29.9")
    assert OFFICE.elapsed(start, end) == timedelta(seconds=119.9)
    assert OFFICE.minutes(start, end) == 1


def test_no_time_at_all_has_passed_at_once_also_while_it_is_closed():
    assert OFFICE.add(at("2026-11-28T12:00"), timedelta()) == at("2026-11-28T12:00")


def test_an_hour_that_the_clocks_skip_counts_nothing():
    assert NIGHT.minutes(at("2026-03-28T12:00"), at("2026-03-29T12:00")) == 0
    assert ALWAYS.minutes(at("2026-03-29T00:00"), at("2026-03-30T00:00")) == 23 * 60


def test_an_hour_that_the_clocks_repeat_counts_twice():
    assert NIGHT.minutes(at("2026-10-24T12:00"), at("2026-10-25T12:00")) == 120
    assert ALWAYS.minutes(at("2026-10-25T00:00"), at("2026-10-26T00:00")) == 25 * 60


def test_a_window_that_opens_in_a_repeated_hour_closes_when_the_clocks_go_back():
    """Open is what the wall clock shows: from 02:30, not in the second 02:00-02:30, and from 02:30 again."""
    late = calendar("02:30-04:00", days=["SUNDAY"])
    assert late.minutes(at("2026-10-25T00:00"), at("2026-10-25T12:00")) == 30 + 90


def test_moments_of_one_zone_are_compared_as_moments():
    """The second 02:30 is later than the first, whatever the wall says."""
    first, second = at("2026-10-25T02:40"), at("2026-10-25T02:30").replace(fold=1)
    assert ALWAYS.minutes(first, second) == 50


def test_a_holiday_is_closed_and_so_is_the_day_on_which_it_is_observed():
    shop = calendar("09:00-17:00", zone="America/New_York", holidays=[{"country": "US"}])
    assert shop.minutes(at("2026-07-03T00:00", NEW_YORK), at("2026-07-06T00:00", NEW_YORK)) == 0


def test_an_exception_goes_before_a_holiday_and_before_the_weekday():
    shop = calendar(
        "09:00-17:00",
        holidays=[{"country": "DE"}],
        exceptions=[
            {"date": "2026-12-25", "windows": ["10:00-12:00"]},
            {"date": "2026-12-27", "windows": ["10:00-11:00"]},  # a Sunday
            {"date": "2026-12-28"},
        ],
    )
    assert shop.minutes(at("2026-12-25T00:00"), at("2026-12-29T00:00")) == 120 + 60


def test_each_step_of_a_deadline_is_told_and_so_is_why_a_day_did_not_count():
    """Holidays that nobody expects make 48 hours six days: whoever asks is told which."""
    shop = calendar("09:00-12:00", "13:00-17:00", holidays=[{"country": "DE", "subdivision": "BY"}])
    start = at("2026-05-13T16:00")
    told = [str(step) for step in explain(shop, start, shop.add(start, 9 * HOUR))]
    assert told == [
        "Wed 2026-05-13  16:00-17:00  60 min  (weekly hours)",
        "Thu 2026-05-14  closed  (holiday: Ascension Day)",
        "Fri 2026-05-15  09:00-12:00, 13:00-17:00  420 min  (weekly hours)",
        "Sat 2026-05-16  closed  (weekly hours)",
        "Sun 2026-05-17  closed  (weekly hours)",
        "Mon 2026-05-18  09:00-10:00  60 min  (weekly hours)",
    ]


def test_holidays_that_are_settled_stay_whatever_is_known_later():
    schedule = read(
        {"time_zone": "Europe/Berlin", "hours": {"mon": ["09:00-17:00"]}, "holidays": [{"country": "DE"}]}
    )
    settled = type(schedule)(schedule.zone, schedule.week, schedule.holidays, settled={2026: {}})
    easter = at("2026-04-06T00:00"), at("2026-04-07T00:00")
    assert Calendar(schedule).minutes(*easter) == 0
    assert Calendar(settled).minutes(*easter) == 480
    assert schedule.settle([2026])[2026][easter[0].date()] == "Easter Monday"


def test_time_is_not_looked_for_for_ever():
    once = calendar(days=["MONDAY"], exceptions=[{"date": "2026-12-24", "windows": ["09:00-10:00"]}])
    assert once.add(at("2026-01-01T00:00"), HOUR) == at("2026-12-24T10:00")
    for ask in (
        lambda: once.add(at("2026-01-01T00:00"), 2 * HOUR),
        lambda: once.next_opening(at("2027-01-01T00:00")),
    ):
        with pytest.raises(FailedPrecondition, match=f"in the {HORIZON_YEARS} years after") as refused:
            ask()
        assert refused.value.reason == "CALENDAR_CLOSED"


def test_time_does_not_go_backwards():
    with pytest.raises(ValueError, match="must not be before start"):
        OFFICE.minutes(at("2026-11-27T10:00"), at("2026-11-27T09:00"))
    with pytest.raises(ValueError, match="must not be negative"):
        OFFICE.add(at("2026-11-27T10:00"), -HOUR)


def test_moments_far_from_any_business_are_refused():
    with pytest.raises(ValueError, match="between the years 1900 and 2200"):
        OFFICE.minutes(datetime(1066, 10, 14, tzinfo=UTC), at("2026-11-27T10:00"))
