"""The tables of clocks and of the policies that start them, and the statements on them."""

from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from cases import names
from cases.domain.case import Case
from cases.domain.clock import Clock, ClockState
from cases.domain.clock_policy import ClockMetric, ClockPolicy
from cases.domain.contact import Contacts
from cases.store.tables import CASES, METADATA, PROMISES, WORK_ITEMS, members
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, locking, of_entity
from chassis.db.tables import among, replaced, table
from chassis.db.versions import versioned
from chassis.names import PLATFORM
from rapport.cases.v1 import clock_pb2

CLOCKS = table(METADATA, "clocks", Clock)
CLOCK_POLICIES = table(METADATA, "clock_policies", ClockPolicy, key=("id", "version"))

CLOCK, LOCK_CLOCK, UPDATE_CLOCK = of_entity(CLOCKS, Clock)
INSERT_CLOCK = Statement[Any](sa.insert(CLOCKS))
_lock = partial(locking, CLOCKS, Clock)
_NOT_DONE = CLOCKS.c.fulfill_time.is_(None)
UNDECIDED = _NOT_DONE, CLOCKS.c.breach_time.is_(None)  # neither done nor late
# The case or the work item is locked before its clocks, and those in the order of their ids.
# Those of promises are not among them: a promise is locked before its clocks, and after those of its case.
_OF_CASES = among(CLOCKS.c.case_id, "case_ids"), CLOCKS.c.promise_id.is_(None)
LOCK_CLOCKS_OF_CASES = _lock(*_OF_CASES, CLOCKS.c.work_item_id.is_(None))
# What was not done by then of cases, and of the work on them.
LOCK_CLOCKS_NOT_DONE_BY = _lock(*_OF_CASES, sa.or_(_NOT_DONE, CLOCKS.c.fulfill_time > sa.bindparam("at")))
LOCK_CLOCKS_OF_WORK_ITEM = _lock(CLOCKS.c.work_item_id == sa.bindparam("work_item_id"))
LOCK_CLOCKS_OF_PROMISE = _lock(CLOCKS.c.promise_id == sa.bindparam("promise_id"), _NOT_DONE)
# Of a case and of the work on it what does not count while the work stands still.
LOCK_CLOCKS_THAT_PAUSE = _lock(
    CLOCKS.c.case_id == sa.bindparam("case_id"), sa.func.cardinality(CLOCKS.c.pauses) > 0, *UNDECIDED
)
# When what a clock is about was settled, by itself.
DONE_TIMES = (
    sa.select(
        CLOCKS.c.id,
        sa.case(
            (CLOCKS.c.promise_id.is_not(None), sa.null()),
            (CLOCKS.c.work_item_id.is_(None), CASES.c.resolve_time),
            (
                CLOCKS.c.metric == ClockMetric.FIRST_RESPONSE.value,
                sa.func.coalesce(WORK_ITEMS.c.start_time, WORK_ITEMS.c.finish_time),
            ),
            else_=WORK_ITEMS.c.finish_time,
        ).label("done_time"),
    )
    .outerjoin_from(CLOCKS, CASES, CASES.c.id == CLOCKS.c.case_id)
    .outerjoin(WORK_ITEMS, WORK_ITEMS.c.id == CLOCKS.c.work_item_id)
)
DONE_TIME = Statement[Any](DONE_TIMES.where(among(CLOCKS.c.id, "ids")))
LOCK_CLOCKS = _lock(among(CLOCKS.c.id, "ids"))
# What `Clock.breach` says, of many.
BREACH_CLOCKS = Statement[Any](
    sa.update(CLOCKS)
    .where(among(CLOCKS.c.id, "ids"))
    .values(
        state=ClockState.BREACHED.value,
        breach_time=CLOCKS.c.due_time,
        version=CLOCKS.c.version + 1,
        update_time=sa.bindparam("now"),
    )
)


