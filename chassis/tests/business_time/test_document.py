"""The JSON of a calendar: what may be written, and what is said of what may not."""

from datetime import date

import pytest

from chassis.business_time import Holidays, SpecialDay, Window, read
from chassis.errors import InvalidArgument

DASHED = "09:00 \u2013 17:00"
NINE_TO_FIVE = (Window(540, 1020),)
WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
PLAIN = {"timeZone": "UTC", "hours": [{"days": WEEKDAYS, "windows": [{"opens": "09:00", "closes": "17:00"}]}]}


def wrong(**parts: object) -> dict[str, str]:
    with pytest.raises(InvalidArgument) as refused:
        read(PLAIN | parts)
    return {violation.field: violation.description for violation in refused.value.violations}


@pytest.mark.parametrize(
    "hours",
    [
        PLAIN["hours"],
        [{"days": [day], "windows": ["09:00-17:00"]} for day in WEEKDAYS],
        [{"days": ["monday", "Tue", "wed", "THU", "friday"], "windows": ["9:00-17:00"]}],
        [{"days": WEEKDAYS, "opens": "09:00", "closes": "17:00"}],
        [{"days": "monday", "opens": "9:00", "closes": "17:00"}, {"days": WEEKDAYS[1:], "windows": [DASHED]}],
        {day.lower(): ["09:00-17:00"] for day in WEEKDAYS},
        {day[:3]: [{"opens": "09:00", "closes": "17:00"}] for day in WEEKDAYS} | {"sat": []},
    ],
)
def test_hours_may_be_written_in_each_of_these_ways(hours):
    assert read(PLAIN | {"hours": hours}).week == (NINE_TO_FIVE,) * 5 + ((), ())


def test_split_shifts_may_be_of_one_entry_or_of_several():
    shifts = (Window(540, 720), Window(780, 1440))
    one = [{"days": ["SUNDAY"], "windows": ["13:00-24:00", "09:00-12:00"]}]
    two = [{"days": ["SUNDAY"], "windows": [each]} for each in ("09:00-12:00", "13:00-24:00")]
    assert [read(PLAIN | {"hours": hours}).week[6] for hours in (one, two)] == [shifts, shifts]


def test_holidays_are_of_countries_or_dates():
    schedule = read(
        PLAIN
        | {
            "holidays": [
                {"country": "us", "subdivision": "US-NY"},
                {"regionCode": "DE", "subdivision": "BY", "categories": ["public", "catholic"]},
                "2026-12-24",
            ],
            "exceptions": [{"date": "2026-12-31", "windows": ["09:00-17:00"], "displayName": "Sale"}],
        }
    )
    assert schedule.holidays == (Holidays("US", "NY"), Holidays("DE", "BY", ("public", "catholic")))
    assert schedule.exceptions == {
        date(2026, 12, 24): SpecialDay(display_name="holiday"),
        date(2026, 12, 31): SpecialDay(NINE_TO_FIVE, "Sale"),
    }


def test_a_date_that_is_a_holiday_and_an_exception_is_what_the_exception_says():
    special = {"date": {"year": 2026, "month": 12, "day": 24}, "windows": ["09:00-17:00"]}
    schedule = read(PLAIN | {"holidays": ["2026-12-24"], "exceptions": [special]})
    assert schedule.exceptions == {date(2026, 12, 24): SpecialDay(NINE_TO_FIVE)}


def test_one_country_needs_no_list():
    assert read(PLAIN | {"holidays": {"country": "GB"}}).holidays == (Holidays("GB"),)


