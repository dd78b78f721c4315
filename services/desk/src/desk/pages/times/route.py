"""`/times`: calendars and clock policies; `/clocks/{id}` says step by step why a clock is as it is."""

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.errors import NotFound
from desk.pages.base import Look
from desk.pages.customer.loading import PAGE_S
from desk.pages.customer.route import UUID
from desk.pages.customer.things import metric_of
from desk.pages.services import ask
from desk.pages.times import calendars, policies, view
from rapport.cases.v1 import calendar_service_pb2 as calendar_pb
from rapport.cases.v1 import clock_policy_service_pb2 as policy_pb
from rapport.cases.v1.clock_service_pb2 import GetClockRequest

router = APIRouter()
router.include_router(calendars.router)
router.include_router(policies.router)
LISTED = 1000


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
    found = parts.of("policies", policy_pb.ListClockPoliciesResponse).clock_policies
    return look.answer(
        "pages/times/all.html",
        trouble=trouble,
        calendars=parts.of("calendars", calendar_pb.ListCalendarsResponse).calendars,
        policies=sorted(found, key=lambda each: (each.position, each.name)),
        subjects=view.SUBJECTS,
        may_open=look.viewer.may(calendars.WRITE),
        may_time=look.viewer.may(policies.WRITE),
    )


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
        parts=view.parts(why.value) if why.value else [],
        trouble=look.say.refusal(why.refusal) if why.refusal else "",
    )
