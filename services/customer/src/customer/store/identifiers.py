"""Statements on identifiers."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Bulk, Statement
from customer.domain.identifiers import Identifier
from customer.store.tables import IDENTIFIERS

_T = IDENTIFIERS.c
_keys = (
    sa.func.unnest(
        sa.bindparam("types", type_=sa.ARRAY(sa.Text)), sa.bindparam("values", type_=sa.ARRAY(sa.Text))
    )
    .table_valued(sa.column("type", sa.Text), sa.column("value", sa.Text), name="keys")
    .render_derived()
)

IDENTIFIER = Statement(sa.select(IDENTIFIERS).where(_T.id == sa.bindparam("id")), row=Identifier)
IDENTIFIERS_OF = Statement(
    sa.select(IDENTIFIERS)
    .where(_T.customer_id == sa.func.any(sa.bindparam("customer_ids", type_=sa.ARRAY(sa.Uuid))))
    .order_by(_T.create_time, _T.id),
    row=Identifier,
)

# As the partial indexes say it, in the literals by which the planner recognises them.
_OWNED = "{0}normalized_value <> '' AND {0}type NOT IN ('PHONE', 'FAX')"
_SHARED = "{0}normalized_value <> '' AND {0}type IN ('PHONE', 'FAX')"


def _having(predicate: str) -> sa.Select[Any]:
    """Who has the handles, through the partial index of that predicate."""
    indexed: sa.ColumnElement[bool] = sa.literal_column(f"({predicate.format('identifiers.')})")
    matches = sa.and_(_T.type == _keys.c.type, _T.normalized_value == _keys.c.value, indexed)
    return sa.select(_T.type, _T.normalized_value, _T.customer_id).join_from(_keys, IDENTIFIERS, matches)


# The customers that have handles, by key. `types` and `values` are parallel. Several may have a number.
OWNERS = Statement[Any](sa.union_all(_having(_OWNED), _having(_SHARED)))
# Until the end of the transaction, nobody else makes a customer for these numbers.
LOCK_NUMBERS = Statement[Any](
    sa.select(
        sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.column("number"), sa.literal_column("0")))
    ).select_from(sa.func.unnest(sa.bindparam("numbers", type_=sa.ARRAY(sa.Text))).alias("number"))
)

# Returns the ids that went in: a handle that is taken, by whoever commits first, is left out.
CLAIM_IDENTIFIERS = Bulk[Any](
    IDENTIFIERS,
    lambda insert: insert.on_conflict_do_nothing(
        index_elements=["type", "normalized_value"],
        index_where=sa.text(_OWNED.format("")),
    ).returning(_T.id),
)
DELETE_IDENTIFIER = Statement[Any](sa.delete(IDENTIFIERS).where(_T.id == sa.bindparam("id")))
DELETE_IDENTIFIERS_OF = Statement[Any](
    sa.delete(IDENTIFIERS).where(
        _T.customer_id == sa.func.any(sa.bindparam("customer_ids", type_=sa.ARRAY(sa.Uuid)))
    )
)
