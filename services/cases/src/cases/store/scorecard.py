"""What became of the promises of a period, counted."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from cases.domain.promise_state import PromiseState
from cases.store.tables import CASES, PROMISES
from chassis.db.statement import Statement

ROWS_MAX = 5000
_P, _MOMENT = PROMISES.c, PROMISES.c.due_time.type
_BY_US = _P.customer_requested.is_(False)


def _is(state: PromiseState) -> sa.ColumnElement[bool]:
    known: sa.ColumnElement[bool] = _P.state == state.value
    return known


# Until notifications of delays were kept, a renegotiation was all that was known of one: it was in time.
_NOTIFIED = sa.case(
    (_is(PromiseState.RENEGOTIATED) & _P.bounced_notice_id.is_(None), _BY_US),
    (
        ~(_is(PromiseState.RENEGOTIATED) | _is(PromiseState.KEPT_LATE) | _is(PromiseState.BROKEN)),
        False,
    ),
    (_P.due_date.is_(None), _P.delay_notify_time <= _P.due_time),
    else_=_P.delay_notify_time < _P.due_time,
)


# That it was kept in time was said when it was over; what was over when it was recorded is an import's word.
_AFTERWARDS = sa.and_(_P.record_time > _P.due_time, _P.create_time <= _P.due_time)


def _when(parameter: str, column: Any) -> Any:
    """The column, where it is counted by that."""
    return sa.case((sa.bindparam(parameter, type_=sa.Boolean), column)).label(parameter)


# Of a period is what was promised by a moment of it, or for a day whose noon is in it: so a day is of the
# period in whose zone's midnights it lies, west of UTC+12, and of the week that it is counted in. The days'
# ends, by which the index finds them, are 2 hours before their noon to a day after it.
_NOON = sa.func.timezone("UTC", sa.cast(_P.due_date, sa.DateTime) + timedelta(hours=12))
_DUE = sa.func.coalesce(_NOON, _P.due_time)
_BEFORE, _AFTER = timedelta(hours=2), timedelta(days=1)
_START, _END = (sa.bindparam(each, type_=_MOMENT) for each in ("start_time", "end_time"))
_DAY = sa.func.coalesce(_P.due_date, sa.cast(sa.func.timezone("UTC", _P.due_time), sa.Date))
_WEEK = sa.cast(sa.func.date_trunc("week", sa.cast(_DAY, sa.DateTime)), sa.Date)


def _scorecard(from_: Any, topic: Any, *also: Any) -> Statement[Any]:
    due = (
        sa.select(
            _when("by_department", _P.department_id),
            _when("by_team", sa.func.coalesce(_P.team_id, "")),
            topic.label("topic"),
            _when("by_week", _WEEK),
            _P.state,
            _AFTERWARDS.label("afterwards"),
            _BY_US.label("by_us"),
            _NOTIFIED.label("notified"),
        )
        .select_from(from_)
        .where(
            _P.due_time >= _START - _BEFORE,
            _P.due_time < _END + _AFTER,
            _DUE >= _START,
            _DUE < _END,
            *also,
        )
        # Of an expression the planner expects as many groups as rows, and would sort these: it sees none.
        .offset(sa.literal_column("0"))
        .subquery("due")
    )
    by = [due.c.by_department, due.c.by_team, due.c.topic, due.c.by_week]
    # Counted before it is put in order, for which, too, it would sort the rows.
    counted = sa.select(*by, *_counts(due.c)).group_by(*by).cte("counted").prefix_with("MATERIALIZED")
    ordered = sa.select(counted).order_by(*(counted.c[each.name] for each in by))
    return Statement[Any](ordered.limit(sa.literal_column(str(ROWS_MAX + 1))))


def _counts(due: Any) -> Sequence[sa.ColumnElement[int]]:
    state = PromiseState
    counted = {
        "kept": due.state == state.KEPT.value,
        "kept_afterwards": sa.and_(due.state == state.KEPT.value, due.afterwards),
        "kept_late": due.state == state.KEPT_LATE.value,
        "broken": due.state == state.BROKEN.value,
        "renegotiated": sa.and_(due.state == state.RENEGOTIATED.value, due.by_us),
        "customer_requested": sa.and_(due.state == state.RENEGOTIATED.value, ~due.by_us),
        "withdrawn": due.state == state.WITHDRAWN.value,
        "open": sa.or_(due.state == state.OPEN.value, due.state == state.AT_RISK.value),
        "notified_early": due.notified,
    }
    return [sa.func.count().filter(what).label(f"{name}_count") for name, what in counted.items()]


_ALL, _NO_TOPIC = PROMISES, sa.cast(sa.null(), sa.Text)
# Cases are read for their topic alone.
_WITH_CASES, _TOPIC = PROMISES.outerjoin(CASES, CASES.c.id == _P.case_id), sa.func.coalesce(CASES.c.topic, "")
_OURS = _P.department_id == sa.bindparam("department_id", type_=sa.Text)
_TEAMS = _P.team_id == sa.bindparam("team_id", type_=sa.Text)
SCORE_PROMISES = _scorecard(_ALL, _NO_TOPIC)
SCORE_PROMISES_OF_DEPARTMENT = _scorecard(_ALL, _NO_TOPIC, _OURS)
SCORE_PROMISES_OF_TEAM = _scorecard(_ALL, _NO_TOPIC, _TEAMS)
SCORE_TOPICS = _scorecard(_WITH_CASES, _TOPIC)
SCORE_TOPICS_OF_DEPARTMENT = _scorecard(_WITH_CASES, _TOPIC, _OURS)
SCORE_TOPICS_OF_TEAM = _scorecard(_WITH_CASES, _TOPIC, _TEAMS)
