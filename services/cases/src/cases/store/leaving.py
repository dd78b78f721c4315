"""What an agent leaves behind: read by the indexes of work that is open, and of who owns cases."""

from typing import Any

import sqlalchemy as sa

from cases.domain.case import Case, CaseState
from cases.domain.work_item import WorkItem, WorkItemState
from cases.store.tables import CASES, WORK_ITEMS
from chassis.db.statement import locking

AT_ONCE: Any = sa.literal_column("50")
_AGENT: Any = sa.bindparam("agent_id", type_=sa.Text)
_SERVES: Any = sa.bindparam("serves", type_=sa.Text)  # the department; empty: none

LOCK_WORK_LEFT = locking(
    WORK_ITEMS,
    WorkItem,
    WORK_ITEMS.c.assignee_id == _AGENT,
    WORK_ITEMS.c.state != sa.literal_column(f"'{WorkItemState.FINISHED}'"),
    WORK_ITEMS.c.department_id != _SERVES,
    limit=AT_ONCE,
)
LOCK_CASES_LEFT = locking(
    CASES,
    Case,
    CASES.c.owner_id == _AGENT,
    CASES.c.state == sa.literal_column(f"'{CaseState.OPEN}'"),
    CASES.c.department_id != _SERVES,
    limit=AT_ONCE,
)
