"""Statements on identifiers."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Executor, Statement
from chassis.db.tables import among, rows_of
from customer.domain.identifiers import Identifier, IdentifierType, Key
from customer.store.tables import IDENTIFIERS

_T = IDENTIFIERS.c
_KEY = ("type", "system", "normalized_value")
_keys = rows_of("keys", **dict.fromkeys(_KEY, sa.Text()))

IDENTIFIER = Statement(
    sa.select(IDENTIFIERS).where(_T.id == sa.bindparam("id"), _T.customer_id == sa.bindparam("customer_id")),
    row=Identifier,
)
LIST_IDENTIFIERS = Listing(
    sa.select(IDENTIFIERS).where(_T.customer_id == sa.bindparam("customer_id")),
    _T.create_time,
    _T.id,
    row=Identifier,
)
IDENTIFIERS_OF = Statement(
    sa.select(IDENTIFIERS).where(among(_T.customer_id, "customer_ids")).order_by(_T.create_time, _T.id),
    row=Identifier,
)

# As the partial indexes say it, in the literals by which the planner recognises them.
_OWNED = "{0}normalized_value <> '' AND {0}type NOT IN ('PHONE', 'FAX')"
_SHARED = "{0}normalized_value <> '' AND {0}type IN ('PHONE', 'FAX')"


def _having(predicate: str) -> sa.Select[Any]:
    """Who has the handles, through the partial index of that predicate."""
    indexed: sa.ColumnElement[bool] = sa.literal_column(f"({predicate.format('identifiers.')})")
    matches = sa.and_(*(_T[name] == _keys.c[name] for name in _KEY), indexed)
    return sa.select(*(_T[name] for name in _KEY), _T.customer_id).join_from(_keys, IDENTIFIERS, matches)


# The customers that have handles, by key: see `owners_of`. Several may have a number.
_OWNERS = Statement[Any](sa.union_all(_having(_OWNED), _having(_SHARED)))


async def owners_of(on: Executor, keys: Iterable[Key]) -> list[tuple[Key, UUID]]:
    """Who has these handles; what is nobody's is left out."""
    columns = dict(zip(_KEY, map(list, zip(*keys, strict=True)), strict=False))
    rows = await _OWNERS.all(on, **columns) if columns else []
    return [
        ((IdentifierType(row["type"]), row["system"], row["normalized_value"]), row["customer_id"])
        for row in rows
    ]


# Returns the ids that went in: a handle that is taken, by whoever commits first, is left out.
CLAIM_IDENTIFIERS = Bulk[Any](
    IDENTIFIERS,
    lambda insert: insert.on_conflict_do_nothing(
        index_elements=_KEY, index_where=sa.text(_OWNED.format(""))
    ).returning(_T.id),
)
DELETE_IDENTIFIER = Statement[Any](sa.delete(IDENTIFIERS).where(_T.id == sa.bindparam("id")))
DELETE_IDENTIFIERS_OF = Statement[Any](sa.delete(IDENTIFIERS).where(among(_T.customer_id, "customer_ids")))
