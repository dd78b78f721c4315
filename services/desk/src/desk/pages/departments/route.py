"""`/departments`: how all keep their promises; `/departments/{code}`: how one does, week by week."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.api.messages import day, timestamp
from chassis.errors import NotFound
from desk.pages.base import Look, Looking
from desk.pages.departments import view
from desk.pages.departments.periods import Period, begin, choices, period
from desk.pages.services import Part, ask
from desk.pages.work.route import CODE
from rapport.cases.v1.promise_service_pb2 import PromiseScorecard, ScorePromisesRequest

router = APIRouter()
SCORE_S = 4.0  # for a report, which is all that the page shows
AHEAD = timedelta(days=3653)  # the longest period that a scorecard takes: whatever waits is due in it
_BY = ScorePromisesRequest.GroupBy


@router.get("/departments")
async def departments(look: Look, weeks: int = 13, until: date | None = None) -> Response:
    """The page of all."""
    shown = period(weeks, until, look.say.today)
    ends = begin(shown.until)
    part = await _scored(look, shown, ends, _BY.GROUP_BY_DEPARTMENT)
    rows = part.value.rows if part.value else ()
    return _answer(look, "all", part, shown, "/departments", view.by_department(rows, shown, look.say))


@router.get("/departments/{code}")
async def department(look: Look, code: str, weeks: int = 13, until: date | None = None) -> Response:
    """The page of one."""
    if not CODE.fullmatch(code):
        raise NotFound("departments/…")
    name, shown = f"departments/{code}", period(weeks, until, look.say.today)
    ends = begin(shown.first) + AHEAD
    part, of_teams = await asyncio.gather(
        _scored(look, shown, ends, _BY.GROUP_BY_WEEK, department=name),
        _scored(look, shown, begin(shown.until), _BY.GROUP_BY_TEAM, department=name),
    )
    rows = part.value.rows if part.value else ()
    teams = view.by_team(of_teams.value.rows if of_teams.value else (), look.say)
    score = view.by_week(rows, shown, code, look.say)
    return _answer(look, "page", part, shown, f"/{name}", score, code=code, teams=teams)


async def _scored(look: Looking, shown: Period, ends: datetime, by: Any, **of: str) -> Part[PromiseScorecard]:
    """The scorecard; what is refused is refused, and what is away may be there in a moment."""
    request = ScorePromisesRequest(
        start_time=timestamp(begin(shown.first)), end_time=timestamp(ends), group_by=[by], **of
    )
    part = (await ask(SCORE_S, score=look.services.promises.ScorePromises(request)))["score"]
    if part.refusal and not part.away:
        raise part.refusal
    return part


def _answer(
    look: Looking,
    template: str,
    part: Part[Any],
    shown: Period,
    page: str,
    score: view.Score,
    **told: Any,
) -> Response:
    trouble = look.say("Cases does not answer; look again in a moment.") if part.away else ""
    return look.answer(
        f"pages/departments/{template}.html",
        score=score,
        trouble=trouble,
        choices=choices(page, shown, look.say),
        since=look.say.partly(day(shown.first)),
        until=look.say.partly(day(shown.until - timedelta(days=1))),
        **told,
    )
