"""Statements on who has which handles, and on taking them.

What one customer has alone lies under a unique index, by its `normalized_value`. What is shared and no number
has that in `shared_value`, where the release before neither finds it nor trips over it. Whoever shares a
handle puts it under the unique index first and takes it away from there in the same transaction, so that they
wait for each other who want it alone and who share it; and whoever got it alone looks then who shares it. Of
numbers `shared` is a mark alone.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ARRAY

from chassis.db.aliases import survivor_of
from chassis.db.statement import Bulk, Executor, Statement
from chassis.db.statement import values as values_of
from chassis.db.tables import among, rows_of
from chassis.names import EXPORTED
from customer.domain.identifiers import NUMBERS, Identifier, IdentifierType, Key
from customer.names import CUSTOMER
from customer.store.tables import CUSTOMERS, IDENTIFIERS

_T = IDENTIFIERS.c
_KEY = ("type", "system", "normalized_value")
_keys = rows_of("keys", **dict.fromkeys(_KEY, sa.Text()))

# As the partial indexes say it, in the literals by which the planner recognises them.
_OWNED = "{0}normalized_value <> '' AND {0}type NOT IN ('PHONE', 'FAX')"
_NUMBER = "{0}normalized_value <> '' AND {0}type IN ('PHONE', 'FAX')"
_SHARED = "{0}shared_value <> ''"


def _having(predicate: str, value: sa.Column[Any]) -> sa.Select[Any]:
    """Who has the handles, through the partial index of that predicate."""
    indexed: sa.ColumnElement[bool] = sa.literal_column(f"({predicate.format('identifiers.')})")
    same = (_T.type == _keys.c.type, _T.system == _keys.c.system, value == _keys.c.normalized_value)
    owner = survivor_of(_T.customer_id).label("customer_id")
    return sa.select(*(_keys.c[name] for name in _KEY), owner, _T.customer_id.label("name")).join_from(
        _keys, IDENTIFIERS, sa.and_(*same, indexed)
    )


# The customers that have handles, by key: see `owners_of`. Several may have a number, or what is shared.
_OWNERS = Statement[Any](
    sa.union_all(
        _having(_OWNED, _T.normalized_value),
        _having(_NUMBER, _T.normalized_value),
        _having(_SHARED, _T.shared_value),
    )
)
# The ids that customers have in installations of ours are their names there.
NAMES = (IdentifierType.EXTERNAL_ID, EXPORTED)
_BY_NAME = Statement[Any](
    sa.select(CUSTOMERS.c.id.label("name"), survivor_of(CUSTOMERS.c.id).label("customer_id")).where(
        among(CUSTOMERS.c.id, "ids")
    )
)
# Of handles those that somebody is known to share.
_KNOWN_SHARED = Statement[Any](
    sa.union(
        *(
            sa.select(*(sa.column(name) for name in _KEY)).select_from(having.subquery())
            for having in (
                _having(_NUMBER, _T.normalized_value).where(_T.shared),
                _having(_SHARED, _T.shared_value),
            )
        )
    )
)


# Of handles those that somebody shares, who keeps them so meanwhile; one such is enough.
_sharer = (
    sa.select(_T.id)
    .where(
        _T.type == _keys.c.type,
        _T.system == _keys.c.system,
        _T.shared_value == _keys.c.normalized_value,
        sa.literal_column(_SHARED.format("identifiers.")),
    )
    .limit(sa.literal_column("1"))
    .with_for_update(read=True)
    .lateral("sharer")
)
_HOLD_SHARED = Statement[Any](
    sa.select(*(_keys.c[name] for name in _KEY)).join_from(_keys, _sharer, sa.true())
)
_NAME = sa.func.hashtextextended(
    sa.func.unnest(sa.bindparam("names", type_=ARRAY(sa.Text))).column_valued("name"), 0
)
# Whoever is first has each name alone; who comes meanwhile waits until that one is done, and then has it
# together with all who waited.
LOCK_FIRST = Statement[Any](
    sa.select(
        sa.case(
            (sa.func.pg_try_advisory_xact_lock(_NAME), sa.literal_column("''")),
            else_=sa.cast(sa.func.pg_advisory_xact_lock_shared(_NAME), sa.Text),
        )
    )
)


async def owners_of(on: Executor, keys: Iterable[Key]) -> list[tuple[Key, UUID]]:
    """Who has these handles, or is named by them; what is nobody's is left out."""
    keys = set(keys)
    found = [(_key(row), row["customer_id"]) for row in await _by_key(on, _OWNERS, keys)]
    return found + [(key, row["customer_id"]) for key, row in await _named(on, keys)]


