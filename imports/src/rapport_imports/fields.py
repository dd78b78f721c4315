"""From the cells of a row to typed values."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from google.type.date_pb2 import Date

from chassis.api.formats import FORMATS
from chassis.api.text import TURNS
from chassis.api.wellknown import EARLIEST, LATEST
from chassis.money import Currency
from chassis.visible import shows_something
from rapport.options.v1.options_pb2 import FORMAT_REFERENCE
from rapport_imports import amounts, dates, lists
from rapport_imports.notation import Notation
from rapport_imports.nothing import as_text, is_no_key, is_nothing, is_rounded, whole
from rapport_imports.places import country, language, zone
from rapport_imports.tabular import Problem, Row, check_cell

TEXT_MAX = 2000
EXACT_MAX = 200_000  # of several values that our exports hold in one cell
_IS_NO_CODE = FORMATS[FORMAT_REFERENCE]
# What spreadsheets and shops put an apostrophe before, so that it stays text: '00123, '+4930901820.
_IDS = frozenset(
    {"external_id", "customer", "account_number", "reference", "order_id", "phone", "fax"}
    | {"product", "store"}
)
# Fields that hold the id of something.
_KEYS = frozenset({"external_id", "customer", "reference"})
_NUMBERED = _KEYS | {"account_number", "order_id"}
# What is copied along with a text and shows nothing around it: spaces, marks of direction, joiners, BOMs.
_AROUND = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff"
_SAID_OF_ALL = "has nothing: taken as --set says of all rows in which no column says it"
_NAMES = frozenset(  # Null is a name
    {"display_name", "given_name", "additional_name", "family_name", "organization_name"}
)


@dataclass
class Cells:
    """The typed cells of one row; what is wrong is added to the row's problems.

    `columns` says which column holds each field, `spares` which do where that one has nothing.
    """

    row: Row
    columns: Mapping[str, str]
    notation: Notation
    spares: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._currency = self.notation.currency

    def text(self, field: str, *, required: bool = False) -> str:
        """The trimmed text, at most 2,000 characters; empty for `NULL` and where there is no such column.

        What address books put around a number, to turn its direction, is left out; a cell without anything to
        see is empty.
        """
        before = len(self.row.problems)
        value = self._text(field)
        for column in () if value else self.spares.get(field, ()):
            if not is_nothing(self.row.cells.get(column, "")):
                self.columns = {**self.columns, field: column}
                value = self._text(field)
                break
        if not value and (value := self.notation.constants.get(field, "")) and field in self.columns:
            self._tell_once(Problem(self.column(field), "SAID_OF_ALL", _SAID_OF_ALL))
        if required and not value and len(self.row.problems) == before:
            self.wrong(field, "REQUIRED", "must not be empty")
        most = EXACT_MAX if self.notation.exact else TEXT_MAX
        if len(value) > most:
            self.wrong(field, "TOO_LONG", f"must be at most {most:,} characters")
            return ""
        return value

    def column(self, field: str) -> str:
        return self.columns.get(field, field)

    def _text(self, field: str) -> str:
        if field not in self.columns:
            return ""
        value = TURNS.sub("", check_cell(self.row, self.columns[field]))
        value = value.strip(_AROUND) if shows_something(value) else ""
        if self.notation.exact:
            return value
        value = as_text(value)
        if field in _IDS or field.endswith(("postal_code", "date")):
            value = value.removeprefix("'")
        if field in _NAMES:
            is_sign = not value.isalpha() and is_nothing(value)
            return "" if is_sign else " ".join(value.split("\n"))
        if field in _NUMBERED or field in ("phone", "fax"):
            value = whole(value)
        if field in _NUMBERED and is_rounded(value):
            rounded = "is a number that was rounded, so whose it is nobody knows: format the column as text"
            self.wrong(field, "ROUNDED_ID", rounded)
            return ""
        if field in _KEYS and is_no_key(value):
            self.tell("NO_ID", f"{value} is no id: not taken", field)
            return ""
        return "" if is_nothing(value, field) else value

    def several(self, field: str) -> list[str]:
        """The texts in a cell that holds several, `a@x.example; b@y.example`."""
        text = self.text(field)
        if self.notation.exact:
            return [part.strip() for part in text.split("\n") if part.strip()]
        split = {"email": lists.emails, "phone": lists.phones, "fax": lists.phones}
        return split.get(field, lists.several)(text)

    def everywhere(self, field: str) -> list[tuple[str, str]]:
        """The texts in all columns that hold a field, each once, with its column."""
        found: dict[str, str] = {}
        for column in (self.columns.get(field, ""), *self.spares.get(field, ())):
            for text in Cells(self.row, {field: column}, self.notation).several(field):
                found.setdefault(text, column)
        return [(column, text) for text, column in found.items()]

    @property
    def zone(self) -> ZoneInfo:
        """Where days are days."""
        return self.notation.zone

    def moment(self, field: str, *, required: bool = False, past: bool = False) -> datetime | None:
        """A date or time, in the file's zone unless it says otherwise. A bare date is its first moment.

        `past` is what has happened already.
        """
        value = self.text(field, required=required)
        if not value or (not required and dates.says_nothing(value)):
            return None
        try:
            if self.notation.day_one and dates.is_number(value):
                at = dates.day(int(value), self.notation.day_one, self.zone)
            else:
                at = self._at(value)
        except ValueError:
            how = dates.example(self.notation.date_format)
            allowed = (
                f"must be a day that there is, with a time or without, as in {how}; --date-format tells "
                "another notation, such as DD/MM/YY"
            )
            self.wrong(field, "INVALID_TIME", allowed)
            return None
        if not EARLIEST <= at <= LATEST:
            allowed = f"must be between the years {EARLIEST.year} and {LATEST.year - 1}"
            self.wrong(field, "INVALID_TIME", allowed)
            return None
        if past and at > datetime.now(UTC):
            self.wrong(field, "INVALID_TIME", "is in the future: must have happened already")
            return None
        return at

    def _at(self, value: str) -> datetime:
        """The moment that is written; of what is exact to the microsecond. ValueError."""
        if self.notation.exact and len(value) > len("2026-03-02"):
            with suppress(ValueError):
                at = datetime.fromisoformat(value)
                return at if at.tzinfo else at.replace(tzinfo=self.zone)
        return dates.read(value, self.notation.date_format, self.notation.first, self.zone)

    def time_of_day(self, field: str) -> time | None:
        """The time on the clock, `16:31`, `4:31 pm` or `1631`; None where nobody says."""
        value = self.text(field)
        try:
            return dates.time_of_day(value) if value else None
        except ValueError:
            self.wrong(field, "INVALID_TIME", "must be a time of day, such as 16:31 or 1631")
            return None

    def born(self, field: str) -> Date | None:
        """A birth date, as far as it says one; what may be two, or is none, is told and left out."""
        value = self.text(field)
        try:
            return dates.born(value, self.notation.date_format, self.notation.first) if value else None
        except ValueError:
            allowed = "may be no date, or two: left out; --date-format tells which, such as DD/MM/YYYY"
            self.tell("INVALID_TIME", allowed, field)
            return None

    def amount(self, field: str, *, required: bool = True) -> Decimal:
        """An amount of money in the row's currency, negative for a return. 0 where there is none."""
        value = self.text(field, required=required)
        if not value:
            return Decimal(0)
        currency = self._currency
        found = amounts.written(value)
        decimal = self.notation.decimal or (found.decimal if found else "") or "."
        number = found.value(decimal) if found else None
        number = number and amounts.without_noise(number, currency.decimals)
        if found is None or number is None or number != round(number, currency.decimals):
            allowed = (
                f"must be a number with at most {currency.decimals} decimals, such as 12.50, 1,234.50 or -1; "
                "--decimal says what separates the decimals"
            )
            self.wrong(field, "INVALID_AMOUNT", allowed)
            return Decimal(0)
        told = any(problem.reason == "INVALID_CURRENCY" for problem in self.row.problems)
        if not told and not amounts.means(found.currency, currency.code):
            self.wrong(field, "INVALID_CURRENCY", f"must be {currency.code}, as the row says otherwise")
        return number

    def added(self, field: str) -> Decimal:
        """What all columns of a field say together, without signs: discounts are written either way."""
        columns = (self.columns.get(field, ""), *self.spares.get(field, ()))
        said = (Cells(self.row, {field: column}, self.notation) for column in columns if column)
        return sum((abs(each._in(self._currency, field)) for each in said), Decimal(0))

    def _in(self, currency: Currency, field: str) -> Decimal:
        self._currency = currency
        return self.amount(field, required=False)

    def currency(self, field: str, amount: str) -> str:
        """The code of the row's currency, which its amounts are read in: as `field` or else `amount` says."""
        said = field if self.text(field) else amount
        written = amounts.written(self.text(amount))
        name = self.text(field) or (written.currency if written else "")
        found = amounts.currency_of(name, self.notation.currency)
        if found is None:
            allowed = "must be a currency of ISO 4217, such as EUR; of a sign like $, --currency says which"
            self.wrong(said, "INVALID_CURRENCY", allowed)
        self._currency = found or self.notation.currency
        return self._currency.code

    def count(self, field: str) -> int:
        """A whole number of pieces, 0 when empty; the minus of a return is left to the amount."""
        value = self.text(field)
        # Three zeros may be thousands or decimals.
        match = re.fullmatch(r"-?(\d{1,9})(?:[.,](?:0{1,2}|0{4,}))?", value)
        if value and match is None:
            allowed = "must be a whole number up to 999999999, without a separator of thousands"
            self.wrong(field, "INVALID_NUMBER", allowed)
        return int(match[1]) if match else 0

    def measure(self, field: str) -> Decimal:
        """How much of something, also in parts, negative for what comes back; 1 where nobody says."""
        value = self.text(field)
        if not value:
            return Decimal(1)
        found = amounts.written(value)
        decimal = self.notation.decimal or (found.decimal if found else "") or "."
        number = found.value(decimal) if found and not found.currency else None
        if number is None:
            self.wrong(field, "INVALID_NUMBER", "must be a number, such as 2, 0.742 or -1")
        return number.normalize() if number else Decimal(0)

    def code(self, field: str) -> str:
        """A code as other systems make them; empty, and told, where it is none."""
        value = self.text(field)
        if value and _IS_NO_CODE(value):
            allowed = "is no code of English letters, digits and . _ : / # -, such as sku-4711: left out"
            self.tell("INVALID_CODE", allowed, field)
            return ""
        return value

    def region(self, field: str) -> str:
        """The ISO 3166-1 alpha-2 code of a country given by name or code; empty, and told, when unknown."""
        return self._known(field, country, "country", "DE or Germany") or self.notation.country

    def language(self, field: str) -> str:
        """A BCP 47 language from `en_US`, `DE`, `de-DE.UTF-8` or `German`; empty, and told, when unknown."""
        return self._known(field, language, "language", "de or de-AT")

    def time_zone(self, field: str) -> str:
        """A time zone of the IANA database; empty, and told, when there is none of that name."""
        return self._known(field, zone, "time zone", "Europe/Berlin")

    def _known(self, field: str, code_of: Callable[[str], str], what: str, example: str) -> str:
        value = self.text(field)
        found = code_of(value) if value else ""
        if value and not found:
            self.tell("INVALID_CODE", f"is no {what} that is known, such as {example}: left out", field)
        return found

    def tell(self, reason: str, description: str, field: str = "") -> None:
        """Say what is to be known of the row although it is not refused."""
        self.row.told.append(Problem(self.columns.get(field, ""), reason, description))

    def _tell_once(self, problem: Problem) -> None:
        if problem not in self.row.told:
            self.row.told.append(problem)

    def wrong(self, field: str, reason: str, description: str) -> None:
        self.row.problems.append(Problem(self.column(field), reason, description))
