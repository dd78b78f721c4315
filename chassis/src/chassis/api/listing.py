"""A List method as one declaration: a SELECT, its order, and what its filter may use.

    LIST_CASES = Listing(
        select(CASES), CASES.c.open_time, CASES.c.id, descending=True, row=Case,
        filters={"state": filters.enum(CASES.c.state, states_pb2.CaseState.DESCRIPTOR)},
    )
    cases, next_page_token = await LIST_CASES.page(self.db, request, case_message)

A page ends where the request says or at 3 MB, whichever comes first: every page can be received. Rows are
read a hundred at a time, so that neither a process nor its database holds more than it sends.

Statements are compiled once for each shape of filter, not for each call.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.api.filters import Field, Filter, parse
from chassis.api.pages import DEFAULT_SIZE, FRAME_BYTES, PAGE_MAX_BYTES, READ_AT_ONCE, SIZE_MAX, KeyType, Page
from chassis.db.aliases import is_of, names_of
from chassis.db.statement import Executor, Purposeful, Statement
from chassis.errors import invalid

R = TypeVar("R")
M = TypeVar("M", bound=Message)
SHAPES_MAX = 256
_KEY_TYPES: tuple[KeyType, ...] = (datetime, UUID, int, str)


class Listing(Purposeful, Generic[R]):
    """A list in pages.

    Args:
        select: what to list, without order and limit; its bind parameters become keyword arguments of `page`.
        sort: columns that order the list: selected, never null, the last of them unique. An index on them,
            after the columns that `select` compares, makes a page one index range.
        descending: the largest first, unless the request's `order_by` says otherwise.
        order_by: what a request calls the order, when it may turn it round; leave out for one that may not.
        row: a dataclass or Struct as for `Statement`.
        filters: the fields that the request's `filter` may use; leave out for a request without one. Each
            needs an index of its own: on its column, then those of `sort`.
        walks: filters have no indexes but are checked along the list, which is of one parent: where a table
            is written too often for an index of each.
        of_customer: the column of the customer whose list it is, by the parameter `customer_id`: whichever of
            their names that is, all that is of any of them is listed. A filter by `filters.customer` does the
            same.
        of_one: the same for what else has several ids: the column, and a row for each of them, as
            `filters.one_of` has them, by a parameter of `page`.
        default_size, size_max: of a page, as for `Page`.
    """

    def __init__(
        self,
        select: sa.Select[Any],
        *sort: sa.ColumnElement[Any],
        row: Callable[..., R],
        descending: bool = False,
        order_by: str = "",
        filters: Mapping[str, Field] | None = None,
        walks: bool = False,
        of_customer: sa.ColumnElement[Any] | None = None,
        of_one: tuple[sa.ColumnElement[Any], Any] | None = None,
        default_size: int = DEFAULT_SIZE,
        size_max: int = SIZE_MAX,
    ) -> None:
        self.select = select
        self.sort = sort
        self._names: list[str] = [column.name for column in sort]
        self._key = tuple(_key_type(column) for column in sort)
        self._row = row
        self._descending = descending
        self._order_by = order_by
        self.filters = filters or {}
        self.walks = walks
        if of_customer is not None:
            of_one = of_customer, names_of(sa.bindparam("customer_id", type_=sa.Uuid))
        self.of_one = of_one
        self._has_filter = filters is not None
        self._sizes = {"default_size": default_size, "size_max": size_max}
        self._statements: dict[tuple[str, bool, bool], Statement[R]] = {}

    def check(self, request: Message) -> Page:
        """What page a request asks for: INVALID_PAGE_SIZE, INVALID_PAGE_TOKEN.

        For who has to look for something else first: what is no page is refused whatever there is.
        """
        return Page(request, *self._key, **self._sizes)

    async def page(
        self, on: Executor, request: Message, show: Callable[[R], M], **params: Any
    ) -> tuple[list[M], str]:
        """What the page that `request` asks for shows, and the token of the next, empty on the last.

        Reads page_size, page_token, filter and order_by.
        InvalidArgument INVALID_PAGE_SIZE, INVALID_PAGE_TOKEN, INVALID_FILTER or INVALID_CODE.
        """

        async def each(rows: Sequence[R]) -> list[M]:
            return [show(row) for row in rows]

        return await self.page_together(on, request, each, **params)

    async def page_together(
        self,
        on: Executor,
        request: Message,
        show: Callable[[Sequence[R]], Awaitable[Sequence[M]]],
        **params: Any,
    ) -> tuple[list[M], str]:
        """As `page`, where showing a row needs more than the row: `show` gets up to a hundred at once."""
        page = self.check(request)
        chosen = parse(request.filter, self.filters) if self._has_filter else Filter()  # type: ignore[attr-defined]
        descending = self._is_descending(request)
        shown: list[M] = []
        after, room = page.after, PAGE_MAX_BYTES
        while True:
            wanted = min(page.size - len(shown), READ_AT_ONCE)
            position = dict(zip(map("after_{}".format, self._names), after or (), strict=False))
            statement = self._statement(chosen, descending, bool(position))
            rows = await statement.all(on, limit=wanted + 1, **position, **chosen.params, **params)
            is_last = len(rows) <= wanted
            for row, message in zip(rows[:wanted], await show(rows[:wanted]), strict=True):
                room -= message.ByteSize() + FRAME_BYTES
                if room < 0 and shown:
                    return shown, page.next_token(after or ())
                shown.append(message)
                after = tuple(getattr(row, name) for name in self._names)
            if is_last:
                return shown, ""
            if len(shown) == page.size:
                return shown, page.next_token(after or ())

    def _is_descending(self, request: Message) -> bool:
        asked: str = request.order_by if self._order_by else ""  # type: ignore[attr-defined]
        if asked not in ("", self._order_by, f"{self._order_by} desc"):
            allowed = f"must be empty, `{self._order_by}` or `{self._order_by} desc`"
            raise invalid("order_by", "INVALID_CODE", allowed)
        return asked.endswith(" desc") if asked else self._descending

    def _statement(self, chosen: Filter, descending: bool, continued: bool) -> Statement[R]:
        """The statement of this shape, built when first asked for; beyond the limit the oldest goes."""
        key = (chosen.shape, descending, continued)
        if key not in self._statements:
            if len(self._statements) == SHAPES_MAX:
                del self._statements[next(iter(self._statements))]
            self._statements[key] = self._build(chosen, descending, continued)
        return self._statements[key]

    def _build(self, chosen: Filter, descending: bool, continued: bool) -> Statement[R]:
        select = self.select.where(chosen.clause) if chosen.shape else self.select
        if continued:
            named = zip(self._names, self.sort, strict=True)
            position = sa.tuple_(*(sa.bindparam(f"after_{name}", type_=c.type) for name, c in named))
            key = sa.tuple_(*self.sort)
            select = select.where(key < position if descending else key > position)
        select = self._ordered(select, self.sort, descending)
        if of_one := self.of_one or chosen.of_one:
            select = self._ordered(*self._of_each_name(select, *of_one), descending)
        made = Statement(select, self._row)
        made.purpose = self.purpose
        return made

    def _of_each_name(
        self, select: sa.Select[Any], column: sa.ColumnElement[Any], names: Any
    ) -> tuple[sa.Select[Any], list[sa.ColumnElement[Any]]]:
        """As many rows of each of several ids: a range of an index for each, however long."""
        each = select.where(is_of(column, *names.c)).lateral("each")
        return sa.select(*each.c).select_from(names.join(each, sa.true())), [each.c[n] for n in self._names]

    def _ordered(
        self, select: sa.Select[Any], sort: Sequence[sa.ColumnElement[Any]], descending: bool
    ) -> sa.Select[Any]:
        order = [column.desc() if descending else column.asc() for column in sort]
        return select.order_by(*order).limit(sa.bindparam("limit", type_=sa.Integer))


def _key_type(column: sa.ColumnElement[Any]) -> KeyType:
    for kind in _KEY_TYPES:
        if issubclass(column.type.python_type, kind):
            return kind
    raise TypeError(f"{column} is no time, UUID, number or text: a list cannot be sorted by it")
