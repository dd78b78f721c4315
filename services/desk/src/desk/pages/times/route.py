"""`/times`: calendars and clock policies; `/calendars/{id}`, `/clockPolicies/{id}`: tried and changed.

`/clocks/{id}` says step by step why a clock is as it is.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import grpc
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import value_name
from chassis.errors import NotFound, Refusal
from desk.pages.base import Look, Looking
from desk.pages.customer.loading import PAGE_S
from desk.pages.customer.route import UUID
from desk.pages.customer.things import metric_of
from desk.pages.services import ask, refusal_of
from desk.pages.times import view
from desk.pages.times.forms import Typed, calendar_of, policy_of
from desk.pages.work.route import CODE
from rapport.cases.v1 import calendar_service_pb2 as calendar_pb
from rapport.cases.v1 import clock_policy_service_pb2 as policy_pb
from rapport.cases.v1.calendar_pb2 import Calendar
from rapport.cases.v1.clock_policy_pb2 import ClockPolicy
from rapport.cases.v1.clock_service_pb2 import GetClockRequest

router = APIRouter()
LISTED = 1000
YEARS = range(1970, 2200)
_CALENDAR = FieldMask(paths=["time_zone", "hours", "exceptions"])
_POLICY = FieldMask(paths=["display_name", "condition", "position", "targets", "pauses", "disabled"])


@router.get("/times")
async def times(look: Look) -> Response:
    """All calendars and policies."""
    services = look.services
    parts = await ask(
        PAGE_S,
        calendars=services.calendars.ListCalendars(calendar_pb.ListCalendarsRequest(page_size=LISTED)),
        policies=services.clock_policies.ListClockPolicies(
            policy_pb.ListClockPoliciesRequest(page_size=LISTED)
        ),
    )
    for part in parts.values():
        if part.refusal and not part.away:
            raise part.refusal
    trouble = look.say("Cases does not answer; look again in a moment.") if parts.away() else ""
    policies = parts.of("policies", policy_pb.ListClockPoliciesResponse).clock_policies
    return look.answer(
        "pages/times/all.html",
        trouble=trouble,
        calendars=parts.of("calendars", calendar_pb.ListCalendarsResponse).calendars,
        policies=sorted(policies, key=lambda each: (each.position, each.name)),
        subjects=view.SUBJECTS,
    )


@router.get("/calendars/{code}")
async def calendar(look: Look, code: str, year: int = 0) -> Response:
    found = await _calendar(look, code)
    return _of_calendar(look, found, found, year=year)


@router.post("/calendars/{code}")
async def calendar_sent(look: Look, request: Request, code: str) -> Response:
    """Say who is concerned, or keep it."""
    now, typed = await _calendar(look, code), await _typed(request)

    async def save(proposed: Calendar, request_id: str) -> None:
        proposed.etag = typed.text("etag")
        asked = calendar_pb.UpdateCalendarRequest(
            calendar=proposed, update_mask=_CALENDAR, request_id=request_id
        )
        await look.services.calendars.UpdateCalendar(asked)

    async def preview(proposed: Calendar) -> Any:
        asked = calendar_pb.PreviewCalendarRequest(name=now.name, calendar=proposed)
        return await look.services.calendars.PreviewCalendar(asked)

    def again(**told: Any) -> Response:
        return _of_calendar(look, now, told.pop("proposed", None) or now, typed=typed, **told)

    return await _sent(now.name, typed, lambda: calendar_of(now, typed), preview, save, again)


@router.get("/clockPolicies/{code}")
async def policy(look: Look, code: str) -> Response:
    found = await _policy(look, code)
    return await _of_policy(look, found)


@router.post("/clockPolicies/{code}")
async def policy_sent(look: Look, request: Request, code: str) -> Response:
    """Say who is concerned, or keep it, for what comes or for what runs, too."""
    now, typed = await _policy(look, code), await _typed(request)

    async def save(proposed: ClockPolicy, request_id: str) -> None:
        proposed.etag = typed.text("etag")
        asked = policy_pb.UpdateClockPolicyRequest(
            clock_policy=proposed,
            update_mask=_POLICY,
            request_id=request_id,
            apply_to_running=typed.text("apply") == "on",
        )
        await look.services.clock_policies.UpdateClockPolicy(asked)

    async def preview(proposed: ClockPolicy) -> Any:
        asked = policy_pb.PreviewClockPolicyRequest(name=now.name, clock_policy=proposed)
        return await look.services.clock_policies.PreviewClockPolicy(asked)

    shown: dict[str, Any] = {}

    def again(**told: Any) -> Response:
        return look.answer(
            "pages/times/policy.html",
            422 if told.get("refusal") else 200,
            **_policy_values(look, now, told.pop("proposed", None) or now, shown["calendars"], typed, **told),
        )

    shown["calendars"] = await _calendars(look)
    return await _sent(now.name, typed, lambda: policy_of(now, typed), preview, save, again)


@router.get("/clocks/{uuid}")
async def clock(look: Look, uuid: str) -> Response:
    """What happened to a clock, which hours of which days counted, and what did not."""
    if not UUID.fullmatch(uuid):
        raise NotFound("clocks/…")
    name = f"clocks/{uuid}"
    found = await look.services.clocks.GetClock(GetClockRequest(name=name))
    parts = await ask(PAGE_S, why=look.services.explain(name))
    why = parts["why"]
    return look.answer(
        "pages/times/clock.html",
        clock=found,
        what=metric_of(found, look.say),
        summary=why.value.summary if why.value else "",
        steps=view.steps(why.value) if why.value else [],
        trouble=look.say.refusal(why.refusal) if why.refusal else "",
    )


async def _sent(
    name: str,
    typed: Typed,
    proposed_of: Callable[[], Any],
    preview: Callable[[Any], Awaitable[Any]],
    save: Callable[[Any, str], Awaitable[None]],
    again: Callable[..., Response],
) -> Response:
    """Look, or save and show it, once for each form; what is refused is said in the form, which stays."""
    proposed, request_id = None, typed.text("request_id")
    try:
        proposed = proposed_of()
        if typed.text("act") != "save":
            return again(proposed=proposed, preview=await preview(proposed), request_id=request_id)
        await save(proposed, request_id)
    except (grpc.aio.AioRpcError, Refusal) as error:
        refusal = refusal_of(error)
        anew = str(uuid4()) if refusal.reason == "REQUEST_ID_REUSED" else request_id
        return again(proposed=proposed, refusal=refusal, request_id=anew)
    return RedirectResponse(f"/{name}", 303)


def _of_calendar(
    look: Looking,
    now: Calendar,
    proposed: Calendar,
    *,
    typed: Typed | None = None,
    preview: Any = None,
    refusal: Refusal | None = None,
    request_id: str = "",
    year: int = 0,
) -> Response:
    year = year if year in YEARS else look.say.today.year
    fields = typed.fields if typed else {}
    return look.answer(
        "pages/times/calendar.html",
        422 if refusal else 200,
        calendar=now,
        week=[(key, day, fields.get(key, hours)) for key, day, hours in view.week(proposed, look.say)],
        time_zone=fields.get("time_zone", now.time_zone),
        exceptions=view.exceptions(now, look.say),
        dropped=typed.lists.get("drop", ()) if typed else (),
        typed={"date": "", "windows": "", "called": "", **fields},
        holidays=view.holidays(now, year, look.say),
        year=year,
        may_write=view.may_write(look.viewer, "cases.calendars.write", now.department),
        etag=fields.get("etag", now.etag),
        request_id=request_id or str(uuid4()),
        **_previewed(look, preview, refusal),
    )


async def _of_policy(look: Looking, now: ClockPolicy) -> Response:
    values = _policy_values(look, now, now, await _calendars(look), None)
    return look.answer("pages/times/policy.html", **values)


def _policy_values(
    look: Looking,
    now: ClockPolicy,
    proposed: ClockPolicy,
    calendars: list[tuple[str, str]],
    typed: Typed | None,
    *,
    preview: Any = None,
    refusal: Refusal | None = None,
    request_id: str = "",
) -> Mapping[str, Any]:
    fields = typed.fields if typed else {}
    return {
        "policy": proposed,
        "subject": view.SUBJECTS[value_name(now, "subject")],
        "targets": view.targets(proposed, look.say),
        "pauses": view.pauses(now, look.say),
        "paused": [ClockPolicy.Pause.Name(each).removeprefix("PAUSE_") for each in proposed.pauses],
        "applied": fields.get("apply") == "on",
        "calendars": calendars,
        "may_write": view.may_write(look.viewer, "cases.clock_policies.write", now.department),
        "etag": fields.get("etag", now.etag),
        "request_id": request_id or str(uuid4()),
        **_previewed(look, preview, refusal),
    }


def _previewed(look: Looking, preview: Any, refusal: Refusal | None) -> Mapping[str, Any]:
    moves = view.moves(preview.moves, look.say) if preview else []
    return {"preview": preview, "moves": moves, "refusal": refusal}


async def _calendars(look: Looking) -> list[tuple[str, str]]:
    request = calendar_pb.ListCalendarsRequest(page_size=LISTED)
    listed = await look.services.calendars.ListCalendars(request)
    return [(each.name, each.display_name or each.name) for each in listed.calendars]


async def _calendar(look: Looking, code: str) -> Calendar:
    if not CODE.fullmatch(code):
        raise NotFound("calendars/…")
    request = calendar_pb.GetCalendarRequest(name=f"calendars/{code}")
    return await look.services.calendars.GetCalendar(request)


async def _policy(look: Looking, code: str) -> ClockPolicy:
    if not CODE.fullmatch(code):
        raise NotFound("clockPolicies/…")
    request = policy_pb.GetClockPolicyRequest(name=f"clockPolicies/{code}")
    return await look.services.clock_policies.GetClockPolicy(request)


async def _typed(request: Request) -> Typed:
    form = await request.form()
    fields = {name: str(value) for name, value in form.items()}
    return Typed(fields, {name: [str(each) for each in form.getlist(name)] for name in ("drop", "pauses")})
