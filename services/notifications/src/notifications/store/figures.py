"""Statements on what became of notices, and on whether their customers turned to us all the same."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Statement
from chassis.db.tables import among
from notifications.domain.attempt import Outcome
from notifications.domain.notice import State
from notifications.store.tables import ATTEMPTS, NOTICES, WHY


@dataclass(frozen=True, slots=True)
class Reason:
    """So many notices that are alike in where they are, and why."""

    state: State
    reason_code: str
    notice_count: int


_N = NOTICES.c
_RESOURCE = sa.bindparam("resource", type_=sa.Text)
_REFERENCE = sa.bindparam("reference", type_=sa.Text)
_OCCURRED = sa.bindparam("occur_time", type_=sa.DateTime(timezone=True))

_SAME = sa.or_(
    sa.and_(
        _RESOURCE != "",
        _RESOURCE.in_(
            [
                _N.case,
                _N.promise,
                _N.subject,
                sa.literal_column("'notices/'").op("||")(sa.cast(_N.id, sa.Text)),
            ]
        ),
    ),
    sa.and_(_REFERENCE != "", _N.variables["reference"].astext == _REFERENCE),
)
# Of what comes in any order the first contact counts.
NOTE_CONTACT = Statement[None](
    sa.update(NOTICES)
    .where(
        among(_N.customer, "customers"),
        _N.send_time <= _OCCURRED,
        _N.send_time > sa.bindparam("since", type_=sa.DateTime(timezone=True)),
    )
    .values(
        inbound_time=sa.func.least(_N.inbound_time, _OCCURRED),
        subject_inbound_time=sa.case(
            (_SAME, sa.func.least(_N.subject_inbound_time, _OCCURRED)), else_=_N.subject_inbound_time
        ),
    )
)

# Attempts at what may have arrived before, by the same channel: what is known to have failed is neither.
_AGAIN, _BEFORE = ATTEMPTS.alias("again").c, ATTEMPTS.alias("before").c
_REPEATS = (
    sa.select(sa.func.count())
    .where(
        _AGAIN.notice == _N.id,
        sa.or_(*(_AGAIN.outcome == each for each in (Outcome.PENDING, Outcome.UNKNOWN, Outcome.ACCEPTED))),
        sa.exists().where(
            _BEFORE.notice == _AGAIN.notice,
            _BEFORE.number < _AGAIN.number,
            _BEFORE.channel == _AGAIN.channel,
            sa.or_(*(_BEFORE.outcome == each for each in (Outcome.UNKNOWN, Outcome.ACCEPTED))),
        ),
    )
    .scalar_subquery()
)


def counted(key: sa.ColumnElement[Any]) -> Statement[Any]:
    """What became of the notices of a period, by a column, where they are, and why."""
    return Statement[Any](
        sa.select(
            key.label("key"),
            _N.state,
            WHY.label("reason_code"),
            sa.func.count().label("notice_count"),
            sa.func.count(_N.send_time).label("sent_count"),
            sa.cast(sa.func.sum(sa.case((_N.attempt_count > 1, _REPEATS), else_=0)), sa.BigInteger).label(
                "repeat_count"
            ),
            sa.func.count(_N.inbound_time).label("inbound_count"),
            sa.func.count(_N.subject_inbound_time).label("subject_inbound_count"),
        )
        .where(
            _N.create_time >= sa.bindparam("start_time"),
            _N.create_time < sa.bindparam("end_time"),
            sa.or_(
                sa.bindparam("department", type_=sa.Text) == "", _N.department == sa.bindparam("department")
            ),
        )
        .group_by(key, _N.state, WHY)
    )
