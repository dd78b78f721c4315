"""`/clockPolicies/{id}`: for what and how long, tried and changed; `/clockPolicies/new`: others."""

from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import Response
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.messages import value_name
from chassis.errors import NotFound, Refusal
from desk.pages.base import Look, Looking
from desk.pages.times import view
from desk.pages.times.forms import policy_of
from desk.pages.trying import Typed, tried, typed
from desk.pages.work.route import CODE
from rapport.cases.v1 import clock_policy_service_pb2 as pb
from rapport.cases.v1.calendar_service_pb2 import ListCalendarsRequest
from rapport.cases.v1.clock_policy_pb2 import ClockPolicy

router = APIRouter(prefix="/clockPolicies")
WRITE = "cases.clock_policies.write"
LISTED = 1000
_CHANGED = FieldMask(paths=["display_name", "condition", "position", "targets", "pauses", "disabled"])


@router.get("/new")
async def new(look: Look, subject: str = "") -> Response:
    """Another one: of cases, unless something else is chosen first."""
    look.require(WRITE)
    return await _page(look, _begun(look, subject))


@router.post("/new")
async def create(look: Look, request: Request) -> Response:
    """Keep another one."""
    look.require(WRITE)
    sent = await typed(request, "pauses")

    async def save(proposed: ClockPolicy, request_id: str) -> ClockPolicy:
        asked = pb.CreateClockPolicyRequest(
            clock_policy_id=sent.text("code"), clock_policy=proposed, request_id=request_id
        )
        return await look.services.clock_policies.CreateClockPolicy(asked)

    return await _sent(look, _begun(look, sent.text("subject")), sent, save)


@router.get("/{code}")
async def policy(look: Look, code: str) -> Response:
    return await _page(look, await _found(look, code))


@router.post("/{code}")
async def change(look: Look, request: Request, code: str) -> Response:
    """Say who is concerned, or keep it, for what comes or for what runs, too."""
    now, sent = await _found(look, code), await typed(request, "pauses")

    async def save(proposed: ClockPolicy, request_id: str) -> ClockPolicy:
        proposed.etag = sent.text("etag")
        asked = pb.UpdateClockPolicyRequest(
            clock_policy=proposed,
            update_mask=_CHANGED,
            request_id=request_id,
            apply_to_running=sent.text("apply") == "on",
        )
        return await look.services.clock_policies.UpdateClockPolicy(asked)

    return await _sent(look, now, sent, save)


async def _sent(look: Looking, now: ClockPolicy, sent: Typed, save: Any) -> Response:
    calendars = await _calendars(look)

    async def preview(proposed: ClockPolicy) -> Any:
        asked = pb.PreviewClockPolicyRequest(name=now.name, clock_policy=proposed)
        return await look.services.clock_policies.PreviewClockPolicy(asked)

    def again(**told: Any) -> Response:
        return _drawn(look, now, calendars, sent=sent, **told)

    return await tried(sent, lambda: policy_of(now, sent), preview, save, again)


def _begun(look: Looking, subject: str) -> ClockPolicy:
    """One of the viewer's department, of which nothing is said yet but what it is about."""
    about = subject if subject in view.SUBJECTS else next(iter(view.SUBJECTS))
    return ClockPolicy(
        department=look.viewer.department,
        subject=ClockPolicy.Subject.Value(f"SUBJECT_{about}"),
        condition="true",
    )


async def _page(look: Looking, now: ClockPolicy) -> Response:
    return _drawn(look, now, await _calendars(look))


def _drawn(
    look: Looking,
    now: ClockPolicy,
    calendars: list[tuple[str, str]],
    *,
    proposed: ClockPolicy | None = None,
    sent: Typed | None = None,
    preview: Any = None,
    refusal: Refusal | None = None,
    request_id: str = "",
) -> Response:
    fields, shown, subject = sent.fields if sent else {}, proposed or now, value_name(now, "subject")
    return look.answer(
        "pages/times/policy.html",
        422 if refusal else 200,
        policy=shown,
        is_new=not now.name,
        code=fields.get("code", ""),
        about=subject,
        subject=view.SUBJECTS[subject],
        subjects=view.SUBJECTS,
        targets=view.targets(shown, look.say),
        pauses=view.pauses(now, look.say),
        paused=[ClockPolicy.Pause.Name(each).removeprefix("PAUSE_") for each in shown.pauses],
        applied=fields.get("apply") == "on",
        calendars=calendars,
        may_write=look.viewer.may_change(WRITE, now.department),
        etag=fields.get("etag", now.etag),
        request_id=request_id or str(uuid4()),
        **view.previewed(preview, refusal, look.say),
    )


async def _calendars(look: Looking) -> list[tuple[str, str]]:
    listed = await look.services.calendars.ListCalendars(ListCalendarsRequest(page_size=LISTED))
    return [(each.name, each.display_name or each.name) for each in listed.calendars]


async def _found(look: Looking, code: str) -> ClockPolicy:
    if not CODE.fullmatch(code):
        raise NotFound("clockPolicies/…")
    asked = pb.GetClockPolicyRequest(name=f"clockPolicies/{code}")
    return await look.services.clock_policies.GetClockPolicy(asked)
