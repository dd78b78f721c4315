"""Statements on purchases and on what customers are worth."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.schema import ALIAS_GROUPS
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, rows_of
from chassis.overlap import RECORDED_MAX
from loyalty.domain.value import CustomerValue, Purchase
from loyalty.names import CUSTOMER, PURCHASE
from loyalty.store.tables import CUSTOMER_VALUES, PURCHASES

# Returns the rows that are new: a purchase whose import key is known is left as it was recorded.
INSERT_PURCHASES = Bulk(
    PURCHASES,
    lambda into: into.on_conflict_do_nothing(index_elements=["import_key"]).returning(PURCHASES),
    row=Purchase,
)

KNOWN_KEYS = Statement[Any](
    sa.select(PURCHASES.c.import_key).where(among(PURCHASES.c.import_key, "import_keys"))
)
_IMPORTED = sa.select(PURCHASES).where(among(PURCHASES.c.import_key, "import_keys"))
GET_IMPORTED = Statement(_IMPORTED, row=Purchase)

# The same, nobody else's to correct until the end of the transaction.
LOCK_IMPORTED = Statement(_IMPORTED.order_by(PURCHASES.c.import_key).with_for_update(), row=Purchase)

_occasions = rows_of("occasions", customer_ids=sa.Uuid(), times=PURCHASES.c.purchase_time.type)
# What imports brought of customers at certain times, with one of the references or amounts.
IMPORTED_AT = Statement(
    sa.select(PURCHASES)
    .join(
        _occasions,
        sa.and_(
            PURCHASES.c.customer_id == _occasions.c.customer_ids,
            PURCHASES.c.purchase_time == _occasions.c.times,
        ),
    )
    .where(
        PURCHASES.c.import_key.is_not(None),
        sa.or_(among(PURCHASES.c.reference, "references"), among(PURCHASES.c.paid, "amounts")),
    )
    .order_by(PURCHASES.c.id)
    .limit(sa.literal_column(str(RECORDED_MAX + 1))),
    row=Purchase,
)

_KEPT = ("id", "import_key", "create_time", "version")
_CONTENT = [name for name in PURCHASES.columns.keys() if name not in _KEPT]  # noqa: SIM118
# What rows say that were imported before and say otherwise now.
CORRECT_PURCHASES = Bulk(
    PURCHASES,
    lambda into: into.on_conflict_do_update(
        index_elements=["import_key"],
        set_={**{name: into.excluded[name] for name in _CONTENT}, "version": PURCHASES.c.version + 1},
    ).returning(PURCHASES),
    row=Purchase,
)

# Adds to what is there and returns the result: no reading before writing, so no lost update.
ADD_VALUES = Bulk(
    CUSTOMER_VALUES,
    lambda into: into.on_conflict_do_update(
        index_elements=["customer_id"],
        set_={
            "totals": sa.func.totals_added(CUSTOMER_VALUES.c.totals, into.excluded.totals),
            "purchase_count": CUSTOMER_VALUES.c.purchase_count + into.excluded.purchase_count,
            "first_purchase_time": sa.func.least(
                CUSTOMER_VALUES.c.first_purchase_time, into.excluded.first_purchase_time
            ),
            "last_purchase_time": sa.func.greatest(
                CUSTOMER_VALUES.c.last_purchase_time, into.excluded.last_purchase_time
            ),
            "update_time": into.excluded.update_time,
            "version": CUSTOMER_VALUES.c.version + into.excluded.version,
        },
    ).returning(CUSTOMER_VALUES),
    row=CustomerValue,
)

# What customers are worth, counted again from every purchase: when a first or last one is
# taken back, the next is not known otherwise.
_bought = sa.and_(
    PURCHASES.c.paid >= 0, sa.or_(PURCHASES.c.refunded == 0, PURCHASES.c.refunded < PURCHASES.c.paid)
)
_of_currency = (
    sa.select(
        PURCHASES.c.customer_id,
        PURCHASES.c.currency_code,
        sa.cast(sa.func.trim_scale(sa.func.sum(PURCHASES.c.paid - PURCHASES.c.refunded)), sa.Text).label(
            "total"
        ),
        sa.func.count(PURCHASES.c.id).filter(_bought).label("count"),
        sa.func.min(PURCHASES.c.purchase_time).filter(_bought).label("first"),
        sa.func.max(PURCHASES.c.purchase_time).filter(_bought).label("last"),
    )
    .where(among(PURCHASES.c.customer_id, "customer_ids"))
    .group_by(PURCHASES.c.customer_id, PURCHASES.c.currency_code)
    .subquery("of_currency")
)
_of = _of_currency.c
_counted = (
    sa.select(
        CUSTOMER_VALUES.c.customer_id,
        sa.func.coalesce(
            sa.func.jsonb_object_agg(_of.currency_code, _of.total).filter(_of.currency_code.is_not(None)),
            sa.literal_column("'{}'::jsonb"),
        ).label("totals"),
        sa.cast(sa.func.coalesce(sa.func.sum(_of.count), 0), sa.BigInteger).label("count"),
        sa.func.min(_of.first).label("first"),
        sa.func.max(_of.last).label("last"),
    )
    .join_from(CUSTOMER_VALUES, _of_currency, CUSTOMER_VALUES.c.customer_id == _of.customer_id, isouter=True)
    .where(among(CUSTOMER_VALUES.c.customer_id, "customer_ids"))
    .group_by(CUSTOMER_VALUES.c.customer_id)
    .subquery("counted")
)
COUNT_VALUES = Statement(
    sa.update(CUSTOMER_VALUES)
    .where(CUSTOMER_VALUES.c.customer_id == _counted.c.customer_id)
    .values(
        totals=_counted.c.totals,
        purchase_count=_counted.c.count,
        first_purchase_time=_counted.c.first,
        last_purchase_time=_counted.c.last,
    )
    .returning(CUSTOMER_VALUES),
    row=CustomerValue,
)

# Keeps what others are told of bands, of rows that are there and locked.
SAVE_BANDS = Bulk[Any](
    CUSTOMER_VALUES,
    lambda into: into.on_conflict_do_update(
        index_elements=["customer_id"],
        set_={name: into.excluded[name] for name in ("band", "formula_version", "version", "update_time")},
    ),
)

# Some whose band is by a formula of another version: of one other version, as an index has them.
_by = CUSTOMER_VALUES.c.formula_version
_version: sa.BindParameter[str] = sa.bindparam("version")
_another = sa.func.coalesce(
    sa.select(sa.func.max(_by)).where(_by < _version).scalar_subquery(),
    sa.select(sa.func.min(_by)).where(_by > _version).scalar_subquery(),
)
_otherwise = sa.select(CUSTOMER_VALUES).where(_by == _another)
SOME_OTHERWISE_BANDED = Statement(_otherwise.limit(1), row=CustomerValue)
LOCK_OTHERWISE_BANDED = Statement(
    _otherwise.order_by(CUSTOMER_VALUES.c.customer_id)
    .limit(sa.bindparam("limit", type_=sa.BigInteger))
    .with_for_update(),
    row=CustomerValue,
)

SOME_PURCHASES = Statement(sa.select(PURCHASES).where(among(PURCHASES.c.id, "ids")), row=Purchase)
# What gave lines of these back.
RETURNS_OF = Statement(
    sa.select(PURCHASES).where(among(PURCHASES.c.returned_purchase_id, "ids")), row=Purchase
)
_moves = rows_of("moves", ids=sa.Uuid(), customer_ids=sa.Uuid())
MOVE_PURCHASES = Statement(
    sa.update(PURCHASES)
    .where(PURCHASES.c.id == _moves.c.ids)
    .values(
        customer_id=_moves.c.customer_ids,
        update_time=sa.bindparam("at"),
        version=PURCHASES.c.version + 1,
    )
    .returning(PURCHASES),
    row=Purchase,
)
GET_PURCHASE = Statement(sa.select(PURCHASES).where(PURCHASES.c.id == sa.bindparam("id")), row=Purchase)
LIST_PURCHASES = Listing(
    sa.select(PURCHASES),
    PURCHASES.c.purchase_time,
    PURCHASES.c.id,
    descending=True,
    row=Purchase,
    filters={
        "customer": filters.customer(PURCHASES.c.customer_id, CUSTOMER),
        "purchase_time": filters.moment(PURCHASES.c.purchase_time),
        "returned_purchase": filters.name(PURCHASES.c.returned_purchase_id, PURCHASE),
        "store": filters.text(PURCHASES.c.store),
        "reference": filters.text(PURCHASES.c.reference),
        "currency": filters.text(PURCHASES.c.currency_code),
        "lines.product": filters.each(PURCHASES.c.sold, "product"),
    },
)

_VALUES = sa.select(CUSTOMER_VALUES)
GET_VALUE = Statement(_VALUES.where(CUSTOMER_VALUES.c.id == sa.bindparam("id")), row=CustomerValue)
# Of each of these names; a customer who was merged is worth what all of theirs are.
VALUES_OF = Statement(_VALUES.where(among(CUSTOMER_VALUES.c.customer_id, "customer_ids")), row=CustomerValue)


_NOBODY = UUID(int=0)


@dataclass(slots=True)
class OtherValue(CustomerValue):
    """What a customer is worth by another of their names than the one, `of`, that was asked for."""

    of: UUID = _NOBODY


_own, _other = ALIAS_GROUPS.alias("own"), ALIAS_GROUPS.alias("other")
# None, of customers who were never merged.
OTHER_VALUES = Statement(
    sa.select(CUSTOMER_VALUES, _own.c.customer_id.label("of"))
    .join_from(_own, _other, _other.c.group_id == _own.c.group_id)
    .join(CUSTOMER_VALUES, CUSTOMER_VALUES.c.customer_id == _other.c.customer_id)
    .where(among(_own.c.customer_id, "customer_ids"), _other.c.customer_id != _own.c.customer_id),
    row=OtherValue,
)
LOCK_VALUES = Statement(
    _VALUES.where(among(CUSTOMER_VALUES.c.customer_id, "customer_ids"))
    .order_by(CUSTOMER_VALUES.c.customer_id)
    .with_for_update(),
    row=CustomerValue,
)
LIST_VALUES = Listing(
    _VALUES,
    CUSTOMER_VALUES.c.id,
    descending=True,
    row=CustomerValue,
    filters={"customer": filters.customer(CUSTOMER_VALUES.c.customer_id, CUSTOMER)},
)
