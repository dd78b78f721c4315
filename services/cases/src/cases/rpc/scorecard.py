"""The rates of promises, as a message."""

from datetime import datetime, timedelta
from typing import Any

from cases.names import DEPARTMENT, TEAM
from cases.store import scorecard as store
from cases.store.teams import TEAM as TEAM_BY_ID
from chassis.api.entities import found
from chassis.api.messages import day, moment
from chassis.api.validation import Check
from chassis.api.wellknown import time_of
from chassis.db.statement import Executor, Statement
from chassis.errors import invalid
from rapport.cases.v1.promise_service_pb2 import PromiseScorecard, ScorePromisesRequest

PERIOD_MAX = timedelta(days=3653)
_By = ScorePromisesRequest.GroupBy


def check_score(check: Check, sent: Any, now: datetime) -> None:
    """From a moment to a later one, of ten years at most."""
    start, end = time_of(sent, "start_time"), time_of(sent, "end_time")
    if start and end and not start < end <= start + PERIOD_MAX:
        check.refuse("end_time", "INVALID_TIME", "must be later than start_time, by ten years at most")


async def score_promises(on: Executor, request: ScorePromisesRequest) -> PromiseScorecard:
    """What became of the promises that were due in a period. InvalidArgument TOO_LONG for too many rows.

    NotFound for a team; FailedPrecondition TEAM_MISMATCH for one of another department than is asked for.
    """
    asked: dict[str, Any] = {
        "start_time": moment(request.start_time),
        "end_time": moment(request.end_time),
        "by_department": _By.GROUP_BY_DEPARTMENT in request.group_by,
        "by_team": _By.GROUP_BY_TEAM in request.group_by,
        "by_week": _By.GROUP_BY_WEEK in request.group_by,
    }
    if request.team:
        team = await found(on, TEAM, TEAM_BY_ID, *TEAM.parse(request.team, "team"))
        if request.department:
            team.require_of(*DEPARTMENT.parse(request.department, "department"))
        asked["team_id"] = team.id
    elif request.department:
        asked["department_id"] = DEPARTMENT.parse(request.department, "department")[0]
    rows = await _scorecard(request).all(on, **asked)
    if len(rows) > store.ROWS_MAX:
        allowed = f"must be earlier, or fewer things counted by: that is more than {store.ROWS_MAX} rows"
        raise invalid("end_time", "TOO_LONG", allowed)
    return PromiseScorecard(rows=[_row(dict(each)) for each in rows])


def _scorecard(request: ScorePromisesRequest) -> Statement[Any]:
    """What counts by topic or not, and what is due of one team, of one department or of all."""
    by_topic = _By.GROUP_BY_TOPIC in request.group_by
    if request.team:
        return store.SCORE_TOPICS_OF_TEAM if by_topic else store.SCORE_PROMISES_OF_TEAM
    if request.department:
        return store.SCORE_TOPICS_OF_DEPARTMENT if by_topic else store.SCORE_PROMISES_OF_DEPARTMENT
    return store.SCORE_TOPICS if by_topic else store.SCORE_PROMISES


def _row(counted: dict[str, Any]) -> PromiseScorecard.Row:
    by = ("by_department", "by_team", "topic", "by_week")
    department, team, topic, week = (counted.pop(each) for each in by)
    row = PromiseScorecard.Row(**counted, topic=topic or "", week=day(week) if week else None)
    if department:
        row.department = DEPARTMENT.format(department)
    if team:
        row.team = TEAM.format(team)
    missed = row.kept_late_count + row.broken_count + row.renegotiated_count
    if row.kept_count + missed:
        row.kept_rate = row.kept_count / (row.kept_count + missed)
    if missed:
        row.notified_early_rate = row.notified_early_count / missed
    return row