def _undecided(
    by: sa.Column[Any], version: sa.Column[Any]
) -> tuple[Statement[Any], Statement[Clock], Statement[Clock]]:
    """Of undecided ones by a column how many, a page of them, and of that, locked, those behind a version."""
    found = (by == sa.bindparam(by.name), *UNDECIDED)
    page, limit = (*found, CLOCKS.c.id > sa.bindparam("after")), sa.bindparam("limit", type_=sa.Integer)
    return (
        Statement[Any](sa.select(sa.func.count()).select_from(CLOCKS).where(*found)),
        Statement(sa.select(CLOCKS).where(*page).order_by(CLOCKS.c.id).limit(limit), row=Clock),
        _lock(*page, version < sa.bindparam(version.name), limit=limit),
    )


# Those that go by a calendar, and those that a policy started.
COUNT_FOLLOWING, SOME_FOLLOWING, LOCK_CLOCKS_BEHIND = _undecided(
    CLOCKS.c.calendar_id, CLOCKS.c.calendar_version
)
COUNT_STARTED_BY, SOME_STARTED_BY, LOCK_CLOCKS_BEHIND_POLICY = _undecided(
    CLOCKS.c.clock_policy_id, CLOCKS.c.policy_version
)
LIST_CLOCKS = Listing(
    sa.select(CLOCKS),
    CLOCKS.c.id,  # UUIDv7: in the order of starting
    row=Clock,
    filters={
        "case": filters.one_of(CLOCKS.c.case_id, names.CASE, members),
        "work_item": filters.name(CLOCKS.c.work_item_id, names.WORK_ITEM),
        "promise": filters.name(CLOCKS.c.promise_id, names.PROMISE),
        "department": filters.name(CLOCKS.c.department_id, names.DEPARTMENT),
        "state": filters.enum(CLOCKS.c.state, clock_pb2.Clock.State.DESCRIPTOR),
    },
)

_CONTACTS = table(METADATA, "case_contacts", Contacts, key=("case_id",))
# The case itself, or that of a promise or a work item.
_CASE_ABOUT = sa.func.coalesce(
    sa.select(PROMISES.c.case_id).where(PROMISES.c.id == sa.bindparam("id")).scalar_subquery(),
    sa.select(WORK_ITEMS.c.case_id).where(WORK_ITEMS.c.id == sa.bindparam("id")).scalar_subquery(),
    sa.bindparam("id", type_=sa.Uuid),
)
CASE_ABOUT = Statement(sa.select(CASES).where(CASES.c.id == _CASE_ABOUT), row=Case)
CONTACTS = Statement(sa.select(_CONTACTS).where(_CONTACTS.c.case_id == sa.bindparam("case_id")), row=Contacts)
PUT_CONTACTS = Statement[Any](replaced(insert(_CONTACTS)))

_LATEST, CLOCK_POLICY, CLOCK_POLICY_VERSION, INSERT_CLOCK_POLICY = versioned(CLOCK_POLICIES, ClockPolicy)
LIST_CLOCK_POLICIES = Listing(sa.select(_LATEST), _LATEST.c.id, row=ClockPolicy)


def _policies_of(versions: Any) -> Statement[ClockPolicy]:
    """What may be followed for something of a department, in the order in which it is asked."""
    return Statement(
        sa.select(versions)
        .where(
            versions.c.subject == sa.bindparam("subject"),
            versions.c.department_id.in_([sa.bindparam("department_id"), PLATFORM]),
            sa.not_(versions.c.disabled),
        )
        .order_by(versions.c.position, versions.c.id),
        row=ClockPolicy,
    )


POLICIES_FOR = _policies_of(_LATEST)
# As they were at a moment.
POLICIES_AT = _policies_of(
    sa.select(CLOCK_POLICIES)
    .ext(distinct_on(CLOCK_POLICIES.c.id))
    .where(CLOCK_POLICIES.c.update_time <= sa.bindparam("at"))
    .order_by(CLOCK_POLICIES.c.id, CLOCK_POLICIES.c.version.desc())
    .subquery("then")
)
# Of clocks that run: their calendar does not open any more.
COUNT_ENDLESS = Statement[Any](
    sa.text(
        """
    SELECT count(*) AS endless FROM (
        SELECT FROM clocks WHERE state = 'RUNNING' AND due_time IS NULL LIMIT 1000
    ) AS endless
"""
    )
)
