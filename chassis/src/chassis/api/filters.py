"""The filter of a List request: the subset of AIP-160 that our lists document.

    customer = customers/0198c2... AND state = OPEN OR state = AT_RISK AND -topic = "late-delivery"

`OR` binds tighter than `AND`. Comparisons are `=` `!=` `<` `<=` `>` `>=` and `:`, which is `=`, or with `*`
asks whether the field is set. `NOT` or `-` negates a term, parentheses group. Values are bare or quoted,
times and days are RFC 3339. A field that is not set equals nothing, differs from every value, and is neither
before nor after.

Bounds: 1,000 characters, 20 comparisons, 10 nested parentheses. Whatever is wrong is InvalidArgument
INVALID_FILTER, and the message says where and what is allowed.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NoReturn

import sqlalchemy as sa
from google.protobuf.descriptor import EnumDescriptor

from chassis.api.messages import enum_name
from chassis.api.text import NOT_TEXT
from chassis.api.wellknown import EARLIEST, LATEST
from chassis.db.aliases import is_of, names_of
from chassis.errors import invalid
from chassis.names import Pattern

LENGTH_MAX = 1000
TERMS_MAX = 20
DEPTH_MAX = 10

Clause = sa.ColumnElement[bool]
_EQUAL: dict[str, Callable[[Any, Any], Clause]] = {
    "=": operator.eq,
    ":": operator.eq,
    "!=": lambda column, value: column.is_distinct_from(value),
}
_ORDER: dict[str, Callable[[Any, Any], Clause]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a filter may use."""

    column: sa.ColumnElement[Any]  # what it compares
    # Makes of a value what the column holds; ValueError or KeyError for what is not allowed.
    read: Callable[[str], Any]
    allowed: str  # which values are allowed, in words
    ordered: bool = False  # whether it can be before and after, or only equal
    # SQL: a row for each id of what it names, as of a customer, each of which finds what is of all.
    names: Callable[[Any], Any] | None = None
    is_list: bool = False  # whether it holds several values (JSON), one of which is what it is compared with


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as SQL: a clause with named parameters, their values, and a shape that equal clauses share."""

    clause: Clause = field(default_factory=sa.true)
    params: dict[str, Any] = field(default_factory=dict)
    shape: str = ""
    # The column that must be one of several ids, and the rows of these: beside what the clause says.
    of_one: tuple[sa.ColumnElement[Any], Any] | None = None


def text(column: sa.ColumnElement[Any]) -> Field:
    """A field of text: codes, or resource names stored as such."""

    def read(value: str) -> str:
        if NOT_TEXT.search(value):
            raise ValueError
        return value

    return Field(column, read, "text without control characters")


def each(column: sa.ColumnElement[Any], key: str) -> Field:
    """A field of text in the items of a list (JSONB): one of them is what it is compared with."""
    of_text = text(column)
    return replace(of_text, read=lambda value: [{key: of_text.read(value)}], is_list=True)


def name(column: sa.ColumnElement[Any], pattern: Pattern) -> Field:
    """A field that holds a resource name, stored as its last id."""
    return Field(column, lambda value: pattern.ids(value)[-1], f"a name like {pattern}")


def customer(column: sa.ColumnElement[Any], pattern: Pattern) -> Field:
    """A field that holds a customer's id, or name."""
    return one_of(column, pattern, names_of)


def one_of(column: sa.ColumnElement[Any], pattern: Pattern, names: Callable[[Any], Any]) -> Field:
    """A field that holds one of several ids of one thing, which `names` has as rows of one column."""
    return replace(name(column, pattern), names=names)


def enum(column: sa.ColumnElement[Any], enum: EnumDescriptor) -> Field:
    """An enum, stored as the value's name without prefix; filters may write it with or without."""
    values = {value.name: enum_name(enum, value.number) for value in enum.values if value.number}
    values |= {short: short for short in values.values()}
    return Field(column, values.__getitem__, "one of " + ", ".join(dict.fromkeys(values.values())))


def boolean(column: sa.ColumnElement[Any]) -> Field:
    """Yes or no."""
    return Field(column, {"true": True, "false": False}.__getitem__, "true or false")


def moment(column: sa.ColumnElement[Any]) -> Field:
    return Field(column, _moment, 'an RFC 3339 time like "2026-03-01T09:00:00Z"', ordered=True)


def day(column: sa.ColumnElement[Any]) -> Field:
    return Field(column, _day, 'a day like "2026-03-01"', ordered=True)


def day_of_year(column: sa.ColumnElement[Any]) -> Field:
    """A day of any year, as text."""
    return Field(column, _day_of_year, 'a day of the year like "02-29"')


def number(column: sa.ColumnElement[Any], most: int = 2**63 - 1) -> Field:
    """A whole number, up to `most` either side of zero: pass the column's own bound."""

    def read(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,19}", value, re.ASCII) or abs(int(value)) > most:
            raise ValueError
        return int(value)

    return Field(column, read, f"a whole number from -{most} to {most}", ordered=True)


def parse(text: str, fields: Mapping[str, Field], argument: str = "filter") -> Filter:
    """Read a filter over `fields`. An empty one lets everything pass. `argument` names it in errors."""
    if not text.strip():
        return Filter()
    if len(text) > LENGTH_MAX:
        raise invalid(argument, "INVALID_FILTER", f"must be at most {LENGTH_MAX} characters")
    return _Parser(text, fields, argument).parse()


