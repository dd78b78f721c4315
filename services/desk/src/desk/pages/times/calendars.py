"""`/calendars/{id}`: opening hours, tried and changed; `/calendars/new`: others."""

from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import NotFound, Refusal
from desk.pages.base import Look, Looking
from desk.pages.times import view
from desk.pages.times.forms import calendar_of, regions
from desk.pages.trying import Typed, tried, typed
from desk.pages.work.route import CODE
from rapport.cases.v1 import calendar_service_pb2 as pb
from rapport.cases.v1.calendar_pb2 import Calendar

router = APIRouter(prefix="/calendars")
WRITE = "cases.calendars.write"
YEARS = range(1970, 2200)
_CHANGED = ("display_name", "time_zone", "hours", "exceptions")


@router.get("/new")
async def new(look: Look) -> Response:
    look.require(WRITE)
    return _page(look, _begun(look))


@router.post("/new")
async def create(look: Look, request: Request) -> Response:
    """Keep another one."""
    look.require(WRITE)
    sent, begun = await typed(request, "drop"), _begun(look)

    async def save(proposed: Calendar, request_id: str) -> Calendar:
        asked = pb.CreateCalendarRequest(
            calendar_id=sent.text("code"), calendar=proposed, request_id=request_id
        )
        return await look.services.calendars.CreateCalendar(asked)

    return await _sent(look, begun, sent, save)


@router.get("/{code}")
async def calendar(look: Look, code: str, year: int = 0) -> Response:
    return _page(look, await _found(look, code), year=year)


@router.post("/{code}")
async def change(look: Look, request: Request, code: str) -> Response:
    """Say who is concerned, or keep it."""
    now, sent = await _found(look, code), await typed(request, "drop")

    async def save(proposed: Calendar, request_id: str) -> Calendar:
        proposed.etag = sent.text("etag")
        # Sent again, they would be those that are known today.
        also = ["holidays"] if regions(proposed) != regions(now) else []
        asked = pb.UpdateCalendarRequest(
            calendar=proposed, update_mask=FieldMask(paths=[*_CHANGED, *also]), request_id=request_id
        )
        return await look.services.calendars.UpdateCalendar(asked)

    return await _sent(look, now, sent, save)


async def _sent(look: Looking, now: Calendar, sent: Typed, save: Any) -> Response:
    async def preview(proposed: Calendar) -> Any:
        asked = pb.PreviewCalendarRequest(name=now.name, calendar=proposed)
        return await look.services.calendars.PreviewCalendar(asked)

    def again(**told: Any) -> Response:
        return _page(look, now, sent=sent, **told)

    return await tried(sent, lambda: calendar_of(now, sent), preview, save, again)


def _begun(look: Looking) -> Calendar:
    """One of the viewer's department, of which nothing is said yet, by the clock of where they are."""
    return Calendar(department=look.viewer.department, time_zone=look.say.zone.key)


def _page(
    look: Looking,
    now: Calendar,
    *,
    proposed: Calendar | None = None,
    sent: Typed | None = None,
    preview: Any = None,
    refusal: Refusal | None = None,
    request_id: str = "",
    year: int = 0,
) -> Response:
    year = year if year in YEARS else look.say.today.year
    fields = {
        "code": "",
        "display_name": now.display_name,
        "time_zone": now.time_zone,
        "holidays": regions(now),
        "etag": now.etag,
        **dict.fromkeys(("date", "windows", "called"), ""),
        **(sent.fields if sent else {}),
    }
    return look.answer(
        "pages/times/calendar.html",
        422 if refusal else 200,
        calendar=now,
        is_new=not now.name,
        week=[(key, day, fields.get(key, hours)) for key, day, hours in view.week(proposed or now, look.say)],
        exceptions=view.exceptions(now, look.say),
        dropped=sent.lists.get("drop", ()) if sent else (),
        typed=fields,
        holidays=view.holidays(now, year, look.say),
        year=year,
        may_write=look.viewer.may_change(WRITE, now.department),
        request_id=request_id or str(uuid4()),
        **view.previewed(preview, refusal, look.say),
    )


async def _found(look: Looking, code: str) -> Calendar:
    if not CODE.fullmatch(code):
        raise NotFound("calendars/…")
    return await look.services.calendars.GetCalendar(pb.GetCalendarRequest(name=f"calendars/{code}"))
