"""What the columns of a file hold, whatever they are called."""

from collections import Counter
from collections.abc import Callable, Iterable

from chassis.api.handles import judge
from chassis.money import Currency
from rapport_imports import heading
from rapport_imports.nothing import is_nothing
from rapport_imports.tabular import Row

_AT_LEAST = 3  # cells of a column, or all, that tell what it holds
_LOOKED_AT = 1000  # that tell whether addresses are of as many people, and numbers are some
_DISTINCT = 0.9
_KINDS: dict[str, Callable[[str], bool]] = {
    "email": heading.is_email,
    "phone": heading.is_phone,
    "date": heading.is_date,
}


class Contents:
    """How many values each column has, and which hold nothing but currencies, addresses, numbers or dates.

    `longer` is the first line with more cells than the header has names, 0 for none: where most rows are
    so (`mostly_longer`), what was taken for the header is a title. Rows that are none are not looked at.
    """

    def __init__(self, rows: Iterable[Row], country: str = "") -> None:
        self.filled: Counter[str] = Counter()
        self.longer = 0
        self._country = country
        self._rows = 0
        self._first: dict[str, list[str]] = {}
        kinds = {"currency": _is_currency, **_KINDS}
        self._other: dict[str, set[str]] = {kind: set() for kind in kinds}
        excess = 0
        for row in rows:
            if row.aside:
                continue
            self._rows += 1
            if any(cell.strip() for cell in row.extra):
                self.longer = self.longer or row.line
                excess += 1
            else:
                excess -= 1
            for column, cell in row.cells.items():
                if is_nothing(cell):
                    continue
                self.filled[column] += 1
                for kind, is_one in kinds.items():
                    if column not in self._other[kind] and not is_one(cell.strip()):
                        self._other[kind].add(column)
                if column not in self._other["email"] or column not in self._other["phone"]:
                    first = self._first.setdefault(column, [])
                    first += [cell.strip()] if len(first) < _LOOKED_AT else []
        self.currencies = self._all("currency")
        self.mostly_longer = excess > 0

    def emails(self, *, distinct: bool) -> set[str]:
        """Columns of e-mail addresses; `distinct` where nearly each cell says another."""
        return {
            column
            for column in self._telling("email")
            if not distinct or len(set(self._first[column])) >= _DISTINCT * len(self._first[column])
        }

    def phones(self) -> set[str]:
        """Columns of phone numbers that there can be."""
        return {
            column
            for column in self._telling("phone")
            if all(judge("PHONE", cell, self._country).quality == "VALID" for cell in self._first[column])
        }

    def dates(self) -> set[str]:
        """Columns of dates, whichever way they are written."""
        return self._telling("date")

    def _all(self, kind: str) -> set[str]:
        return self.filled.keys() - self._other[kind]

    def _telling(self, kind: str) -> set[str]:
        return {column for column in self._all(kind) if self.filled[column] >= min(_AT_LEAST, self._rows)}


def _is_currency(text: str) -> bool:
    """Whether it is a code of ISO 4217, in one case: Bob is nobody's money."""
    if len(text) != 3 or not (text.isupper() or text.islower()):
        return False
    try:
        Currency.of(text.upper())
    except ValueError:
        return False
    return True
