"""Statements on customers.

Every read of a customer by id goes through here: a name that was merged away is followed to its survivor in
these statements, and nowhere else.
"""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, rows_of
from customer.domain.customers import PROFILE_FIELDS, Customer
from customer.store.tables import CUSTOMERS

_ID = CUSTOMERS.c.id == sa.bindparam("id")
_IDS = among(CUSTOMERS.c.id, "ids")
_CHANGING = (*PROFILE_FIELDS, "relationship_manager", "update_time", "version")

CUSTOMER = Statement(sa.select(CUSTOMERS).where(_ID), row=Customer)
CUSTOMERS_BY_ID = Statement(sa.select(CUSTOMERS).where(_IDS), row=Customer)
KNOWN_CUSTOMERS = Statement[Any](sa.select(CUSTOMERS.c.id).where(_IDS))

LIST_CUSTOMERS = Listing(
    sa.select(CUSTOMERS),
    CUSTOMERS.c.create_time,
    CUSTOMERS.c.id,
    row=Customer,
    filters={
        "relationship_manager": filters.text(CUSTOMERS.c.relationship_manager),
        "region_code": filters.text(CUSTOMERS.c.region_code),
        "create_time": filters.moment(CUSTOMERS.c.create_time),
    },
)

# Locked in the order of their ids, so that two batches cannot each wait for the other.
LOCKED_CUSTOMER = Statement(sa.select(CUSTOMERS).where(_ID).with_for_update(key_share=True), row=Customer)
LOCKED_CUSTOMERS = Statement(
    sa.select(CUSTOMERS).where(_IDS).order_by(CUSTOMERS.c.id).with_for_update(key_share=True), row=Customer
)

INSERT_CUSTOMERS = Bulk[Any](CUSTOMERS)
UPDATED_COLUMNS = ("id", *_CHANGING)
_new = rows_of("new", **{name: CUSTOMERS.c[name].type for name in UPDATED_COLUMNS})
UPDATE_CUSTOMERS = Statement[Any](
    sa.update(CUSTOMERS).where(CUSTOMERS.c.id == _new.c.id).values({name: _new.c[name] for name in _CHANGING})
)
