"""Statements on rates between currencies."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, rows_of
from loyalty.domain.rates import ExchangeRate
from loyalty.domain.value import CustomerValue
from loyalty.store.tables import CUSTOMER_VALUES, EXCHANGE_RATES

GET_RATE, LOCK_RATE, UPDATE_RATE = of_entity(EXCHANGE_RATES, ExchangeRate)
SOME_RATES = Statement(sa.select(EXCHANGE_RATES).where(among(EXCHANGE_RATES.c.id, "ids")), row=ExchangeRate)
# Returns those that are new.
INSERT_RATES = Bulk(
    EXCHANGE_RATES, lambda into: into.on_conflict_do_nothing().returning(EXCHANGE_RATES), row=ExchangeRate
)
LIST_RATES = Listing(
    sa.select(EXCHANGE_RATES),
    EXCHANGE_RATES.c.id,
    row=ExchangeRate,
    filters={
        "base_currency": filters.text(EXCHANGE_RATES.c.base_currency),
        "quote_currency": filters.text(EXCHANGE_RATES.c.quote_currency),
    },
)

# Between one currency and each of others: the newest that hold on a day, of either direction.
_wanted = rows_of("wanted", currencies=sa.Text())
_currency: sa.BindParameter[str] = sa.bindparam("currency", type_=sa.Text)


def _newest(base: Any, quote: Any) -> Any:
    held = EXCHANGE_RATES.c.rate_date <= sa.bindparam("day", type_=sa.Date)
    found = (
        sa.select(EXCHANGE_RATES)
        .where(EXCHANGE_RATES.c.base_currency == base, EXCHANGE_RATES.c.quote_currency == quote, held)
        .order_by(EXCHANGE_RATES.c.rate_date.desc())
        .limit(sa.literal_column("1"))
        .lateral()
    )
    return sa.select(found).select_from(_wanted.join(found, sa.true()))


_code = _wanted.c.currencies
NEWEST_RATES = Statement(sa.union_all(_newest(_code, _currency), _newest(_currency, _code)), row=ExchangeRate)

# Some of the customers who paid in a currency, in the order of their ids, behind one of them.
LOCK_PAID_IN = Statement(
    sa.select(CUSTOMER_VALUES)
    .where(
        CUSTOMER_VALUES.c.customer_id > sa.bindparam("after"),
        CUSTOMER_VALUES.c.totals.has_key(sa.bindparam("currency", type_=sa.Text)),
    )
    .order_by(CUSTOMER_VALUES.c.customer_id)
    .limit(sa.bindparam("limit", type_=sa.BigInteger))
    .with_for_update(),
    row=CustomerValue,
)
