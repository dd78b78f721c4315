"""Whether what the code says of its tables is what the migrations make, and whether lists have indexes."""

import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import operators, visitors

from chassis.api.listing import Listing

_DIALECT: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
# Partitions are made as time goes by, and are what their parent is.
_COLUMNS = """
    SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
           NOT a.attnotnull AS nullable, coalesce(a.attnum = ANY (k.conkey), false) AS in_key
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
_INDEXES = """
    SELECT c.relname AS table, i.indexrelid::regclass::text AS name,
           array_agg(pg_get_indexdef(i.indexrelid, k, true) ORDER BY k) AS columns,
           coalesce(pg_get_expr(i.indpred, i.indrelid, true), '') AS only, i.indisunique AS unique
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid, generate_series(1, i.indnkeyatts) k
    WHERE c.relnamespace = 'public'::regnamespace GROUP BY 1, 2, i.indpred, i.indrelid, i.indisunique
"""


async def drift(connection: asyncpg.Connection, *described: sa.MetaData) -> list[str]:
    """Every difference between tables as described and as they are: columns, types, nullability, keys."""
    made: dict[str, dict[str, str]] = {}
    for row in await connection.fetch(_COLUMNS):
        said = _said(row["type"], row["nullable"], row["in_key"])
        made.setdefault(row["table"], {})[row["column"]] = said
    tables = {name: table for metadata in described for name, table in metadata.tables.items()}
    found = [f"{name} is described and not made" for name in tables.keys() - made.keys()]
    found += [
        f"{name} is made and not described" for name in made.keys() - tables.keys() - {"alembic_version"}
    ]
    for name in tables.keys() & made.keys():
        wanted = {
            column.name: _said(_type(column), bool(column.nullable), column.primary_key)
            for column in tables[name].columns
        }
        found += [
            f"{name}.{column} is described as {wanted.get(column)} and made as {made[name].get(column)}"
            for column in wanted.keys() | made[name].keys()
            if wanted.get(column) != made[name].get(column)
        ]
    return sorted(found)


async def without_index(connection: asyncpg.Connection, listing: Listing[Any]) -> list[str]:
    """Every filter of a list, and the list itself, that no index leads through in the list's order.

    A list of the latest versions of something is of a few things that people make, and needs none.
    """
    if not isinstance(listing.sort[0].table, sa.Table):
        return []
    indexes: dict[str, list[list[str]]] = {}
    unique: dict[str, list[set[str]]] = {}  # what finds one row at most is in order
    where = _plain(str(listing.select.whereclause))
    for row in await connection.fetch(_INDEXES):
        columns = [_plain(re.sub(r" (DESC|ASC|NULLS).*", "", column)) for column in row["columns"]]
        only = _plain(row["only"])
        if only not in where and only != f"{columns[0]} IS NOT NULL":  # as what is compared never is
            continue
        indexes.setdefault(row["table"], []).append(columns)
        if row["unique"]:
            unique.setdefault(row["table"], []).append(set(columns))
    sort = [column.name for column in listing.sort]
    table = str(listing.sort[0].table.name)
    of_one = () if listing.of_one is None else (listing.of_one[0].name,)
    fixed = sorted({*_compared(listing.select), *of_one})
    filters = {
        name: field
        for name, field in listing.filters.items()
        if field.column.name not in sort and not (listing.walks and fixed)
    }
    ways = {"the list": []} | {name: [_plain(field.column.name)] for name, field in filters.items()}
    # Of what holds several values no index is in order.
    found = {
        name for name, field in filters.items() if field.is_list and ways[name] in indexes.get(table, [])
    }
    return [
        f"{table}: {way} needs an index on ({', '.join([*fixed, *first, *sort])})"
        for way, first in ways.items()
        if way not in found
        and not any(columns <= {*fixed, *first} for columns in unique.get(table, []))
        and not any(
            sorted(columns[: len(fixed)]) == fixed
            and columns[len(fixed) : len(fixed) + len(first) + len(sort)] == [*first, *sort]
            for columns in indexes.get(table, [])
        )
    ]


def _plain(condition: str) -> str:
    """A condition as both SQLAlchemy and the server write it: without tables, casts, brackets and quotes."""
    return re.sub(r"\b\w+\.|::\w+|[()\"]", "", condition)


def _compared(select: sa.Select[Any]) -> Iterator[str]:
    """The columns that a statement compares with a parameter."""
    for clause in visitors.iterate(select.whereclause) if select.whereclause is not None else ():
        if (
            isinstance(clause, sa.BinaryExpression)
            and clause.operator is operators.eq
            and isinstance(clause.right, sa.BindParameter)
        ):
            yield clause.left.name


def _said(type: str, nullable: bool, in_key: bool) -> str:
    return f"{type}{'' if nullable else ' NOT NULL'}{' KEY' if in_key else ''}"


def _type(column: sa.Column[Any]) -> str:
    return column.type.compile(dialect=_DIALECT).lower().replace(", ", ",")
