"""Tables made from the entities that they hold, and the statements that keep entities as they are."""

import typing
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, Insert

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_TYPES: dict[Any, Any] = {
    UUID: sa.Uuid(),
    bool: sa.Boolean(),
    bytes: sa.LargeBinary(),
    date: sa.Date(),
    datetime: sa.DateTime(timezone=True),
    Decimal: sa.Numeric(),
    dict: JSONB(),
    float: sa.Double(),
    int: sa.BigInteger(),
    str: sa.Text(),
    timedelta: sa.Interval(),
}


def table(
    metadata: sa.MetaData,
    name: str,
    entity: "type[DataclassInstance]",
    *extra: sa.Column[Any],
    key: Sequence[str] = ("id",),
) -> sa.Table:
    """The table of a dataclass: a column for each field, of its name, NULL where the field may be None.

    Indexes, checks and references are the migration's. Fields may be of UUID, str, enums of text, int, float,
    bool, bytes, datetime, date, timedelta, Decimal, lists of them, and dicts, dataclasses and lists of these
    (JSONB): TypeError for one that no column can hold. `extra` are columns that the entity does not have, or
    that it has as another type; `key` the fields that make its primary key.
    """
    hints = typing.get_type_hints(entity)
    columns = {
        field.name: _column(field.name, hints[field.name], field.name in key) for field in fields(entity)
    }
    return sa.Table(name, metadata, *(columns | {column.name: column for column in extra}).values())


def updated(table: sa.Table, *columns: str) -> sa.Update:
    """The row of an entity, found by its key, becomes what the entity is now; or only `columns` of it do."""
    found = [column == _bound(column) for column in table.primary_key]
    return (
        sa.update(table).where(*found).values({n: _bound(table.c[n]) for n in columns or _beside_key(table)})
    )


def replaced(insert: Insert, *columns: str, newer: bool = False) -> Insert:
    """An insert that makes the row with its key, if there is one, what is inserted; or `columns` of it.

    `newer`: unless that has this `version`, or a later one: what is told comes in any order.
    """
    names = columns or _beside_key(insert.table)
    return insert.on_conflict_do_update(
        index_elements=list(insert.table.primary_key),
        set_={name: insert.excluded[name] for name in names},
        where=insert.table.c.version < insert.excluded.version if newer else None,
    )


def rows_of(alias: str, /, **columns: Any) -> Any:
    """Parameters as rows: an array for each column, which are called alike and of the type that is given."""
    arrays = [sa.bindparam(name, type_=sa.ARRAY(kind)) for name, kind in columns.items()]
    named = [sa.column(name, kind) for name, kind in columns.items()]
    return sa.func.unnest(*arrays).table_valued(*named, name=alias).render_derived()


def among(column: sa.ColumnElement[Any], parameter: str) -> sa.ColumnElement[bool]:
    """Whether a column has one of the values that the parameter, an array, holds."""
    return column == sa.func.any(sa.bindparam(parameter, type_=sa.ARRAY(column.type)))


def _beside_key(table: Any) -> list[str]:
    return [column.name for column in table.columns if not column.primary_key]


def _bound(column: sa.Column[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(column.name, type_=column.type)


def _column(name: str, hint: Any, in_key: bool) -> sa.Column[Any]:
    options = typing.get_args(hint) if isinstance(hint, UnionType) else (hint,)
    kinds = [option for option in options if option is not NoneType]
    try:
        (kind,) = kinds
        return sa.Column(name, _type(kind), primary_key=in_key, nullable=len(options) > 1)
    except (KeyError, ValueError):
        raise TypeError(f"no column can hold {name}: {hint}") from None


def _type(kind: Any) -> Any:
    item = next(iter(typing.get_args(kind)), kind)
    if is_dataclass(item):
        return JSONB()
    origin = typing.get_origin(kind) or kind
    if origin is list:
        return sa.ARRAY(_type(item))
    return _TYPES[str if issubclass(origin, StrEnum) else origin]
