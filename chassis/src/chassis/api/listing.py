"""A List method as one declaration: a SELECT, its order, and what its filter may use.

    LIST_CASES = Listing(
        select(CASES), CASES.c.open_time, CASES.c.id, descending=True, row=Case,
        filters={"state": filters.enum(CASES.c.state, case_pb2.Case.State.DESCRIPTOR)},
    )
    cases, next_page_token = await LIST_CASES.page(self.db, request)

Statements are compiled once for each shape of filter, not for each call.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.api.filters import Field, Filter, parse
from chassis.api.pages import KeyType, Page
from chassis.db.statement import Executor, Statement

R = TypeVar("R")
SHAPES_MAX = 256
_KEY_TYPES: tuple[KeyType, ...] = (datetime, UUID, int, str)


class Listing(Generic[R]):
    """A list in pages.

    Args:
        select: what to list, without order and limit; its bind parameters become keyword arguments of `page`.
        sort: columns that order the list: selected, never null, the last of them unique. An index on them,
            after the columns that `select` compares, makes a page one index range.
        descending: the largest first.
        row: a dataclass or Struct as for `Statement`.
        filters: the fields that the request's `filter` may use; leave out for a request without one.

    """

    def __init__(
        self,
        select: sa.Select[Any],
        *sort: sa.ColumnElement[Any],
        row: Callable[..., R],
        descending: bool = False,
        filters: Mapping[str, Field] | None = None,
    ) -> None:
        self._select = select
        self._sort = sort
        self._names = [_name(column) for column in sort]
        self._key = tuple(_key_type(column) for column in sort)
        self._row = row
        self._descending = descending
        self._filters = filters
        self._statements: dict[tuple[str, bool], Statement[R]] = {}

    async def page(self, on: Executor, request: Message, **params: Any) -> tuple[list[R], str]:
        """The rows of the page that `request` asks for, and the token of the next page, empty on the last.

        Reads page_size, page_token and filter.
        InvalidArgument INVALID_PAGE_SIZE, INVALID_PAGE_TOKEN or INVALID_FILTER.
        """
        page = Page(request, *self._key)
        chosen = Filter() if self._filters is None else parse(request.filter, self._filters)  # type: ignore[attr-defined]
        after = dict(zip(map("after_{}".format, self._names), page.after or (), strict=False))
        statement = self._statement(chosen, bool(after))
        rows = await statement.all(on, limit=page.size + 1, **after, **chosen.params, **params)
        if len(rows) <= page.size:
            return rows, ""
        rows.pop()
        return rows, page.next_token(tuple(getattr(rows[-1], name) for name in self._names))

    def _statement(self, chosen: Filter, continued: bool) -> Statement[R]:
        """The statement of this shape, built when first asked for; beyond the limit the oldest goes."""
        key = (chosen.shape, continued)
        if key not in self._statements:
            if len(self._statements) == SHAPES_MAX:
                del self._statements[next(iter(self._statements))]
            self._statements[key] = self._build(chosen, continued)
        return self._statements[key]

    def _build(self, chosen: Filter, continued: bool) -> Statement[R]:
        select = self._select.where(chosen.clause) if chosen.shape else self._select
        if continued:
            position = sa.tuple_(
                *(
                    sa.bindparam(f"after_{name}", type_=c.type)
                    for name, c in zip(self._names, self._sort, strict=True)
                )
            )
            key = sa.tuple_(*self._sort)
            select = select.where(key < position if self._descending else key > position)
        order = [column.desc() if self._descending else column.asc() for column in self._sort]
        return Statement(select.order_by(*order).limit(sa.bindparam("limit", type_=sa.Integer)), self._row)


def _name(column: sa.ColumnElement[Any]) -> str:
    name: str = column.name
    return name


def _key_type(column: sa.ColumnElement[Any]) -> KeyType:
    """The Python type of a sort column."""
    for kind in _KEY_TYPES:
        if issubclass(column.type.python_type, kind):
            return kind
    raise TypeError(f"{column} is no time, UUID, number or text: a list cannot be sorted by it")