async def names_with(on: Executor, keys: Iterable[Key]) -> list[tuple[Key, UUID]]:
    """The names that have these handles: of a customer who was merged the one that it was given to."""
    keys = set(keys)
    found = [(_key(row), row["name"]) for row in await _by_key(on, _OWNERS, keys)]
    return found + [(key, row["name"]) for key, row in await _named(on, keys)]


async def known_shared(on: Executor, keys: Iterable[Key]) -> set[Key]:
    """Which of these handles are known to be shared."""
    return {_key(row) for row in await _by_key(on, _KNOWN_SHARED, keys)}


async def hold_shared(on: Executor, keys: Iterable[Key]) -> set[Key]:
    """Which of these handles somebody shares: until the transaction ends nobody has them alone."""
    return {_key(row) for row in await _by_key(on, _HOLD_SHARED, keys)}


async def _by_key(on: Executor, statement: Statement[Any], keys: Iterable[Key]) -> list[Any]:
    columns = dict(zip(_KEY, map(list, zip(*keys, strict=True)), strict=False))
    return await statement.all(on, **columns) if columns else []


async def _named(on: Executor, keys: Iterable[Key]) -> list[tuple[Key, Any]]:
    """Who is called here as a handle says that somebody is called in an installation: an export came back."""
    ids = {
        found[0]: key for key in keys if key[:2] == NAMES and (found := CUSTOMER.match(key[2])) is not None
    }
    rows = await _BY_NAME.all(on, ids=list(ids)) if ids else []
    return [(ids[row["name"]], row) for row in rows]


def _key(row: Any) -> Key:
    return IdentifierType(row["type"]), row["system"], row["normalized_value"]


# Returns the ids that went in: a handle that is taken, by whoever commits first, is left out.
_INSERT = Bulk[Any](
    IDENTIFIERS,
    lambda insert: insert.on_conflict_do_nothing(
        index_elements=_KEY, index_where=sa.text(_OWNED.format(""))
    ).returning(_T.id),
)


async def insert_identifiers(on: Executor, identifiers: Iterable[Identifier]) -> set[UUID]:
    """Insert them as handles of their customers alone; returns the ids of those that nobody else has."""
    return {row["id"] for row in await _INSERT.rows(on, [_row(each) for each in identifiers])}


async def insert_shared(on: Executor, identifiers: Iterable[Identifier]) -> None:
    """Insert identifiers that are shared, and no numbers, beside those whose handles they have."""
    rows = [_row(i) | {"normalized_value": "", "shared_value": i.normalized_value} for i in identifiers]
    await _INSERT.rows(on, rows)


def _row(identifier: Identifier) -> dict[str, Any]:
    return values_of(identifier) | {"shared_value": ""}


_is_number = _T.type.in_([sa.literal_column(f"'{kind}'") for kind in sorted(NUMBERS)])
# Takes what was inserted as somebody's alone, or is that, from under the unique index.
SHARE_IDENTIFIERS = Statement[Any](
    sa.update(IDENTIFIERS)
    .where(among(_T.id, "ids"))
    .values(
        shared=sa.true(),
        normalized_value=sa.case((_is_number, _T.normalized_value), else_=sa.literal_column("''")),
        shared_value=sa.case((_is_number, sa.literal_column("''")), else_=_T.normalized_value),
    )
)
NOTED = ("verification_method", "verify_time", "verifier", "unreachable_time", "version")
NOTE_ON_IDENTIFIER = Statement[Any](
    sa.update(IDENTIFIERS)
    .where(_T.id == sa.bindparam("id", type_=sa.Uuid))
    .values({name: sa.bindparam(name, type_=_T[name].type) for name in NOTED})
)
