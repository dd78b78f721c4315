"""Statements on goodwill, its budgets, and the promises it makes up for."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.db.statement import Bulk, Statement
from loyalty.domain.goodwill import Goodwill, Spent
from loyalty.store.tables import GOODWILL, PROMISES


@dataclass(frozen=True, slots=True)
class KnownPromise:
    """A promise that cases told of: whose it is, and the first of its chain."""

    id: UUID
    customer_id: UUID
    root_id: UUID


# Returns nothing when the harm has a grant. Of two at once, the second waits for the first and sees it.
INSERT_GOODWILL = Statement[Any](
    insert(GOODWILL)
    .values({c.name: sa.bindparam(c.name) for c in GOODWILL.c})
    .on_conflict_do_nothing(index_elements=["customer_id", "root_id"])
    .returning(GOODWILL.c.id)
)

GET_GOODWILL = Statement(sa.select(GOODWILL).where(GOODWILL.c.id == sa.bindparam("id")), row=Goodwill)

_KEY = sa.func.unnest(sa.bindparam("budgets", type_=sa.ARRAY(sa.Text))).column_valued("budget")
_LOCKS = sa.select(sa.func.hashtextextended(_KEY, 0).label("lock")).order_by("lock").subquery()
# Until the transaction ends, nobody else grants from these budgets. In one order: two grants cannot deadlock.
LOCK_BUDGETS = Statement[Any](sa.select(sa.func.pg_advisory_xact_lock(_LOCKS.c.lock)))

_CUSTOMER = GOODWILL.c.customer_id == sa.bindparam("customer_id")
_GRANTOR = GOODWILL.c.grantor == sa.bindparam("grantor")


def _sum(of: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    since = GOODWILL.c.grant_time > sa.bindparam("since")
    points = sa.select(sa.cast(sa.func.sum(GOODWILL.c.points), sa.BigInteger)).where(of, since)
    return sa.func.coalesce(points.scalar_subquery(), 0)


SPENT = Statement(
    sa.select(_sum(_CUSTOMER).label("on_customer"), _sum(_GRANTOR).label("by_grantor")), row=Spent
)

INSERT_PROMISES = Bulk[Any](PROMISES, lambda into: into.on_conflict_do_nothing())
GET_PROMISE = Statement(sa.select(PROMISES).where(PROMISES.c.id == sa.bindparam("id")), row=KnownPromise)
