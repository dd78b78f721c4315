"""Statements on work that is a call. What they look for is in its JSON, of which indexes hold that."""

from typing import Any

import sqlalchemy as sa

from cases.domain.work_item import WorkItem
from cases.store.tables import WORK_ITEMS
from chassis.db.statement import Statement

_OPEN = sa.text("work_items.call IS NOT NULL AND work_items.state <> 'FINISHED'")


def _named(what: str) -> sa.ColumnElement[bool]:
    return sa.text(f"work_items.call ->> '{what}' = CAST(:{what} AS text)").bindparams(  # type: ignore[return-value]
        sa.bindparam(what, type_=sa.Text)
    )


# Of a promise at most one waits. Who looks holds the case or the promise that it is about.
OPEN_CALL_ABOUT = Statement(
    sa.select(WORK_ITEMS).where(_OPEN, _named("promise_id")).order_by(WORK_ITEMS.c.id).limit(1), row=WorkItem
)
CALL_FOR_NOTICE = Statement(sa.select(WORK_ITEMS).where(_named("notice_id")).limit(1), row=WorkItem)
COUNT_CALLS = Statement[Any](
    sa.text(
        """
    SELECT count(*) FILTER (WHERE block_time IS NULL) AS waiting,
        count(*) FILTER (WHERE block_time IS NOT NULL) AS later,
        count(*) FILTER (WHERE deadline_time < :now) AS late
    FROM work_items WHERE call IS NOT NULL AND state <> 'FINISHED'
"""
    ).bindparams(sa.bindparam("now", type_=sa.DateTime(timezone=True)))
)
