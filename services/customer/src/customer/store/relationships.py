"""Statements on what customers are to each other."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.aliases import group_of, names_of, survivor_of
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import table
from customer.domain.relationships import SUBSIDIARY, Relationship
from customer.store.tables import METADATA

# (customer_id, related_customer_id, kind) is unique while it holds, also by other names of the customers. The
# rows of those that survive are locked first, in the order of their ids.
RELATIONSHIPS = table(METADATA, "relationships", Relationship)
_R = RELATIONSHIPS.c
_HOLDS = "end_time IS NULL"

RELATIONSHIP, LOCK_RELATIONSHIP, UPDATE_RELATIONSHIP = of_entity(RELATIONSHIPS, Relationship)
DELETE_RELATIONSHIP = Statement[Any](sa.delete(RELATIONSHIPS).where(_R.id == sa.bindparam("id")))
INSERT_RELATIONSHIP = Bulk[Any](RELATIONSHIPS)


def _id(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=sa.Uuid)


# What holds between two customers, by whichever of their names it was noted.
HOLDING = Statement(
    sa.select(RELATIONSHIPS).where(
        _R.customer_id == sa.func.any(group_of(_id("customer_id"))),
        _R.related_customer_id == sa.func.any(group_of(_id("related_customer_id"))),
        _R.kind == sa.bindparam("kind"),
        sa.text(_HOLDS),
    ),
    row=Relationship,
)

# Two ranges of two indexes for each of a customer's names, merged in their order: however many there are, a
# page reads itself. What a merge made of one with themselves is listed once.
_outward = sa.select(RELATIONSHIPS, _R.customer_id.label("whose"))
_inward = sa.select(RELATIONSHIPS, _R.related_customer_id.label("whose")).where(
    survivor_of(_R.customer_id) != survivor_of(_R.related_customer_id)
)
_either = sa.union_all(_outward, _inward).subquery("either")
LIST_RELATIONSHIPS = Listing(
    sa.select(*(column for column in _either.c if column.name != "whose")),
    _either.c.create_time,
    _either.c.id,
    row=Relationship,
    walks=True,
    of_customer=_either.c.whose,
    filters={"kind": filters.text(_either.c.kind), "end_time": filters.moment(_either.c.end_time)},
)

# The parent companies of a company, and theirs; itself first. Each once, so it ends whatever is there. By its
# names and with the kind as it is, a step at a time: no plan, of whatever values, reads all subsidiaries.
_above = sa.select(survivor_of(_id("related_customer_id")).label("id")).cte("above", recursive=True)
_names = names_of(_above.c.id)
_parents = (
    sa.select(_R.related_customer_id)
    .where(
        _R.customer_id == _names.c.customer_id,
        _R.kind == sa.literal_column(f"'{SUBSIDIARY}'"),
        sa.text(_HOLDS),
    )
    .limit(sa.literal_column("1000"))
    .lateral("parents")
)
_above = _above.union(
    sa.select(survivor_of(_parents.c.related_customer_id))
    .select_from(_above)
    .join(_names, sa.true())
    .join(_parents, sa.true())
)
BELONGS_TO = Statement[Any](sa.select(_above.c.id).where(_above.c.id == survivor_of(_id("customer_id"))))
