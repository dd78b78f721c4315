"""`/calendars/{id}`: opening hours, tried and changed; `/calendars/new`: others."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from desk.pages.base import Looking
from desk.pages.editing import Editor, Trial
from desk.pages.times import view
from desk.pages.times.forms import calendar_of, regions
from desk.pages.trying import Typed
from rapport.cases.v1 import calendar_service_pb2 as pb
from rapport.cases.v1.calendar_pb2 import Calendar

WRITE = "cases.calendars.write"
YEARS = range(1970, 2200)
_CHANGED = ("display_name", "time_zone", "hours", "exceptions")


class Calendars(Editor[Calendar]):
    """Opening hours."""

    collection, template, permission, lists = "calendars", "pages/times/calendar.html", WRITE, ("drop",)

    def begun(self, look: Looking, chosen: Mapping[str, str]) -> Calendar:
        """By the clock of where the viewer is."""
        return Calendar(department=look.viewer.department, time_zone=look.say.zone.key)

    async def get(self, look: Looking, name: str) -> Calendar:
        return await look.services.calendars.GetCalendar(pb.GetCalendarRequest(name=name))

    def read(self, now: Calendar, sent: Typed) -> Calendar:
        return calendar_of(now, sent)

    async def preview(self, look: Looking, now: Calendar, proposed: Calendar, sent: Typed) -> Any:
        """Who is concerned."""
        asked = pb.PreviewCalendarRequest(name=now.name, calendar=proposed)
        return await look.services.calendars.PreviewCalendar(asked)

    async def create(self, look: Looking, proposed: Calendar, sent: Typed) -> Calendar:
        asked = pb.CreateCalendarRequest(
            calendar_id=sent.text("code"), calendar=proposed, request_id=sent.request_id
        )
        return await look.services.calendars.CreateCalendar(asked)

    async def update(self, look: Looking, now: Calendar, proposed: Calendar, sent: Typed) -> Calendar:
        # Sent again, they would be those that are known today.
        also = ["holidays"] if regions(proposed) != regions(now) else []
        asked = pb.UpdateCalendarRequest(
            calendar=proposed, update_mask=FieldMask(paths=[*_CHANGED, *also]), request_id=sent.request_id
        )
        return await look.services.calendars.UpdateCalendar(asked)

    async def known(self, look: Looking, now: Calendar) -> int:
        """The year whose holidays are asked for, or this one."""
        asked = look.request.query_params.get("year", "")
        return int(asked) if asked in map(str, YEARS) else look.say.today.year

    def shown(self, look: Looking, now: Calendar, known: int, trial: Trial[Calendar]) -> Mapping[str, Any]:
        fields = {
            "display_name": now.display_name,
            "time_zone": now.time_zone,
            "holidays": regions(now),
            **dict.fromkeys(("date", "windows", "called"), ""),
            **trial.fields,
        }
        week = view.week(trial.proposed or now, look.say)
        return {
            "calendar": now,
            "week": [(key, day, fields.get(key, hours)) for key, day, hours in week],
            "exceptions": view.exceptions(now, look.say),
            "dropped": trial.sent.lists.get("drop", ()) if trial.sent else (),
            "typed": fields,
            "holidays": view.holidays(now, known, look.say),
            "year": known,
            **view.previewed(trial.preview, look.say),
        }


router = Calendars().router()
