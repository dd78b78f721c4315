"""`/queue/{code}`: what waits in a department and who is there; `/next`: taking what comes first."""

from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from chassis.api.messages import timestamp
from chassis.errors import NotFound, invalid
from desk.language.catalogues import N_
from desk.pages.actions.offering import departments
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.customer.loading import Names
from desk.pages.customer.things import page_of_call
from desk.pages.queue import people, view
from desk.pages.queue.forms import SAID, form_of
from desk.pages.queue.loading import load
from desk.pages.work.route import CODE
from desk.ui import words
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.presence_pb2 import Presence
from rapport.cases.v1.presence_service_pb2 import GetPresenceRequest, SetPresenceRequest
from rapport.cases.v1.queue_pb2 import QueuedWork
from rapport.cases.v1.queue_service_pb2 import TakeNextWorkRequest, TakeNextWorkResponse

router = APIRouter()
router.include_router(people.router)  # whose paths are told apart from those of departments
DONE = {"X-Done": "1"}


@router.get("/queue")
async def ours(look: Look, department: str = "") -> Response:
    """The queue of one's own department, or of one named as on other pages: `?department=delivery`."""
    code = department if CODE.fullmatch(department) else words.last(look.viewer.department)
    return RedirectResponse(f"/queue/{code}" if code else "/", 303)  # which says that they belong to none


@router.get("/queue/{code}")
async def of_department(look: Look, code: str, after: str = "") -> Response:
    return await _page(look, code, "", after)


@router.get("/queue/{code}/teams/{team}")
async def of_team(look: Look, code: str, team: str, after: str = "") -> Response:
    return await _page(look, code, team, after)


@router.get("/queue/{code}/cards")
async def cards_of_department(look: Look, code: str) -> JSONResponse:
    return JSONResponse(message(f"queue/{code}", await cards(look, code, ""), look.say.now))


@router.get("/queue/{code}/teams/{team}/cards")
async def cards_of_team(look: Look, code: str, team: str) -> JSONResponse:
    told = await cards(look, code, team)
    return JSONResponse(message(f"queue/{code}/teams/{team}", told, look.say.now))


@router.get("/next/{part}")
async def next_part(look: Look, part: str) -> Response:
    """One of the two forms, as it is now."""
    if part not in ("take", "presence"):
        raise NotFound(f"next/{part}")
    presence = Presence()
    if part == "presence":
        request = GetPresenceRequest(name=f"{look.viewer.agent}/presence")
        presence = await look.services.presences.GetPresence(request)
    return HTMLResponse(form_of(look, part, presence))


@router.post("/next/take")
async def take(look: Look, request: Request) -> Response:
    """Take what comes first, and hear why; or why there is nothing."""
    async with request.form() as form:
        wanted = TakeNextWorkRequest(name=look.viewer.agent, request_id=str(form.get("request_id", "")))
    taken = await look.services.queues.TakeNextWork(wanted)
    return HTMLResponse(await _told(look, taken), headers=DONE)


async def _told(look: Looking, taken: TakeNextWorkResponse) -> str:
    if not taken.HasField("work"):
        return look.html("pages/queue/took.html", work=None, why=view.nothing(taken.nothing, look.say))
    return await _yours(look, taken.work)


async def _yours(look: Looking, work: QueuedWork) -> str:
    item, say = work.work_item, look.say
    case = await look.services.cases.GetCase(GetCaseRequest(name=item.case))
    known = await look.services.known([case.customer])
    who = known[case.customer].display_name if case.customer in known else ""
    return look.html(
        "pages/queue/took.html",
        work=item.name,
        case=page_of_call(item) or item.case,
        what=say.about(item),
        who=who,
        why=view.why(work, say),
    )


@router.post("/next/presence")
async def say_presence(look: Look, request: Request) -> Response:
    """Say whether one is there."""
    async with request.form() as form:
        state, until = str(form.get("state", "")), str(form.get("until", "")).strip()
    if state not in SAID:
        raise invalid("state", "INVALID_CODE", f"must be one of {', '.join(SAID)}")
    said = SetPresenceRequest(
        name=f"{look.viewer.agent}/presence",
        state=Presence.State.Value(f"STATE_{state}"),
        until_time=timestamp(_until(look, until)) if until and state != "AVAILABLE" else None,
    )
    presence = await look.services.presences.SetPresence(said)
    told = look.say("You are: {state}", state=view.there(presence, look.say))
    return HTMLResponse(look.html("pages/queue/took.html", work=None, why=told), headers=DONE)


def _until(look: Looking, typed: str) -> datetime:
    """The next time that it is so late where they are. INVALID_TIME."""
    try:
        at = datetime.combine(look.say.today, time.fromisoformat(typed), look.say.zone)
    except ValueError:
        raise invalid("until", "INVALID_TIME", N_("must be a time of day")) from None
    return at if at > look.say.now else at + timedelta(days=1)


async def _page(look: Looking, code: str, team: str, after: str) -> Response:
    if not CODE.fullmatch(code) or (team and not CODE.fullmatch(team)):
        raise NotFound("departments/…")
    here = f"/queue/{code}/teams/{team}" if team else f"/queue/{code}"
    of_team = f"teams/{team}" if team else ""
    if look.is_fragment and after:
        parts = await load(look, f"departments/{code}", of_team, after)
        queue = view.waiting(parts, look.viewer, look.say)
        return look.answer("pages/queue/rows.html", queue=queue, more=_more(here, queue.token))
    leads = look.viewer.principal.administers("cases")
    return look.answer(
        "pages/queue/page.html",
        code=code,
        team=of_team,
        watch=here[1:],
        departments=await departments(look) if leads else [],
        cards=await cards(look, code, team),
    )


async def cards(look: Looking, code: str, team: str) -> dict[str, Card]:
    """The cards of a queue as it is now."""
    department, of_team = f"departments/{code}", f"teams/{team}" if team else ""
    here = f"/queue/{code}/teams/{team}" if team else f"/queue/{code}"
    parts = await load(look, department, of_team)
    names = Names(look.viewer, look.memory)
    queue = view.waiting(parts, look.viewer, look.say)
    there = view.people(parts, look.viewer, look.say, names, department)
    drawn = macros("pages/queue/cards.html", say=look.say, viewer=look.viewer)
    new = f"/queue/{code}/new-team" if look.viewer.may_change("cases.teams.write", department) else ""
    teams = view.teams(parts, look.say, department)
    return {
        "waits": card(drawn.waits(queue, _more(here, queue.token))),
        "people": card(drawn.people(there)),
        "teams": card(drawn.teams(teams, of_team, f"/queue/{code}", new)),
    }


def _more(here: str, token: str) -> str:
    return f"{here}?{urlencode({'after': token})}"
