"""Statements on work items."""

from typing import Any

import sqlalchemy as sa

from cases.domain.work_item import WorkItem
from cases.names import CASE, DEPARTMENT
from cases.store.tables import PROMISES, WORK_ITEMS
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement
from chassis.db.tables import among, updated
from rapport.cases.v1 import work_item_pb2

_OF_PROMISE = sa.select(PROMISES.c.work_item_id).where(PROMISES.c.id == sa.bindparam("promise_id"))

_BY_ID = sa.select(WORK_ITEMS).where(WORK_ITEMS.c.id == sa.bindparam("id"))

WORK_ITEM = Statement(_BY_ID, row=WorkItem)
# A work item is locked before the promises that rest on it, always: so forecasts, renegotiations and new
# promises follow one after another and none can deadlock another.
LOCK_WORK_ITEM = Statement(_BY_ID.with_for_update(key_share=True), row=WorkItem)
LOCK_WORK_ITEMS = Statement(
    sa.select(WORK_ITEMS)
    .where(among(WORK_ITEMS.c.id, "ids"))
    .order_by(WORK_ITEMS.c.id)
    .with_for_update(key_share=True),
    row=WorkItem,
)
LOCK_WORK_ITEM_OF_PROMISE = Statement(
    sa.select(WORK_ITEMS)
    .where(WORK_ITEMS.c.id == _OF_PROMISE.scalar_subquery())
    .with_for_update(key_share=True, of=WORK_ITEMS),
    row=WorkItem,
)
LIST_WORK_ITEMS = Listing(
    sa.select(WORK_ITEMS),
    WORK_ITEMS.c.id,  # UUIDv7: in the order of creation
    row=WorkItem,
    filters={
        "case": filters.name(WORK_ITEMS.c.case_id, CASE),
        "department": filters.name(WORK_ITEMS.c.department_id, DEPARTMENT),
        "state": filters.enum(WORK_ITEMS.c.state, work_item_pb2.WorkItem.State.DESCRIPTOR),
    },
)
INSERT_WORK_ITEM = Statement[Any](sa.insert(WORK_ITEMS))
UPDATE_WORK_ITEM = Statement[Any](updated(WORK_ITEMS))
