"""What became of the promises of a period, counted."""

from typing import Any

import sqlalchemy as sa

from cases.domain.promise import PromiseState
from cases.store.tables import CASES, PROMISES
from chassis.db.statement import Statement

ROWS_MAX = 5000
_P, _MOMENT = PROMISES.c, PROMISES.c.due_time.type
_BY_US = _P.customer_requested.is_(False)


def _is(state: PromiseState) -> sa.ColumnElement[bool]:
    known: sa.ColumnElement[bool] = _P.state == state.value
    return known


# Until notifications of delays were kept, a renegotiation was all that was known of one: it was in time.
_TOLD = sa.case(
    (_is(PromiseState.RENEGOTIATED), _BY_US),
    (~(_is(PromiseState.KEPT_LATE) | _is(PromiseState.BROKEN)), False),
    (_P.due_date.is_(None), _P.delay_notify_time <= _P.due_time),
    else_=_P.delay_notify_time < _P.due_time,
)


def _count(what: sa.ColumnElement[bool], name: str) -> sa.ColumnElement[int]:
    return sa.func.count().filter(what).label(f"{name}_count")


def _when(parameter: str, column: Any) -> Any:
    """The column, where it is counted by that."""
    return sa.case((sa.bindparam(parameter, type_=sa.Boolean), column)).label(parameter)


_DAY = sa.func.coalesce(_P.due_date, sa.cast(sa.func.timezone("UTC", _P.due_time), sa.Date))
_WEEK = sa.cast(sa.func.date_trunc("week", sa.cast(_DAY, sa.DateTime)), sa.Date)
_COUNTS = (
    _count(_is(PromiseState.KEPT), "kept"),
    _count(_is(PromiseState.KEPT_LATE), "kept_late"),
    _count(_is(PromiseState.BROKEN), "broken"),
    _count(sa.and_(_is(PromiseState.RENEGOTIATED), _BY_US), "renegotiated"),
    _count(sa.and_(_is(PromiseState.RENEGOTIATED), ~_BY_US), "customer_requested"),
    _count(_is(PromiseState.WITHDRAWN), "withdrawn"),
    _count(_is(PromiseState.OPEN) | _is(PromiseState.AT_RISK), "open"),
    _count(_TOLD, "notified_early"),
)


def _scorecard(from_: Any, topic: Any) -> Statement[Any]:
    by = _when("by_department", _P.department_id), topic.label("topic"), _when("by_week", _WEEK)
    columns: list[Any] = [sa.literal_column(str(n)) for n in (1, 2, 3)]
    department = sa.bindparam("department_id", type_=sa.Text)
    return Statement[Any](
        sa.select(*by, *_COUNTS)
        .select_from(from_)
        .where(
            _P.due_time >= sa.bindparam("start_time", type_=_MOMENT),
            _P.due_time < sa.bindparam("end_time", type_=_MOMENT),
            sa.or_(department.is_(None), _P.department_id == department),
        )
        .group_by(*columns)
        .order_by(*columns)
        .limit(sa.literal_column(str(ROWS_MAX + 1)))
    )


SCORECARD = _scorecard(PROMISES, sa.cast(sa.null(), sa.Text))
# Cases are read for their topic alone.
SCORECARD_BY_TOPIC = _scorecard(
    PROMISES.outerjoin(CASES, CASES.c.id == _P.case_id), sa.func.coalesce(CASES.c.topic, "")
)
