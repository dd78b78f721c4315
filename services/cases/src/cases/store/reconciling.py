"""What clocks are compared with, to find those that are not as they should be."""

from typing import Any

import sqlalchemy as sa

from cases.domain.case import Case, CaseState
from cases.domain.clock import Clock
from cases.domain.promise import Promise
from cases.domain.work_item import WorkItem, WorkItemState
from cases.store.calendars import CALENDAR_VERSIONS
from cases.store.clocks import CLOCKS, DONE_TIMES, UNDECIDED
from cases.store.tables import CASES, PROMISES, WORK_ITEMS
from chassis.db.schema import TIMERS
from chassis.db.statement import Statement
from chassis.db.tables import among

_AFTER, _LIMIT = sa.bindparam("after", type_=sa.Uuid), sa.bindparam("limit", type_=sa.Integer)

SOME_UNDECIDED = Statement(
    sa.select(CLOCKS).where(*UNDECIDED, CLOCKS.c.id > _AFTER).order_by(CLOCKS.c.id).limit(_LIMIT), row=Clock
)
_due, _warning = TIMERS.alias("due"), TIMERS.alias("warning")


def _looked_at(timers: Any) -> sa.ColumnElement[Any]:
    """When a timer was set for; of one that failed, which is tried again later, when its clock says."""
    own = CLOCKS.c.due_time if timers is _due else CLOCKS.c.warning_time
    return sa.case((timers.c.attempts > 0, own), else_=timers.c.due_at)


# Of clocks: what they are about, and when they are looked at again.
AROUND = Statement[Any](
    DONE_TIMES.add_columns(
        sa.func.coalesce(PROMISES.c.department_id, WORK_ITEMS.c.department_id, CASES.c.department_id).label(
            "department_id"
        ),
        _looked_at(_due).label("due_timer"),
        _looked_at(_warning).label("warning_timer"),
    )
    .outerjoin(PROMISES, PROMISES.c.id == CLOCKS.c.promise_id)
    .outerjoin(
        _due,
        sa.and_(_due.c.kind == sa.bindparam("due_kind"), _due.c.key == sa.cast(CLOCKS.c.id, sa.Text)),
    )
    .outerjoin(
        _warning,
        sa.and_(
            _warning.c.kind == sa.bindparam("warning_kind"),
            _warning.c.key == sa.cast(CLOCKS.c.id, sa.Text),
        ),
    )
    .where(among(CLOCKS.c.id, "ids"))
)
# The latest version of calendars, if that has been there for a while.
LATEST = Statement[Any](
    sa.select(CALENDAR_VERSIONS.c.id, sa.func.max(CALENDAR_VERSIONS.c.version).label("version"))
    .where(among(CALENDAR_VERSIONS.c.id, "ids"), CALENDAR_VERSIONS.c.update_time <= sa.bindparam("before"))
    .group_by(CALENDAR_VERSIONS.c.id)
)
WORK_OF_CASES = Statement(sa.select(WORK_ITEMS).where(among(WORK_ITEMS.c.case_id, "ids")), row=WorkItem)
PROMISES_BY_ID = Statement(sa.select(PROMISES).where(among(PROMISES.c.id, "ids")), row=Promise)

# What is open since a while and has no clock at all.
CASES_WITHOUT = Statement(
    sa.select(CASES)
    .where(
        CASES.c.state == CaseState.OPEN.value,
        CASES.c.id > _AFTER,
        CASES.c.open_time <= sa.bindparam("before"),
        ~sa.exists().where(
            CLOCKS.c.case_id == CASES.c.id, CLOCKS.c.work_item_id.is_(None), CLOCKS.c.promise_id.is_(None)
        ),
    )
    .order_by(CASES.c.id)
    .limit(_LIMIT),
    row=Case,
)
WORK_WITHOUT = Statement(
    sa.select(WORK_ITEMS)
    .where(
        sa.or_(
            *(WORK_ITEMS.c.state == each.value for each in (WorkItemState.PENDING, WorkItemState.STARTED))
        ),
        WORK_ITEMS.c.id > _AFTER,
        WORK_ITEMS.c.create_time <= sa.bindparam("before"),
        ~sa.exists().where(CLOCKS.c.work_item_id == WORK_ITEMS.c.id),
    )
    .order_by(WORK_ITEMS.c.id)
    .limit(_LIMIT),
    row=WorkItem,
)
TIMERS_OF = Statement[Any](
    sa.select(sa.func.count()).select_from(TIMERS).where(TIMERS.c.kind == sa.bindparam("kind"))
)
