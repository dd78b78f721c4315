"""Statements on purchases and on what customers are worth."""

import sqlalchemy as sa

from chassis.db.statement import Bulk, Statement
from loyalty.domain.value import CustomerValue, Purchase
from loyalty.store.tables import CUSTOMER_VALUES, PURCHASES

# Returns the rows that are new: a purchase whose import key is known is left as it was recorded.
INSERT_PURCHASES = Bulk(
    PURCHASES,
    lambda into: into.on_conflict_do_nothing(index_elements=["import_key"]).returning(PURCHASES),
    row=Purchase,
)

GET_IMPORTED = Statement(
    sa.select(PURCHASES).where(
        PURCHASES.c.import_key == sa.func.any(sa.bindparam("import_keys", type_=sa.ARRAY(sa.Text)))
    ),
    row=Purchase,
)

NEWEST_PURCHASE = Statement(sa.select(PURCHASES).order_by(PURCHASES.c.id.desc()).limit(1), row=Purchase)

# Adds to what is there and returns the result: no reading before writing, so no lost update.
ADD_VALUES = Bulk(
    CUSTOMER_VALUES,
    lambda into: into.on_conflict_do_update(
        index_elements=["customer_id"],
        set_={
            "lifetime_value": CUSTOMER_VALUES.c.lifetime_value + into.excluded.lifetime_value,
            "purchase_count": CUSTOMER_VALUES.c.purchase_count + into.excluded.purchase_count,
            "first_purchase_time": sa.func.least(
                CUSTOMER_VALUES.c.first_purchase_time, into.excluded.first_purchase_time
            ),
            "last_purchase_time": sa.func.greatest(
                CUSTOMER_VALUES.c.last_purchase_time, into.excluded.last_purchase_time
            ),
            "version": CUSTOMER_VALUES.c.version + into.excluded.version,
        },
    ).returning(CUSTOMER_VALUES),
    row=CustomerValue,
)

GET_VALUE = Statement(
    sa.select(CUSTOMER_VALUES).where(CUSTOMER_VALUES.c.customer_id == sa.bindparam("customer_id")),
    row=CustomerValue,
)
