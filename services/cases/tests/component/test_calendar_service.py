"""Calendars: created, changed version by version, and compiled for whoever pinned one."""

import asyncio
from datetime import UTC, datetime

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict
from google.type.date_pb2 import Date
from google.type.dayofweek_pb2 import FRIDAY, MONDAY

from cases.usecases import calendar as usecases
from cases.usecases.calendar import Calendars, seed_always
from chassis.business_time import Calendar as Compiled
from chassis.business_time import read
from rapport.cases.v1.calendar_pb2 import Calendar
from rapport.cases.v1.calendar_service_pb2 import (
    CreateCalendarRequest,
    ExplainCalendarRequest,
    GetCalendarRequest,
    ListCalendarsRequest,
    UpdateCalendarRequest,
)
from rapport.cases.v1.cases_events_pb2 import CalendarCreated, CalendarUpdated

NINE_TO_FIVE = Calendar.Window(opens="09:00", closes="17:00")
OFFICE = Calendar(
    display_name="Office",
    department="departments/billing",
    time_zone="Europe/Berlin",
    hours=[Calendar.Hours(days=[MONDAY, FRIDAY], windows=[NINE_TO_FIVE])],
    holidays=[Calendar.Holidays(region_code="DE", subdivision="BY")],
    exceptions=[Calendar.SpecialDay(date=Date(year=2026, month=12, day=28), display_name="Stocktaking")],
)
NAME = "calendars/office"
DAY = datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC)


async def create(desk, **fields):
    sent = Calendar()
    sent.CopyFrom(OFFICE)
    sent.MergeFrom(Calendar(**fields))
    return await desk.calendars.CreateCalendar(CreateCalendarRequest(calendar_id="office", calendar=sent))


async def update(desk, mask="", **fields):
    sent = Calendar(name=NAME, **fields)
    paths = FieldMask(paths=mask.split(",")) if mask else None
    return await desk.calendars.UpdateCalendar(UpdateCalendarRequest(calendar=sent, update_mask=paths))


async def test_there_is_a_calendar_that_is_open_always(desk):
    always = await desk.calendars.GetCalendar(GetCalendarRequest(name="calendars/always"))
    compiled = Compiled(read(MessageToDict(always)))
    assert compiled.minutes(*DAY) == 24 * 60
    assert (always.department, always.version) == ("departments/platform", 1)


async def test_the_calendar_that_is_open_always_is_seeded_once(desk):
    changed = Calendar(name="calendars/always", display_name="Day and night")
    await desk.calendars.UpdateCalendar(UpdateCalendarRequest(calendar=changed))
    await seed_always(desk.running.db)
    always = await desk.calendars.GetCalendar(GetCalendarRequest(name="calendars/always"))
    assert (always.display_name, always.version) == ("Day and night", 2)


async def test_a_calendar_is_read_as_it_was_written(desk):
    created = await create(desk)
    assert await desk.calendars.GetCalendar(GetCalendarRequest(name=NAME)) == created
    for field in ("display_name", "time_zone", "hours", "holidays", "exceptions"):
        assert getattr(created, field) == getattr(OFFICE, field)
    assert (created.name, created.version, created.etag) == (NAME, 1, '"1"')


async def test_the_json_of_a_calendar_is_a_calendar_on_the_command_line(desk):
    schedule = read(MessageToDict(await create(desk)))
    assert Compiled(schedule).minutes(*DAY) == 480
    assert not Compiled(schedule).is_open(datetime(2026, 12, 28, 12, tzinfo=UTC))


async def test_a_name_is_taken_once(desk, refused):
    outcomes = await asyncio.gather(*[create(desk) for _ in range(5)], return_exceptions=True)
    assert sum(isinstance(outcome, Calendar) for outcome in outcomes) == 1
    assert await refused(create(desk)) == "ALREADY_EXISTS RESOURCE_EXISTS"


