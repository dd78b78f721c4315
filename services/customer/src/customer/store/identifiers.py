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

# The customers that own handles, by key. `types` and `values` are parallel.
OWNERS = Statement[Any](
    sa.select(_T.type, _T.normalized_value, _T.customer_id).join_from(
        _keys,
        IDENTIFIERS,
        sa.and_(
            _T.type == _keys.c.type,
            _T.normalized_value == _keys.c.value,
            _T.normalized_value != sa.literal_column("''"),
        ),
    )
)

# Returns the ids that went in: a handle that is taken, by whoever commits first, is left out.
CLAIM_IDENTIFIERS = Bulk[Any](
    IDENTIFIERS,
    lambda insert: insert.on_conflict_do_nothing(
        index_elements=["type", "normalized_value"], index_where=sa.text("normalized_value <> ''")
    ).returning(_T.id),
)
DELETE_IDENTIFIER = Statement[Any](sa.delete(IDENTIFIERS).where(_T.id == sa.bindparam("id")))
DELETE_IDENTIFIERS_OF = Statement[Any](
    sa.delete(IDENTIFIERS).where(
        _T.customer_id == sa.func.any(sa.bindparam("customer_ids", type_=sa.ARRAY(sa.Uuid)))
    )
)
