"""The table of escalations, and the statements on it."""

from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases import names
from cases.domain.escalation import Escalation, EscalationState
from cases.domain.promise import Promise
from cases.store.tables import CASES, METADATA, PROMISES, members, members_of
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, locking, of_entity
from chassis.db.tables import among, table
from rapport.cases.v1 import escalation_pb2

ESCALATIONS = table(METADATA, "escalations", Escalation)
_E = ESCALATIONS.c
_OPEN = _E.state == sa.literal_column(f"'{EscalationState.OPEN.value}'")

ESCALATION, LOCK_ESCALATION, UPDATE_ESCALATION = of_entity(ESCALATIONS, Escalation)
INSERT_ESCALATION = Statement[Any](insert(ESCALATIONS))
_lock_open = partial(locking, ESCALATIONS, Escalation, _OPEN)
# Those of a case and of what was merged into it: two where each had one before. The case is locked before
# them: no other comes to be, nor is it settled.
OPEN_OF_CASE = _lock_open(_E.case_id == sa.func.any(members_of(sa.bindparam("case_id", type_=sa.Uuid))))
# About one promise, which is locked before it.
OPEN_OF_PROMISE = _lock_open(_E.promise_id == sa.bindparam("promise_id"))
# About a case and those that are read and settled with it, or about one promise or clock, if they are given.
_CASE, _PROMISE, _CLOCK = (
    sa.bindparam(each, type_=sa.Uuid) for each in ("case_id", "promise_id", "clock_id")
)
_survivor = sa.select(CASES.c.survivor_id).where(CASES.c.id == _CASE).scalar_subquery()
_MEMBERS = members_of(sa.func.coalesce(_survivor, _CASE))
_ABOUT = sa.or_(_E.case_id == sa.func.any(_MEMBERS), _E.promise_id == _PROMISE, _E.clock_id == _CLOCK)
OPEN_ABOUT = _lock_open(_ABOUT)
SOME_OPEN_ABOUT = Statement[Any](sa.select(_E.id).where(_ABOUT, _OPEN).limit(sa.literal_column("1")))
# Whether what an escalation is about, or what went wrong since somebody took the case, or the promise that is
# on none, waits still.
STILL_WRONG = Statement[Any](
    sa.text(
        """
    WITH about AS MATERIALIZED (
        SELECT members_of_case(coalesce((SELECT survivor_id FROM cases WHERE id = :case_id), :case_id)) AS ids
    ), taken AS MATERIALIZED (
        SELECT coalesce(max(end_time), '-infinity') AS at FROM about, escalations
        WHERE (case_id = ANY (ids) OR promise_id = :promise_id) AND state = 'TAKEN'
    )
    SELECT EXISTS (
        SELECT FROM about, taken, clocks WHERE (case_id = ANY (ids) OR promise_id = :promise_id)
            AND fulfill_time IS NULL AND (id = :clock_id OR breach_time > at)
    ) OR EXISTS (
        SELECT FROM about, taken, promises WHERE (case_id = ANY (ids) OR id = :promise_id)
            AND state = 'BROKEN' AND withdraw_time IS NULL AND create_time <= due_time
            AND (id = :broken_id OR successor_id IS NULL AND due_time > at)
    ) AS wrong
"""
    ).bindparams(_CASE, _PROMISE, _CLOCK, sa.bindparam("broken_id", type_=sa.Uuid))
)
_agent: Any = sa.bindparam("agent", type_=sa.Text)
# What customers were promised who asked for somebody with more authority, and still wait to hear from them:
# of cases, or of what was said about one promise, as far as somebody was asked to see to it or does.
LOCK_ANSWERS = Statement(
    sa.select(PROMISES)
    .join(ESCALATIONS, _E.answer_promise_id == PROMISES.c.id)
    .where(
        sa.or_(
            among(_E.case_id, "case_ids"),
            _E.promise_id == sa.bindparam("about_id", type_=sa.Uuid),
            _E.answer_promise_id == sa.bindparam("about_id", type_=sa.Uuid),
        ),
        sa.or_(_E.assignee == _agent, _agent == sa.func.any(_E.agents)),
        _E.create_time <= sa.bindparam("at", type_=sa.DateTime(timezone=True)),
    )
    .order_by(PROMISES.c.id)
    .with_for_update(key_share=True, of=PROMISES),
    row=Promise,
)
# How many ask somebody now, and of how many the time of the last who was asked is up: nobody else is asked.
COUNT_OPEN = Statement[Any](
    sa.select(
        sa.func.count().filter(_E.due_time > sa.bindparam("now")).label("asked"),
        sa.func.count().filter(_E.due_time <= sa.bindparam("now")).label("overdue"),
    ).where(_OPEN)
)
LIST_ESCALATIONS = Listing(
    sa.select(ESCALATIONS),
    _E.id,  # UUIDv7: in the order of starting
    row=Escalation,
    filters={
        "case": filters.one_of(_E.case_id, names.CASE, members),
        "promise": filters.name(_E.promise_id, names.PROMISE),
        "customer": filters.customer(_E.customer_id, names.CUSTOMER),
        "department": filters.name(_E.department_id, names.DEPARTMENT),
        "assignee": filters.text(_E.assignee),
        "state": filters.enum(_E.state, escalation_pb2.Escalation.State.DESCRIPTOR),
    },
)
