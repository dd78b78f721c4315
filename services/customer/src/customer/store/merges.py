"""Statements on merges."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.aliases import group_of
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, table
from customer.domain.merges import CustomerMerge
from customer.domain.timeline import ShownEntry
from customer.store.attachments import files_of
from customer.store.tables import METADATA, TIMELINE
from rapport.customer.v1 import customer_merge_pb2

MERGES = table(METADATA, "customer_merges", CustomerMerge)
_M, _T = MERGES.c, TIMELINE.c
_FILTERS = {
    "state": filters.enum(_M.state, customer_merge_pb2.CustomerMerge.State.DESCRIPTOR),
    "create_time": filters.moment(_M.create_time),
}

MERGE, LOCKED_MERGE, SAVE_MERGE = of_entity(MERGES, CustomerMerge)
INSERT_MERGE = Bulk[Any](MERGES)
# Drawn by who holds the lock of all merges, so that it counts in the order of their commits.
NEXT_SEQUENCE = Statement[Any](
    sa.select(sa.func.nextval(sa.literal_column("'customer_merge_sequence'")).label("sequence"))
)
# Those that hold and are about these names. As the index says it.
HOLDING_MERGES = Statement(
    sa.select(MERGES).where(
        among(_M.customer_id, "customer_ids"), sa.literal_column("customer_merges.state = 'MERGED'")
    ),
    row=CustomerMerge,
)
LIST_MERGES = Listing(sa.select(MERGES), _M.id, descending=True, row=CustomerMerge, filters=_FILTERS)

_NAMES = sa.func.any(group_of(sa.bindparam("customer_id", type_=sa.Uuid)))
_of_customer = sa.union(
    *(sa.select(MERGES).where(column == _NAMES) for column in (_M.customer_id, _M.merged_customer_id))
).subquery("merges")
_O = _of_customer.c
LIST_MERGES_OF = Listing(
    sa.select(_of_customer),
    _O.id,
    descending=True,
    row=CustomerMerge,
    filters={name: replace(field, column=_O[name]) for name, field in _FILTERS.items()},
)

UNDONE_MERGES = Statement(sa.select(_of_customer).where(_O.state == "UNDONE"), row=CustomerMerge)

# What was recorded from one moment to another, told by the ids, under some names of a customer: read whole,
# for it is asked for by who takes a merge apart.
_recorded = (
    sa.select(TIMELINE, files_of(_T))
    .where(
        among(_T.customer_id, "names"),
        _T.id >= sa.bindparam("first_id", type_=sa.Uuid),
        _T.id < sa.bindparam("past_id", type_=sa.Uuid),
    )
    .subquery("recorded")
)
LIST_MEANWHILE = Listing(
    sa.select(_recorded), _recorded.c.occur_time, _recorded.c.id, descending=True, row=ShownEntry
)
