"""Statements on links to customers' own pages."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Bulk, Statement
from chassis.db.tables import table
from customer.domain.links import Holder, LinkGeneration
from customer.store.tables import CUSTOMERS, METADATA

# Of those alone whose links were taken back.
LINKS = table(METADATA, "customer_links", LinkGeneration, key=("customer_id",))
_L, _C = LINKS.c, CUSTOMERS.c

# By the very name, and not by the one that it was merged into: a link shows what is kept under its name.
LINKED = Statement(
    sa.select(_C.id, _C.language_code, sa.func.coalesce(_L.generation, 0).label("generation"))
    .select_from(CUSTOMERS.outerjoin(LINKS, _L.customer_id == _C.id))
    .where(_C.id == sa.bindparam("id", type_=sa.Uuid)),
    row=Holder,
)
TAKE_BACK = Bulk[Any](
    LINKS,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["customer_id"],
        set_={"generation": _L.generation + 1, "update_time": insert.excluded.update_time},
    ),
)