class _Parser:
    """Recursive descent over the grammar of AIP-160.

    `_token` is where the token looked at last begins, `_position` where the next one does.
    """

    def __init__(self, text: str, fields: Mapping[str, Field], argument: str) -> None:
        self._text = text
        self._fields = fields
        self._argument = argument
        self._position = 0
        self._token = 0
        self._params: dict[str, Any] = {}
        self._terms = 0
        # By the identity of its clause: the column that is compared with one of several, and these.
        self._of_one: dict[int, tuple[sa.ColumnElement[Any], Any]] = {}

    def parse(self) -> Filter:
        factors = self._parts("AND", lambda: self._factor(0))
        if self._position < len(self._text):
            self._refuse("AND, OR or the end of the filter must follow")
        of_one = next((clause for _, clause in factors if id(clause) in self._of_one), None)
        rest = sa.and_(sa.true(), *(clause for _, clause in factors if clause is not of_one))
        shape = " AND ".join(shape for shape, _ in factors)
        return Filter(rest, self._params, shape, self._of_one.get(id(of_one)))

    def _expression(self, depth: int) -> tuple[str, Clause]:
        """Factors joined by AND."""
        return self._joined("AND", sa.and_, lambda: self._factor(depth))

    def _factor(self, depth: int) -> tuple[str, Clause]:
        """Terms joined by OR."""
        return self._joined("OR", sa.or_, lambda: self._term(depth))

    def _joined(
        self, word: str, join: Callable[..., Clause], part: Callable[[], tuple[str, Clause]]
    ) -> tuple[str, Clause]:
        parts = self._parts(word, part)
        if len(parts) == 1:
            return parts[0]
        return f"({f' {word} '.join(shape for shape, _ in parts)})", join(*(clause for _, clause in parts))

    def _parts(self, word: str, part: Callable[[], tuple[str, Clause]]) -> list[tuple[str, Clause]]:
        parts = [part()]
        while self._take(rf"{word}(?![\w.])"):
            parts.append(part())
        return parts

    def _term(self, depth: int) -> tuple[str, Clause]:
        """A comparison or an expression in parentheses, negated or not."""
        negated = self._take(r"-|NOT(?![\w.])")
        if self._take(r"\("):
            if depth == DEPTH_MAX:
                self._refuse(f"parentheses may be nested {DEPTH_MAX} deep")
            shape, clause = self._expression(depth + 1)
            if not self._take(r"\)"):
                self._refuse("a closing parenthesis must follow")
        else:
            shape, clause = self._comparison()
        return (f"-{shape}", clause.is_not(sa.true())) if negated else (shape, clause)

    def _comparison(self) -> tuple[str, Clause]:
        self._terms += 1
        if self._terms > TERMS_MAX:
            self._refuse(f"at most {TERMS_MAX} comparisons are allowed")
        name = self._take(r"[a-z][a-z0-9_.]*")
        if name not in self._fields:
            self._refuse(f"a field must stand here, one of {', '.join(self._fields)}")
        field = self._fields[name]
        operators = _EQUAL | _ORDER if field.ordered else _EQUAL
        sign = self._take(r"<=|>=|!=|[<>=:]")
        if sign not in operators:
            self._refuse(f"{name} must be compared by one of {' '.join(operators)}")
        if sign == ":" and self._take(r"\*(?=[\s)]|$)"):
            return f"{name}:*", field.column.is_not(None)
        parameter = f"filter_{self._terms}"
        self._params[parameter] = self._value(name, field)
        shape = f"{name}{sign}${self._terms}"
        if field.names is None:
            value = sa.bindparam(parameter, type_=field.column.type)
            if field.is_list:
                has = field.column.op("@>", is_comparison=True)(value)
                return shape, ~has if sign == "!=" else has
            return shape, operators[sign](field.column, value)
        names = field.names(sa.bindparam(parameter, type_=sa.Uuid))
        is_one = sa.exists().select_from(names).where(is_of(field.column, *names.c))
        self._of_one[id(is_one)] = field.column, names
        return shape, ~is_one if sign == "!=" else is_one

    def _value(self, name: str, field: Field) -> Any:
        quoted = self._take(r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^'\\]|\\.)*'")
        value = re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)
        if not quoted:
            value = self._take(r"""[^\s()"']+""")
        try:
            return field.read(value)
        except (ValueError, KeyError):
            self._refuse(f"{name} must be compared with {field.allowed}")

    def _take(self, pattern: str) -> str:
        """The next token if it looks like `pattern`, else the empty string; blanks after it are skipped."""
        found = re.compile(rf"\s*({pattern})\s*", re.DOTALL).match(self._text, self._position)
        self._token = found.start(1) if found else self._position
        if found is None:
            return ""
        self._position = found.end()
        return found[1]

    def _refuse(self, allowed: str) -> NoReturn:
        raise invalid(self._argument, "INVALID_FILTER", f"at character {self._token + 1}: {allowed}")


_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _moment(value: str) -> datetime:
    if not _RFC3339.fullmatch(value):
        raise ValueError
    at = datetime.fromisoformat(value)
    if not EARLIEST <= at <= LATEST:
        raise ValueError
    return at


def _day(value: str) -> date:
    if not _DAY.fullmatch(value):
        raise ValueError
    return date.fromisoformat(value)


def _day_of_year(value: str) -> str:
    _day(f"2000-{value}")  # which has every day
    return value
