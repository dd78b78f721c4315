"""A calendar version by version: what is said, what of it is new, and the holidays that are settled."""

from datetime import UTC, date, datetime

import pytest

from cases.domain import calendar as domain
from cases.domain.calendar import Calendar, Holidays, Hours, SpecialDay, Window
from chassis.business_time import Weekday
from chassis.errors import InvalidArgument

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NINE_TO_FIVE = [Window("09:00", "17:00")]
EVE = SpecialDay(date(2026, 12, 24), "Christmas Eve", [])


def office(**fields: object) -> Calendar:
    said = {
        "display_name": "Office",
        "time_zone": "Europe/Berlin",
        "hours": [Hours([Weekday.MONDAY, Weekday.FRIDAY], NINE_TO_FIVE)],
        "holidays": [Holidays("DE", "BY", [])],
    }
    return Calendar.new("office", "billing", NOW, said | fields)


def test_a_calendar_says_what_it_was_told():
    calendar = office(exceptions=[EVE])
    assert calendar.hours == [Hours([Weekday.MONDAY, Weekday.FRIDAY], NINE_TO_FIVE)]
    assert (calendar.holidays, calendar.exceptions) == ([Holidays("DE", "BY", [])], [EVE])
    assert (calendar.name, calendar.department, calendar.version) == (
        "calendars/office",
        "departments/billing",
        1,
    )


def test_a_change_is_the_next_version_and_names_what_changed():
    calendar = office()
    told = calendar.update({"display_name": "Office", "time_zone": "UTC", "exceptions": [EVE]}, NOW)
    assert told is not None
    assert (told.version, told.updated_fields) == (2, ["time_zone", "exceptions"])


def test_what_is_said_already_is_no_new_version():
    calendar = office()
    same = {
        "display_name": calendar.display_name,
        "hours": calendar.hours,
        "holidays": calendar.holidays,
        "exceptions": [],
    }
    assert calendar.update(same, NOW) is None
    assert calendar.version == 1


def test_holidays_are_settled_for_years_behind_and_ahead():
    assert sorted(office().settled) == [str(year) for year in range(2021, 2037)]
    assert office().settled["2026"]["2026-01-06"] == "Epiphany"
    assert office(holidays=[]).settled["2026"] == {}


def test_what_is_learned_of_holidays_later_moves_nothing_until_holidays_are_said_again(monkeypatch):
    calendar = office()
    elsewhere = {year: {date(year, 6, 1): "New Holiday"} for year in range(2021, 2050)}
    monkeypatch.setattr(domain.Schedule, "_known_today", lambda self, year: elsewhere[year])
    monday = date(2026, 6, 1)
    assert calendar.update({"display_name": "Bureau", "exceptions": [EVE]}, NOW) is not None
    assert calendar.schedule().plan(monday).windows
    told = calendar.update({"holidays": calendar.holidays}, NOW)
    assert told is not None
    assert (told.version, told.updated_fields) == (3, ["holidays"])
    assert calendar.schedule().plan(monday).reason == "holiday: New Holiday"


def test_a_year_later_the_same_holidays_are_no_news():
    calendar = office()
    assert calendar.update({"holidays": calendar.holidays}, datetime(2027, 3, 2, tzinfo=UTC)) is None


def test_holidays_of_a_country_that_nobody_knows_any_more_are_those_that_were_settled():
    calendar = office()
    calendar.holidays = [Holidays("XX", "", [])]
    schedule = calendar.schedule()
    assert (schedule.holidays, schedule.plan(date(2026, 1, 6)).reason) == ((), "holiday: Epiphany")


@pytest.mark.parametrize("hours", [[], [Hours([Weekday.MONDAY], [])]])
def test_a_calendar_that_would_never_be_open_is_refused(hours):
    with pytest.raises(InvalidArgument, match="it would never be open") as refused:
        office(hours=hours)
    assert refused.value.violations[0].field == "calendar.hours"
    with pytest.raises(InvalidArgument, match="it would never be open"):
        office().update({"hours": hours}, NOW)


def test_a_calendar_may_be_open_on_exceptions_alone():
    assert office(hours=[], exceptions=[SpecialDay(EVE.date, "", NINE_TO_FIVE)]).schedule().is_ever_open
