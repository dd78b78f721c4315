"""Statements on addresses to which nothing is sent."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import among, table
from customer.domain.suppressions import Suppression
from customer.store.tables import METADATA
from rapport.customer.v1 import suppression_pb2

# (address_hash, reason, category) is unique while it holds. No reference to a customer: it outlives them.
SUPPRESSIONS = table(METADATA, "suppressions", Suppression)
_S = SUPPRESSIONS.c
_HOLDS = "release_time IS NULL"  # as the partial index says it
_FILTERS = {
    "reason": filters.enum(_S.reason, suppression_pb2.Suppression.Reason.DESCRIPTOR),
    "release_time": filters.moment(_S.release_time),
}

SUPPRESSION, LOCK_SUPPRESSION, UPDATE_SUPPRESSION = of_entity(SUPPRESSIONS, Suppression)
# Nothing comes back when such a one holds already.
INSERT_SUPPRESSION = Statement[Any](
    insert(SUPPRESSIONS)
    .on_conflict_do_nothing(
        index_elements=["address_hash", "reason", "category"], index_where=sa.text(_HOLDS)
    )
    .returning(_S.id)
)
# Released by nobody, and said by nobody else, until whoever relies on it is done.
HOLDING = Statement(
    sa.select(SUPPRESSIONS)
    .where(
        _S.address_hash == sa.bindparam("address_hash"),
        _S.reason == sa.bindparam("reason"),
        _S.category == sa.bindparam("category"),
        sa.text(_HOLDS),
    )
    .with_for_update(),
    row=Suppression,
)
# Locked as they are written by who stops: addresses, and categories of each.
LOCK_UNSUBSCRIBED = Statement(
    sa.select(SUPPRESSIONS)
    .where(
        among(_S.address_hash, "hashes"),
        _S.reason == sa.literal_column("'UNSUBSCRIBED'"),
        sa.text(_HOLDS),
    )
    .order_by(_S.address_hash.collate("C"), _S.category.collate("C"))
    .with_for_update(),
    row=Suppression,
)
# In the order in which they are told of: the oldest that keeps something from an address.
HOLDING_OF = Statement(
    sa.select(SUPPRESSIONS).where(among(_S.address_hash, "hashes"), sa.text(_HOLDS)).order_by(_S.id),
    row=Suppression,
)
NEWEST = Statement(sa.select(SUPPRESSIONS).order_by(_S.id.desc()).limit(1), row=Suppression)
LIST_SUPPRESSIONS = Listing(
    sa.select(SUPPRESSIONS), _S.id, descending=True, row=Suppression, filters=_FILTERS
)
# Of a customer's addresses, of which there are at most a hundred for each name.
LIST_SUPPRESSIONS_OF = Listing(
    sa.select(SUPPRESSIONS).where(among(_S.address_hash, "hashes")),
    _S.id,
    descending=True,
    row=Suppression,
    filters=_FILTERS,
    walks=True,
)
