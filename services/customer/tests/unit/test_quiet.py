from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.business_time import WEEKDAYS, Weekday
from customer.domain.quiet import PAUSED, QUIET_HOURS, Pause, QuietHours, quiet_at, welcome

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours([], "22:00", "07:00")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Around changes of the clocks: in spring, in autumn, by half an hour, at midnight; a day that was left out.
CHANGES = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("America/Havana", "2026-03-08"),
    ("Pacific/Apia", "2011-12-30"),
    ("Asia/Kathmandu", "2026-06-01"),
]


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def until(text, *quiet_hours, pauses=(), zone=BERLIN):
    quiet = quiet_at(quiet_hours or [NIGHT], pauses, zone, at(text, zone))
    return quiet and (quiet.reason_code, quiet.until.astimezone(zone).isoformat()[:16])


def test_a_night_ends_in_the_morning_where_the_customer_is():
    assert until("2026-03-03T22:00") == (QUIET_HOURS, "2026-03-04T07:00")
    assert until("2026-03-04T06:59") == (QUIET_HOURS, "2026-03-04T07:00")
    assert until("2026-03-04T07:00") is None
    assert until("2026-03-04T21:59") is None
    tokyo = ZoneInfo("Asia/Tokyo")
    assert until("2026-03-04T23:00", zone=tokyo) == (QUIET_HOURS, "2026-03-05T07:00")


def test_several_windows_of_a_day_and_those_of_weekdays_each_count():
    lunch, sunday = QuietHours([], "12:00", "14:00"), QuietHours([Weekday.SUNDAY], "00:00", "24:00")
    assert until("2026-03-03T13:00", NIGHT, lunch, sunday) == (QUIET_HOURS, "2026-03-03T14:00")
    assert until("2026-03-07T23:00", NIGHT, lunch, sunday) == (QUIET_HOURS, "2026-03-09T07:00")


def test_a_night_that_begins_on_friday_ends_on_saturday():
    friday = QuietHours([Weekday.FRIDAY], "20:00", "10:00")
    assert until("2026-03-07T09:00", friday) == (QUIET_HOURS, "2026-03-07T10:00")
    assert until("2026-03-06T09:00", friday) is None


def test_what_ends_at_midnight_has_no_next_day():
    assert list(QuietHours([Weekday.SUNDAY], "22:00", "00:00").windows()) == [(6, (1320, 1440))]


def test_a_pause_that_ends_by_night_lasts_until_the_morning_and_the_first_reason_is_told():
    pause = Pause(None, at("2026-03-05T02:00"))
    assert until("2026-03-04T12:00", pauses=[pause]) == (PAUSED, "2026-03-05T07:00")
    ahead = Pause(at("2026-03-04T07:00"), at("2026-03-06T12:00"))
    assert until("2026-03-04T03:00", pauses=[ahead]) == (QUIET_HOURS, "2026-03-06T12:00")
    assert until("2026-03-06T12:00", pauses=[ahead, pause]) is None


def test_who_is_never_contacted_has_no_time_for_it():
    day, night = QuietHours([], "07:00", "22:00"), NIGHT
    assert quiet_at([day, night], [], BERLIN, at("2026-03-04T12:00")).until is None


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        (("24:00", "07:00"), "starts"),
        (("7pm", "07:00"), "starts"),
        (("22:00", "24:01"), "ends"),
        (("22:00", "22:00"), "ends"),
    ],
)
def test_hours_that_are_none_are_told(hours, field):
    assert [name for name, _ in QuietHours([], *hours).problems()] == [field]
    assert [name for name, _ in QuietHours([Weekday.MONDAY] * 2, "22:00", "07:00").problems()] == ["days"]


def is_quiet(quiet_hours, pauses, moment, zone):
    """By the clock on the wall of one minute, and nothing else."""
    if any((p.start_time is None or p.start_time <= moment) and moment < p.end_time for p in pauses):
        return True
    local = moment.astimezone(zone)
    now, weekday = f"{local:%H:%M}", local.weekday()
    for each in quiet_hours:
        days = {WEEKDAYS.index(day) for day in each.days or WEEKDAYS}
        today, since_yesterday = weekday in days, (weekday - 1) % 7 in days
        if each.starts < each.ends:
            if today and each.starts <= now < each.ends:
                return True
        elif (today and now >= each.starts) or (since_yesterday and now < each.ends):
            return True
    return False


times = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
hours = st.builds(
    QuietHours, st.lists(st.sampled_from(WEEKDAYS), max_size=3, unique=True), times, times | st.just("24:00")
).filter(lambda each: each.starts != each.ends)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), change=st.sampled_from(CHANGES), quiet_hours=st.lists(hours, max_size=4))
def test_quiet_ends_at_the_first_minute_that_is_not_quiet(data, change, quiet_hours):
    zone = ZoneInfo(change[0])
    start = datetime.fromisoformat(change[1]).replace(tzinfo=UTC) - timedelta(days=1)
    minutes = st.integers(0, 3 * 1440).map(lambda minute: start + minute * MINUTE)
    pauses = [
        Pause(min(pair), max(pair)) for pair in data.draw(st.lists(st.tuples(minutes, minutes), max_size=2))
    ]
    now = data.draw(minutes)
    quiet = quiet_at(quiet_hours, pauses, zone, now)
    if not any(welcome(quiet_hours)):
        assert quiet is not None
        assert quiet.until is None
        return
    found = now
    while is_quiet(quiet_hours, pauses, found, zone):
        found += MINUTE
    assert (quiet.until if quiet else now) == found
    assert (quiet is None) == (found == now)
