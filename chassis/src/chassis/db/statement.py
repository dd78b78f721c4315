"""SQL written with SQLAlchemy Core, compiled once at import, executed on asyncpg.

Building and executing a statement through SQLAlchemy on every call costs half of a service's throughput
(docs/performance.md), so SQLAlchemy stays the one typed place where tables and statements are written, and
asyncpg the one that runs them.
"""

import dataclasses
import enum
import functools
import re
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, asyncpg
from sqlalchemy.sql import visitors

from chassis.db.tables import rows_of, updated

R = TypeVar("R")
_DIALECT: Any = asyncpg.dialect()  # type: ignore[no-untyped-call]
_REQUIRED = object()


class Executor(Protocol):
    """What statements run on: a `Database` (one statement, own transaction) or a `Transaction`."""

    async def fetch(self, statement: "Statement[Any]", args: Sequence[Any]) -> list[Any]:
        """Run and return every row."""


class Purposeful:
    """What a module holds by a name that says what it is for."""

    purpose = ""  # that name, `LockPromise`, once `tell_purposes` was called


class Statement(Purposeful, Generic[R]):
    """One compiled statement.

    Args:
        clause: the SQLAlchemy Core statement; bind parameters become keyword arguments of the methods below.
        row: a dataclass or msgspec Struct whose fields have the names of the selected columns, in any order;
            text becomes enums where the field says so, and JSON dataclasses and lists of these. Without it,
            rows are asyncpg records.
    """

    def __init__(self, clause: sa.ClauseElement, row: Callable[..., R] | None = None) -> None:
        compiled: Any = clause.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        self.sql = str(compiled)
        constants = {key: value for key, value in compiled.params.items() if value is not None}
        self.binds = [(name, constants.get(name, _REQUIRED)) for name in compiled.positiontup or ()]
        self._make: Callable[[Sequence[Any]], R] | None = None
        if row is not None:
            self._make = _row_maker(row, [column.name for column in compiled.statement._all_selected_columns])
        self.summary = _summary(clause)

    @property
    def name(self) -> str:
        """What it is for and what it does, for traces and errors: `LockPromise: SELECT promises`."""
        return f"{self.purpose}: {self.summary}" if self.purpose else self.summary

    def arguments(self, params: Mapping[str, Any]) -> list[Any]:
        """The positional arguments for `params`; TypeError names what is missing."""
        try:
            return [
                params[name] if default is _REQUIRED or name in params else default
                for name, default in self.binds
            ]
        except KeyError as missing:
            raise TypeError(f"{self.name} needs the parameter {missing}") from None

    async def all(self, on: Executor, **params: Any) -> list[R]:
        return self._rows(await on.fetch(self, self.arguments(params)))

    async def maybe(self, on: Executor, **params: Any) -> R | None:
        """The first row, or None."""
        rows = await self.all(on, **params)
        return rows[0] if rows else None

    async def one(self, on: Executor, **params: Any) -> R:
        """The first row; LookupError when there is none."""
        rows = await self.all(on, **params)
        if not rows:
            raise LookupError(self.name)
        return rows[0]

    async def run(self, on: Executor, **params: Any) -> None:
        await on.fetch(self, self.arguments(params))

    def _rows(self, records: list[Any]) -> list[R]:
        return records if self._make is None else [self._make(record) for record in records]


class Bulk(Statement[R]):
    """An insert of many rows in one statement, by `unnest` of an array for each column; of one row by VALUES.

    Args:
        table: the table, or a subset of its columns by `columns`.
        amend: turns the plain insert into one with ON CONFLICT or RETURNING.
    """

    def __init__(
        self,
        table: sa.Table,
        amend: Callable[[Any], sa.ClauseElement] = lambda insert: insert,
        *,
        columns: Iterable[str] | None = None,
        row: Callable[..., R] | None = None,
    ) -> None:
        from sqlalchemy.dialects.postgresql import insert

        self.columns = list(columns or table.columns.keys())
        chosen = [table.c[name] for name in self.columns]
        self._json = [c.name for c in chosen if isinstance(c.type, JSONB)]
        source = rows_of("rows", **{c.name: c.type for c in chosen})
        rows = sa.select(*[source.c[name] for name in self.columns])
        super().__init__(amend(insert(table).from_select(self.columns, rows)), row)
        scalars = {c.name: sa.bindparam(c.name, type_=c.type) for c in chosen}
        self._single = Statement(amend(insert(table).values(scalars)), row)

    def call(self, rows: Sequence[Any]) -> tuple[Statement[R], list[Any]]:
        """The statement that inserts `rows`, at least one, and its arguments. Scalars beat arrays."""
        held = arrays(self.columns, rows)
        if len(rows) == 1:
            self._single.purpose = self.purpose
            return self._single, self._single.arguments({name: only for name, [only] in held.items()})
        for name in self._json:  # in an array a list would be an array itself
            held[name] = [tuple(each) if isinstance(each, list) else each for each in held[name]]
        return self, self.arguments(held)

    async def rows(self, on: Executor, rows: Sequence[Any]) -> list[R]:
        """Insert `rows`: mappings, or objects with an attribute for each column."""
        if not rows:
            return []
        statement, args = self.call(rows)
        return statement._rows(await on.fetch(statement, args))


def of_entity(table: sa.Table, entity: type[R]) -> tuple[Statement[R], Statement[R], Statement[Any]]:
    """What reads, locks and writes back the row of an entity with an `id`.

    NO KEY UPDATE: rows that refer to it may be inserted meanwhile, it itself stays as it was read.
    """
    found = sa.select(table).where(table.c.id == sa.bindparam("id"))
    locked = found.with_for_update(key_share=True)
    return Statement(found, row=entity), Statement(locked, row=entity), Statement[Any](updated(table))


