"""Statements on promises."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from cases.domain.promise import LIVE, Promise, PromiseState
from cases.names import CUSTOMER, DEPARTMENT
from cases.store.tables import PROMISES
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, updated
from chassis.overlap import RECORDED_MAX
from rapport.common.v1 import states_pb2

_BY_ID = sa.select(PROMISES).where(PROMISES.c.id == sa.bindparam("id"))


def _in(states: Iterable[PromiseState]) -> sa.ColumnElement[bool]:
    known: sa.ColumnElement[bool] = PROMISES.c.state == sa.any_(sa.literal(sorted(states), sa.ARRAY(sa.Text)))
    return known


_ON_WORK_ITEM = (
    sa.select(PROMISES)
    .where(PROMISES.c.work_item_id == sa.bindparam("work_item_id"))
    .order_by(PROMISES.c.id)
    .with_for_update(key_share=True)
)

PROMISE = Statement(_BY_ID, row=Promise)
LOCK_PROMISE = Statement(_BY_ID.with_for_update(key_share=True), row=Promise)
# Those that the customer still waits for: live, or broken, and neither replaced nor taken back.
LOCK_PROMISES_AWAITED = Statement(
    _ON_WORK_ITEM.where(
        _in(LIVE | {PromiseState.BROKEN}),
        PROMISES.c.successor_id.is_(None),
        PROMISES.c.withdraw_time.is_(None),
    ),
    row=Promise,
)
_IMPORTED = among(PROMISES.c.import_key, "import_keys")
_ON_WORK_ITEMS = among(PROMISES.c.work_item_id, "work_item_ids")
PROMISES_BY_IMPORT_KEY = Statement(sa.select(PROMISES).where(_IMPORTED), row=Promise)
# What was promised on work items or came with import keys, the oldest first.
PROMISED_BEFORE = Statement(
    sa.select(PROMISES).where(sa.or_(_ON_WORK_ITEMS, _IMPORTED)).order_by(PROMISES.c.id), row=Promise
)
# What imports of a department brought about certain things and nobody took back, the oldest first.
IMPORTED_ABOUT = Statement(
    sa.select(PROMISES)
    .where(
        among(PROMISES.c.reference, "references"),
        among(PROMISES.c.customer_id, "customer_ids"),
        sa.func.starts_with(PROMISES.c.import_key, sa.bindparam("department", type_=sa.Text)),
        PROMISES.c.withdraw_time.is_(None),
    )
    .order_by(PROMISES.c.id)
    .limit(sa.literal_column(str(RECORDED_MAX + 1))),
    row=Promise,
)
LIST_PROMISES = Listing(
    sa.select(PROMISES),
    PROMISES.c.due_time,
    PROMISES.c.id,
    descending=True,
    order_by="due_time",
    row=Promise,
    filters={
        "customer": filters.name(PROMISES.c.customer_id, CUSTOMER),
        "department": filters.name(PROMISES.c.department_id, DEPARTMENT),
        "state": filters.enum(PROMISES.c.state, states_pb2.PromiseState.DESCRIPTOR),
        "reference": filters.text(PROMISES.c.reference),
        "due_time": filters.moment(PROMISES.c.due_time),
    },
)
COUNT_LIVE = Statement[Any](
    sa.select(PROMISES.c.state, sa.func.count().label("promises")).where(_in(LIVE)).group_by(PROMISES.c.state)
)
INSERT_PROMISE = Statement[Any](sa.insert(PROMISES))
INSERT_NEW_PROMISES = Bulk[Any](
    PROMISES,
    lambda insert: insert.on_conflict_do_nothing(index_elements=["import_key"]).returning(PROMISES.c.id),
)
UPDATE_PROMISE = Statement[Any](updated(PROMISES))
