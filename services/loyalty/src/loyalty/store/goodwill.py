"""Statements on goodwill, its budgets, and the promises it makes up for."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from loyalty.domain.goodwill import Given, Goodwill, KnownPromise, Spent, State
from loyalty.names import CUSTOMER
from loyalty.store.tables import GOODWILL, HARMS, PROMISES

INSERT_GOODWILL = Statement[Any](sa.insert(GOODWILL))

GET_GOODWILL = Statement(sa.select(GOODWILL).where(GOODWILL.c.id == sa.bindparam("id")), row=Goodwill)

LIST_GOODWILL = Listing(
    sa.select(GOODWILL),
    GOODWILL.c.id,
    descending=True,
    row=Goodwill,
    filters={"customer": filters.name(GOODWILL.c.customer_id, CUSTOMER)},
)

# The grant that a transfer moved, if it moved one.
REVERSE_GOODWILL = Statement(
    sa.update(GOODWILL)
    .where(GOODWILL.c.transfer_id == sa.bindparam("transfer"))
    .values(state=State.REVERSED.value, version=GOODWILL.c.version + 1, update_time=sa.bindparam("at"))
    .returning(GOODWILL),
    row=Goodwill,
)

_STANDS = GOODWILL.c.state == State.GRANTED.value
_CUSTOMER = GOODWILL.c.customer_id == sa.bindparam("customer_id")
_GRANTOR = GOODWILL.c.grantor == sa.bindparam("grantor")


def _sum(*of: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    points = sa.select(sa.cast(sa.func.sum(GOODWILL.c.amount), sa.BigInteger)).where(_STANDS, *of)
    return sa.func.coalesce(points.scalar_subquery(), 0)


_LATELY = GOODWILL.c.create_time > sa.bindparam("since")
SPENT = Statement(
    sa.select(_sum(_CUSTOMER, _LATELY).label("on_customer"), _sum(_GRANTOR, _LATELY).label("by_grantor")),
    row=Spent,
)

_OF_CHAIN = sa.and_(_CUSTOMER, GOODWILL.c.root_id == sa.bindparam("root_id"))
GIVEN = Statement(
    sa.select(
        _sum(_OF_CHAIN, GOODWILL.c.grantor != sa.bindparam("policy")).label("by_people"),
        _sum(_OF_CHAIN, GOODWILL.c.grantor == sa.bindparam("policy")).label("by_policy"),
    ),
    row=Given,
)

INSERT_PROMISES = Bulk[Any](PROMISES, lambda into: into.on_conflict_do_nothing())
INSERT_HARMS = Bulk[Any](HARMS, lambda into: into.on_conflict_do_nothing())
_HARMED = sa.exists().where(HARMS.c.root_id == PROMISES.c.root_id).label("harmed")
GET_PROMISE = Statement(
    sa.select(PROMISES, _HARMED).where(PROMISES.c.id == sa.bindparam("id")), row=KnownPromise
)
