"""Statements on goodwill."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import among, rows_of
from loyalty.domain.goodwill import GiftKind, Given, Goodwill, State
from loyalty.domain.goodwill_rule import Spent
from loyalty.domain.ledger import AccountType
from loyalty.names import CUSTOMER
from loyalty.store.ledger import entry_before
from loyalty.store.tables import ACCOUNTS, GOODWILL
from rapport.common.v1.states_pb2 import GoodwillState

_G = GOODWILL.c
INSERT_GOODWILL = Statement[Any](sa.insert(GOODWILL))
GET_GOODWILL, LOCK_GOODWILL, UPDATE_GOODWILL = of_entity(GOODWILL, Goodwill)

LIST_GOODWILL = Listing(
    sa.select(GOODWILL),
    _G.id,
    descending=True,
    row=Goodwill,
    filters={
        "customer": filters.customer(_G.customer_id, CUSTOMER),
        "state": filters.enum(_G.state, GoodwillState.DESCRIPTOR),
    },
)

# The grant that a transfer moved, if it moved one.
REVERSE_GOODWILL = Statement(
    sa.update(GOODWILL)
    .where(_G.transfer_id == sa.bindparam("transfer"))
    .values(state=State.REVERSED.value, version=_G.version + 1, update_time=sa.bindparam("at"))
    .returning(GOODWILL),
    row=Goodwill,
)

_STANDS = _G.state == sa.literal_column(f"'{State.GRANTED}'")
_CUSTOMER = among(_G.customer_id, "customer_ids")
_GRANTOR = _G.grantor == sa.bindparam("grantor")
# What it counts as, in the currency of the budgets.
_COUNTED = sa.func.coalesce(_G.converted_amount, _G.amount)
_CURRENCY = sa.func.coalesce(
    sa.func.nullif(_G.converted_currency, sa.literal_column("''")), _G.currency_code
) == sa.bindparam("currency_code")


def _sum(*of: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    amount = sa.select(sa.cast(sa.func.sum(_COUNTED), sa.BigInteger)).where(_STANDS, *of)
    return sa.func.coalesce(amount.scalar_subquery(), 0)


# What stands was last changed when it was granted.
_LATELY = sa.and_(_G.update_time > sa.bindparam("since"), among(_G.kind, "kinds"), _CURRENCY)
_TODAY = sa.and_(_G.update_time > sa.bindparam("day_ago"), among(_G.kind, "day_kinds"), _CURRENCY)
SPENT = Statement(
    sa.select(
        _sum(_CUSTOMER, _LATELY).label("on_customer"),
        _sum(_GRANTOR, _LATELY).label("by_grantor"),
        _sum(_GRANTOR, _TODAY).label("in_a_day"),
    ),
    row=Spent,
)

# To whoever: a merge that was undone has left it with another name than the promise.
_OF_CHAIN = _G.root_id == sa.bindparam("root_id")
_IN_POINTS = _G.kind == GiftKind.POINTS.value
_BY_POLICY = _G.grantor == sa.bindparam("policy")


def _count(*of: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    counted: Any = sa.select(sa.func.count()).select_from(GOODWILL).where(_OF_CHAIN, *of)
    return counted.scalar_subquery()  # type: ignore[no-any-return]


GIVEN = Statement(
    sa.select(
        _sum(_OF_CHAIN, _IN_POINTS, sa.not_(_BY_POLICY)).label("by_people"),
        _sum(_OF_CHAIN, _IN_POINTS, _BY_POLICY).label("by_policy"),
        _count(_STANDS, sa.not_(_IN_POINTS)).label("in_other_kinds"),
        _count(_G.state == State.REQUESTED.value).label("requested"),
    ),
    row=Given,
)

WAITING = Statement[Any](
    sa.select(sa.func.count().label("count"), sa.func.min(_G.create_time).label("oldest")).where(
        _G.state == sa.literal_column(f"'{State.REQUESTED}'")
    )
)

_months = rows_of("months", starts=sa.DateTime(timezone=True), ends=sa.DateTime(timezone=True))


_first, _last = entry_before(_months.c.starts, "first"), entry_before(_months.c.ends, "last")
_moved = sa.cast(sa.func.sum(_first.c.balance - _last.c.balance), sa.BigInteger)
_OF = ACCOUNTS.c.owner_code, ACCOUNTS.c.program_id, ACCOUNTS.c.unit_id
# What an account of goodwill gave in each month: a search of its entries for each end of one.
COSTS = Statement[Any](
    sa.select(*_OF, _months.c.starts.label("start"), _moved.label("amount"))
    .join_from(ACCOUNTS, _months, sa.true())
    .join(_first, sa.true())
    .join(_last, sa.true())
    .where(ACCOUNTS.c.type == sa.literal_column(f"'{AccountType.GOODWILL}'"))
    .group_by(*_OF, _months.c.starts)
    .having(_moved != 0)
    .order_by(_months.c.starts, *_OF)
)