async def test_a_change_is_a_version_of_which_others_hear(desk):
    await create(desk)
    changed = await update(desk, "exceptions,display_name", display_name="Office")
    again = await update(desk, display_name="Office")
    assert (changed.version, changed.etag, list(changed.exceptions), again) == (2, '"2"', [], changed)
    facts = await desk.facts("CalendarCreated", "CalendarUpdated")
    told = {"calendar": NAME, "department": OFFICE.department}
    assert [fact.data for fact in facts if fact.resource == NAME] == [
        CalendarCreated(**told, version=1),
        CalendarUpdated(**told, version=2, updated_fields=["exceptions"]),
    ]


async def test_a_stale_change_is_refused(desk, refused):
    await create(desk)
    assert await refused(update(desk, display_name="Bureau", etag='"7"')) == "ABORTED ETAG_MISMATCH"


async def test_of_changes_at_once_each_is_a_version(desk):
    await create(desk)
    await asyncio.gather(*[update(desk, display_name=f"Office {n}") for n in range(8)])
    assert (await desk.calendars.GetCalendar(GetCalendarRequest(name=NAME))).version == 9


async def test_whoever_pinned_a_version_gets_that_whatever_came_later(desk):
    await create(desk)
    await update(desk, hours=[Calendar.Hours(days=[FRIDAY], windows=[{"opens": "00:00", "closes": "24:00"}])])
    calendars, db = Calendars(), desk.running.db
    first, second = [await calendars.of(db, "office", version) for version in (1, 2)]
    assert (first.minutes(*DAY), second.minutes(*DAY)) == (480, 23 * 60)  # a day of UTC: Saturday has begun
    assert await calendars.of(db, "office", 1) is first
    with pytest.raises(LookupError):
        await calendars.of(db, "office", 3)


async def test_only_the_versions_that_were_asked_for_last_are_held(desk, monkeypatch):
    await create(desk)
    for n in range(2):
        await update(desk, display_name=f"Office {n}")
    monkeypatch.setattr(usecases, "COMPILED_MAX", 2)
    calendars, db = Calendars(), desk.running.db
    first, second = [await calendars.of(db, "office", version) for version in (1, 2)]
    assert await calendars.of(db, "office", 1) is first
    await calendars.of(db, "office", 3)
    assert await calendars.of(db, "office", 1) is first
    assert await calendars.of(db, "office", 2) is not second


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        (
            {"hours": [{"days": [MONDAY], "windows": [NINE_TO_FIVE]}]},
            "calendar.hours",
            "INVALID_HOURS: must not overlap, as 09:00-17:00 and 09:00-17:00 do on MONDAY",
        ),
        (
            {"hours": [{"days": ["SUNDAY"], "windows": [{"opens": "22:00", "closes": "06:00"}]}]},
            "calendar.hours[1].windows[0]",
            "open over midnight is two windows",
        ),
        (
            {"hours": [{"days": ["SUNDAY"], "windows": [{"opens": "9", "closes": "17:00"}]}]},
            "calendar.hours[1].windows[0].opens",
            "must be a time of day",
        ),
        (
            {"holidays": [{"region_code": "DE", "subdivision": "ZZ"}]},
            "calendar.holidays[1].subdivision",
            "INVALID_CODE: must be one of",
        ),
        (
            {"exceptions": list(OFFICE.exceptions)},
            "calendar.exceptions[1].date",
            "INVALID_TIME: must not be there twice",
        ),
    ],
)
async def test_what_no_calendar_can_be_is_refused_where_it_is(desk, violations, fields, field, told):
    found = await violations(create(desk, **fields))
    assert told in found[field]


async def test_a_calendar_that_would_never_be_open_any_more_is_refused(desk, violations):
    await create(desk)
    assert "never be open" in (await violations(update(desk, "hours")))["calendar.hours"]


async def test_calendars_are_listed_by_name_each_once(desk):
    await create(desk)
    await update(desk, display_name="Bureau")
    listed = await desk.calendars.ListCalendars(ListCalendarsRequest())
    assert [(each.name, each.display_name) for each in listed.calendars] == [
        ("calendars/always", "Around the clock"),
        (NAME, "Bureau"),
    ]


async def test_a_calendar_explains_who_made_it_so(desk):
    await create(desk)
    told = await desk.calendars.ExplainCalendar(ExplainCalendarRequest(name=NAME))
    assert told.summary.startswith("Calendar created ")
