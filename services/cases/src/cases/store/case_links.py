"""Statements on what cases are to each other."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases.domain.case import Case
from cases.domain.case_link import CaseLink, LinkKind
from cases.store.tables import CASES, METADATA
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.aliases import survivor_of
from chassis.db.statement import Statement, locking, of_entity
from chassis.db.tables import among, table
from rapport.cases.v1 import case_link_pb2

CASE_LINKS = table(METADATA, "case_links", CaseLink)
_L = CASE_LINKS.c
_IS_MERGE = _L.kind == LinkKind.MERGED_INTO.value

CASE_LINK, LOCK_CASE_LINK, _ = of_entity(CASE_LINKS, CaseLink)
# Nothing comes back when they are linked so.
INSERT_CASE_LINK = Statement[Any](insert(CASE_LINKS).on_conflict_do_nothing().returning(_L.id))
DELETE_CASE_LINK = Statement[Any](sa.delete(CASE_LINKS).where(_L.id == sa.bindparam("id")))

# Two ranges of two indexes, merged in their order: however many there are, a page reads itself.
_either = sa.union_all(
    sa.select(CASE_LINKS, _L.case_id.label("whose")), sa.select(CASE_LINKS, _L.linked_case_id.label("whose"))
).subquery("either")
LIST_CASE_LINKS = Listing(
    sa.select(*(column for column in _either.c if column.name != "whose")).where(
        _either.c.whose == sa.bindparam("case_id")
    ),
    _either.c.id,  # UUIDv7: in the order of linking
    row=CaseLink,
    walks=True,
    filters={"kind": filters.enum(_either.c.kind, case_link_pb2.CaseLink.Kind.DESCRIPTOR)},
)

_root = sa.func.coalesce(CASES.c.survivor_id, CASES.c.id)
_roots = sa.select(_root).where(among(CASES.c.id, "ids")).cte("roots")
# The ids of cases, and of all that are read and settled with them.
GROUPED_WITH = Statement[Any](
    sa.union(
        sa.select(CASES.c.id).where(CASES.c.id.in_(sa.select(_roots))),
        sa.select(CASES.c.id).where(CASES.c.survivor_id.in_(sa.select(_roots))),
    )
)
# Always in this order, so that two who merge crosswise do not each wait for the other.
LOCK_CASES = locking(CASES, Case, among(CASES.c.id, "ids"))
MERGES_AMONG = Statement(sa.select(CASE_LINKS).where(among(_L.case_id, "ids"), _IS_MERGE), row=CaseLink)

_other = CASES.alias("other")
# Cases of customers that were merged into one of somebody else, as it turned out.
MERGED_ACROSS = Statement[Any](
    sa.select(CASES.c.id)
    .join_from(CASES, CASE_LINKS, sa.and_(_L.case_id == CASES.c.id, _IS_MERGE))
    .join(_other, _other.c.id == _L.linked_case_id)
    .where(
        among(CASES.c.customer_id, "customer_ids"),
        CASES.c.survivor_id.is_not(None),
        survivor_of(CASES.c.customer_id) != survivor_of(_other.c.customer_id),
    )
    .order_by(CASES.c.id)
)