@pytest.mark.parametrize(
    ("parts", "field", "allowed"),
    [
        ({"timeZone": "Berlin"}, "time_zone", "must be an IANA time zone like Europe/Berlin"),
        ({"hours": []}, "hours", "it would never be open"),
        ({"hours": "24/7"}, "hours", "must be a list"),
        ({"hours": {"mo": []}}, "hours.mo", "must be one or more of MONDAY, TUESDAY"),
        ({"hours": {"mon": ["9-17"]}}, "hours.mon[0].opens", "must be a time of day like 09:00"),
        ({"hours": {"mon": ["09:00-24:01"]}}, "hours.mon[0].closes", "24:00 for the end of the day"),
        ({"hours": {"mon": ["22:00-06:00"]}}, "hours.mon[0]", "open over midnight is two windows"),
        ({"hours": {"mon": ["09:00-00:00"]}}, "hours.mon[0]", "one until 24:00"),
        ({"hours": {"mon": ["09:00-09:00"]}}, "hours.mon[0]", "must open before it closes"),
        (
            {"hours": {"mon": ["09:00-13:00", "12:00-17:00"]}},
            "hours",
            "09:00-13:00 and 12:00-17:00 do on MONDAY",
        ),
        ({"hours": [{"days": [], "windows": []}]}, "hours[0].days", "one or more of"),
        ({"hours": [{"days": ["MON", "monday"]}]}, "hours[0].days", "each once"),
        (
            {"hours": [{"days": "mon", "opens": "09:00"}]},
            "hours[0].windows[0].closes",
            "must be a time of day",
        ),
        (
            {"hours": [{"days": "mon", "from": "09:00"}]},
            "hours[0].from",
            "must be one of closes, days, opens",
        ),
        ({"hours": [{"days": "mon", "opens": "09:00", "windows": []}]}, "hours[0]", "not both"),
        ({"hours": [7]}, "hours[0]", "must be an object with closes, days"),
        ({"holidays": {"country": "XX"}}, "holidays[0].region_code", "ISO 3166-1 alpha-2 country"),
        ({"holidays": {"country": "DEU"}}, "holidays[0].region_code", "ISO 3166-1 alpha-2 country"),
        (
            {"holidays": {"country": "DE", "subdivision": "ZZ"}},
            "holidays[0].subdivision",
            "one of Augsburg, BB, BE",
        ),
        ({"holidays": {"country": "DE", "categories": "bank"}}, "holidays[0].categories", "catholic, public"),
        ({"holidays": {"country": "DE", "regionCode": "DE"}}, "holidays[0]", "not both"),
        ({"holidays": ["25.12.2026"]}, "holidays[0]", "must be a day that there is, like 2026-12-25"),
        ({"holidays": [7]}, "holidays[0]", "must have a country, or be a date"),
        ({"exceptions": [{"date": "2026-02-29"}]}, "exceptions[0].date", "must be a day that there is"),
        ({"exceptions": [{"date": "2026-02-28"}] * 2}, "exceptions[1].date", "must not be there twice"),
        ({"exceptions": [{"date": "2026-02-28"}] * 1001}, "exceptions", "must have at most 1000"),
        (
            {"exceptions": [{"day": "2026-02-28"}]},
            "exceptions[0].day",
            "must be one of date, display_name, windows",
        ),
        ({"closed": []}, "closed", "must be one of exceptions, holidays, hours, time_zone"),
        ({"time_zone": "UTC"}, "time_zone", "must not be there twice"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(parts, field, allowed):
    assert allowed in wrong(**parts)[field]


def test_everything_that_is_wrong_is_told_at_once():
    assert len(wrong(timeZone="Mars", hours={"mon": ["x"]}, holidays=[{"country": "XX"}])) == 4


def test_what_are_no_hours_is_refused_for_that_reason():
    with pytest.raises(InvalidArgument) as refused:
        read(PLAIN | {"hours": []})
    assert [violation.reason for violation in refused.value.violations] == ["INVALID_HOURS"]


def test_what_is_no_object_is_no_calendar():
    with pytest.raises(
        InvalidArgument, match="must be an object with exceptions, holidays, hours, time_zone"
    ):
        read(["09:00-17:00"])


def test_a_calendar_is_also_read_as_the_service_tells_it():
    told = {
        "name": "calendars/x",
        "displayName": "X",
        "department": "departments/x",
        "etag": '"1"',
        "createTime": "",
    }
    assert read(PLAIN | told) == read(PLAIN)
