"""CalendarService."""

from datetime import datetime
from typing import Any, ClassVar

from google.protobuf.json_format import MessageToDict

from cases.names import CALENDAR
from cases.store import calendars as store
from cases.usecases import calendar as usecases
from cases.usecases.clock_preview import preview_calendar
from chassis import business_time
from chassis.api.checks import Rules
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import calendar_service_pb2 as pb
from rapport.cases.v1.calendar_pb2 import Calendar
from rapport.cases.v1.calendar_service_pb2_grpc import CalendarServiceServicer


def check_calendar(check: Check, sent: Calendar, now: datetime) -> None:
    """Windows that are in order and apart, holidays that are known, days that are there once."""
    _, found = business_time.look(_written(sent))
    for each in found:
        check.refuse(each.field, each.reason, each.description)


def _written(sent: Calendar) -> dict[str, Any]:
    """A calendar as `chassis.business_time` reads one."""
    return MessageToDict(sent, preserving_proto_field_name=True)


class CalendarRpc(Rpc, CalendarServiceServicer):
    """When departments are open."""

    rules: ClassVar[Rules] = {Calendar: check_calendar}

    CreateCalendar = change(pb.CreateCalendarRequest, usecases.create_calendar, Calendar)
    GetCalendar = get(CALENDAR, store.CALENDAR, Calendar, store.CALENDAR_VERSION)
    ListCalendars = listing(pb.ListCalendarsResponse, store.LIST_CALENDARS)
    UpdateCalendar = change(pb.UpdateCalendarRequest, usecases.update_calendar, Calendar)
    ExplainCalendar = explain(CALENDAR, store.CALENDAR, Calendar)

    async def PreviewCalendar(
        self, request: pb.PreviewCalendarRequest, context: Any
    ) -> pb.PreviewCalendarResponse:
        """What would become of clocks: nothing is written."""
        (calendar_id,) = CALENDAR.parse(request.name)
        calendar = business_time.Calendar(business_time.read(_written(request.calendar)))
        preview = await preview_calendar(self.db, calendar_id, calendar)
        return to_message(pb.PreviewCalendarResponse, preview)