def locking(
    table: sa.Table, entity: type[R], *where: sa.ColumnElement[bool], limit: Any = None
) -> Statement[R]:
    """What locks rows as `of_entity` locks one, always in the order of their ids."""
    rows = sa.select(table).where(*where).order_by(table.c.id).limit(limit)
    return Statement(rows.with_for_update(key_share=True), row=entity)


def arrays(columns: Iterable[str], rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Rows, mappings or objects and at least one, as an array for each column."""
    get = (lambda row, name: row[name]) if isinstance(rows[0], Mapping) else getattr
    return {name: [get(row, name) for row in rows] for name in columns}


def values(entity: Any) -> dict[str, Any]:
    """The fields of a dataclass or Struct by name, without copying their contents."""
    fields = getattr(entity, "__struct_fields__", None) or entity.__dataclass_fields__
    return {name: getattr(entity, name) for name in fields}


def _row_maker(row: Callable[..., R], columns: list[str]) -> Callable[[Sequence[Any]], R]:
    """Build rows by position, whatever the order of the columns, turning text into enums where declared."""
    cls: Any = row
    is_struct = issubclass(cls, msgspec.Struct)
    names = list(cls.__struct_fields__ if is_struct else (f.name for f in dataclasses.fields(cls)))
    if sorted(names) != sorted(columns):
        raise TypeError(f"{cls.__name__} has {sorted(names)}, the statement selects {sorted(columns)}")
    order = [columns.index(name) for name in names]
    hints = typing.get_type_hints(cls)
    made = [(i, of) for i, name in enumerate(names) if (of := _maker(hints[name]))]
    if order == list(range(len(order))) and not made:
        return lambda record: cast(R, cls(*record))

    def make(record: Sequence[Any]) -> R:
        fields = [record[i] for i in order]
        for i, of in made:
            fields[i] = of(fields[i])
        return cast(R, cls(*fields))

    return make


def _maker(hint: Any) -> Callable[[Any], Any] | None:
    """What makes a field of what its column holds, where that is another type."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint
    if any(map(dataclasses.is_dataclass, (hint, *typing.get_args(hint)))):  # or a list of it, or none
        return lambda held: msgspec.convert(held, hint)
    return None


def tell_purposes() -> None:
    """Have every statement that a module holds say in traces what it is for. Costs some milliseconds."""
    for module in tuple(sys.modules.values()):
        for name, held in tuple(vars(module).items()):
            if issubclass(type(held), Purposeful):  # what is lazy stays so
                held.purpose = "".join(word.capitalize() for word in name.split("_"))


def _summary(clause: Any) -> str:
    """`{operation} {table}`, as the semantic conventions have it; of a call of a function, its name."""
    table = getattr(clause, "table", None)
    parts = () if table is not None else tuple(visitors.iterate(clause))
    for kind in (sa.TableClause, sa.FunctionElement):
        table = table if table is not None else next((part for part in parts if isinstance(part, kind)), None)
    if table is None:
        return _summary_of_text(str(clause))
    return f"{clause.__visit_name__.upper()} {getattr(table, 'name', '')}".strip()


def _summary_of_text(sql: str) -> str:
    """As `_summary`, of what is written as SQL: the first table that it reads, which no `WITH` made."""
    made = set(re.findall(r"(\w+) AS (?:MATERIALIZED )?\(", sql))
    read = (each for each in re.findall(r"\bFROM (\w+)\b(?! ?\()", sql) if each not in made)
    return f"SELECT {next(read, '')}".strip()


class Combined(NamedTuple):
    """The SQL that does it all, named after the first statement."""

    name: str
    summary: str
    sql: str


@functools.cache
def combined(statements: tuple[Statement[Any], ...]) -> Combined:
    """One statement that does what `statements` do, their parameters one after another.

    All but the last become common table expressions. None may read what another writes.
    """
    parts, offset = [], 0
    for statement in statements:
        parts.append(_renumbered(statement.sql, offset))
        offset += len(statement.binds)
    expressions = ", ".join(f"part{i} AS ({part})" for i, part in enumerate(parts[:-1]))
    first = statements[0]
    return Combined(
        first.name, first.summary, f"WITH {expressions} {parts[-1]}" if expressions else parts[-1]
    )


def together(calls: Sequence[tuple[Statement[Any], Sequence[Any]]]) -> tuple[Combined, list[Any]]:
    """The one statement that does what these do, `combined`, and its arguments."""
    return combined(tuple(each for each, _ in calls)), [one for _, arguments in calls for one in arguments]


def _renumbered(sql: str, offset: int) -> str:
    return re.sub(r"\$(\d+)", lambda match: f"${int(match[1]) + offset}", sql)


LOCK_NAME = Statement[None](
    sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("name", type_=sa.Text), 0)))
)

# As several may at once, while nobody has it by LOCK_NAME.
SHARE_NAME = Statement[None](
    sa.select(
        sa.func.pg_advisory_xact_lock_shared(sa.func.hashtextextended(sa.bindparam("name", type_=sa.Text), 0))
    )
)

_NAME = sa.func.unnest(sa.bindparam("names", type_=sa.ARRAY(sa.Text))).column_valued("name")
_LOCKS = sa.select(sa.func.hashtextextended(_NAME, 0).label("lock")).distinct().order_by("lock").subquery()
# Several at once, in one order: two who do so cannot wait for each other.
LOCK_NAMES = Statement[Any](sa.select(sa.func.pg_advisory_xact_lock(_LOCKS.c.lock)))
