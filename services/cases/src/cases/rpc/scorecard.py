"""The rates of promises, as a message."""

from datetime import datetime, timedelta
from typing import Any

from cases.names import DEPARTMENT
from cases.store.scorecard import ROWS_MAX, scorecard
from chassis.api.messages import day, moment
from chassis.api.validation import Check
from chassis.api.wellknown import time_of
from chassis.db.statement import Executor
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
    """What became of the promises that were due in a period. InvalidArgument TOO_LONG for too many rows."""
    asked: dict[str, Any] = {
        "start_time": moment(request.start_time),
        "end_time": moment(request.end_time),
        "by_department": _By.GROUP_BY_DEPARTMENT in request.group_by,
        "by_week": _By.GROUP_BY_WEEK in request.group_by,
    }
    if request.department:
        asked["department_id"] = DEPARTMENT.parse(request.department, "department")[0]
    rows = await scorecard(_By.GROUP_BY_TOPIC in request.group_by, bool(request.department)).all(on, **asked)
    if len(rows) > ROWS_MAX:
        allowed = f"must be earlier, or fewer things counted by: that is more than {ROWS_MAX} rows"
        raise invalid("end_time", "TOO_LONG", allowed)
    return PromiseScorecard(rows=[_row(dict(each)) for each in rows])


def _row(found: dict[str, Any]) -> PromiseScorecard.Row:
    department, topic, week = (found.pop(each) for each in ("by_department", "topic", "by_week"))
    row = PromiseScorecard.Row(**found, topic=topic or "", week=day(week) if week else None)
    if department:
        row.department = DEPARTMENT.format(department)
    missed = row.kept_late_count + row.broken_count + row.renegotiated_count
    if row.kept_count + missed:
        row.kept_rate = row.kept_count / (row.kept_count + missed)
    if missed:
        row.notified_early_rate = row.notified_early_count / missed
    return row
