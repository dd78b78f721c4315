"""Amounts of money as people write them: what the separators mean is decided by the whole column."""

import functools
import re
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from chassis.money import Currency
from rapport_imports.decoding import UnreadableFile
from rapport_imports.places import currency as called_currency

# Signs that may not say which currency: that of amounts which do not say is meant, if it has the sign.
_WRITTEN = """
    € EUR | £ GBP EGP GIP FKP SHP | ¥ JPY CNY | $ USD CAD AUD NZD SGD HKD MXN TWD BRL ARS CLP COP UYU |
    US$ USD | CA$ CAD | C$ CAD | A$ AUD | AU$ AUD | NZ$ NZD | S$ SGD | HK$ HKD | NT$ TWD | MX$ MXN | R$ BRL |
    kr SEK NOK DKK ISK | Fr CHF | SFr CHF | Rs INR PKR LKR | R ZAR | TL TRY |
    zł PLN | Kč CZK | Ft HUF | lei RON | ₹ INR | ₽ RUB | ₺ TRY | ₩ KRW | ₴ UAH | ₪ ILS | ₫ VND | ₱ PHP | ฿ THB
"""
_SIGNS = {sign: codes for sign, *codes in map(str.split, _WRITTEN.split("|"))}
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009'\u2019\t")
_MINUS = str.maketrans("\u2212\u2013\u2014\uff0d", "----")
# Where cents would be, a dash says that there are none: 12.-, 12,--, 12,- EUR.
_NO_CENTS = re.compile(r"(?<=\d)[.,]-{1,2}(?!\d)")
_DOTTED = re.compile(r"(?i)\b(s?fr|kr|rs)\.")
_PARTS = re.compile(r"([^\d.,+-]*?)([-+]?)([^\d.,+-]*?)(\d[\d.,]*|[.,]\d+)([^\d.,+-]*?)(-?)")
_GROUPED = r"\d{1,3}(?:%s\d{2,3})*%s\d{3}"
_INTEGER_DIGITS = 15
_CODE = 3  # letters of ISO 4217
_NOISE = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Written:
    """An amount as it stands in a cell: its sign, digits with separators, and what names its currency."""

    negative: bool
    digits: str
    currency: str

    @property
    def decimal(self) -> str:
        """The decimal separator that the digits show; empty when they show none, `?` when it may be one."""
        dots, commas = self.digits.count("."), self.digits.count(",")
        if dots and commas:
            return max(".,", key=self.digits.rfind)
        if dots + commas == 0:
            return ""
        separator = "." if dots else ","
        if dots + commas > 1:
            return "," if separator == "." else "."
        before, after = self.digits.split(separator)
        return "?" if len(after) == 3 and 1 <= len(before) <= 3 and before != "0" else separator

    def value(self, decimal: str) -> Decimal | None:
        """The number, when `decimal` separates; None when it cannot be read so."""
        thousands = "," if decimal == "." else "."
        whole, _, fraction = self.digits.partition(decimal)
        grouped = _GROUPED % (re.escape(thousands), re.escape(thousands))
        if thousands in whole and not re.fullmatch(grouped, whole):
            return None
        whole = whole.replace(thousands, "")
        if (
            not re.fullmatch(r"\d*", whole)
            or not re.fullmatch(r"\d*", fraction)
            or len(whole) > _INTEGER_DIGITS
        ):
            return None
        number = Decimal(f"{whole or '0'}.{fraction or '0'}")
        return -number if self.negative else number


@functools.lru_cache(maxsize=10_000)  # prices repeat
def written(cell: str) -> Written | None:
    """The amount in a cell, `-1.234,50 EUR`, `$1,234.50`, `(12.00)` or `12.00-`; None when it is none."""
    plain = _NO_CENTS.sub("", _DOTTED.sub(r"\1", cell.strip().translate(_MINUS)))
    bracketed = plain.startswith("(") and plain.endswith(")")
    match = _PARTS.fullmatch((plain[1:-1] if bracketed else plain).translate(_SPACES))
    if match is None:
        return None
    before, sign, inner, digits, after, behind = match.groups()
    names = [name for name in (before, inner, after) if name]
    if len(names) > 1 or (sign and behind) or (bracketed and (sign or behind)):
        return None
    return Written(bracketed or "-" in (sign, behind), digits, names[0] if names else "")


def means(name: str, currency: str) -> bool:
    """Whether a name or sign beside an amount may mean that currency."""
    if not name or name.upper() == currency or currency in _SIGNS.get(name, ()):
        return True
    return len(name) > _CODE and called_currency(name) == currency


def currency_of(name: str, default: Currency) -> Currency | None:
    """What a name or sign beside an amount means, the default when it may; None when nobody knows."""
    if means(name, default.code):
        return default
    signs = _SIGNS.get(name) or [called_currency(name) if len(name) > _CODE else ""]
    try:
        return Currency.of(signs[0] if len(signs) == 1 and signs[0] else name.upper())
    except ValueError:
        return None


def without_noise(number: Decimal, decimals: int) -> Decimal:
    """The amount that a binary fraction stands for: 12.34 of 12.340000000000002."""
    rounded = round(number, decimals)
    return rounded if abs(number - rounded) < _NOISE else number


def named_in(column: str) -> str:
    """The code or sign of a currency in the name of a column, `Betrag (EUR)`, `Total €`; else empty."""
    *_, last = re.split(r"[\s()\[\]/_-]+", column.strip(" )]"))
    if last in _SIGNS:
        return last
    with suppress(ValueError):
        return Currency.of(last).code if len(last) == _CODE and last.isupper() else ""
    return ""


class Separator:
    """Decides what separates the decimals of a column, when it has seen all of it.

    Args:
        delimiter: what separates the cells of the file: with `;` a single dot before three digits groups.
        default: the currency of amounts that do not say theirs. In one without decimals every separator
            groups; in one with three a dot before three digits may be either, whatever separates the cells.
    """

    def __init__(self, delimiter: str, default: Currency) -> None:
        self._delimiter = delimiter
        self._default = default
        self._decimals: set[int] = set()  # of the currencies of what may be either
        self._shown: set[str] = set()
        self._unclear: dict[str, tuple[int, str]] = {}

    def add(self, line: int, cell: str, currency: str = "") -> None:
        """Look at one cell, and at what names the currency of its row."""
        amount = written(cell)
        if amount is None or not amount.decimal:
            return
        if amount.decimal == "?":
            of = currency_of(currency.strip() or amount.currency, self._default) or self._default
            self._decimals.add(of.decimals)
            self._unclear.setdefault("." if "." in amount.digits else ",", (line, cell.strip()))
        else:
            self._shown.add(amount.decimal)

    def decided(self) -> str:
        """`.` or `,`, or empty when each amount shows its own.

        UnreadableFile when `12.500` may be either, and nothing in the file tells.
        """
        if not self._unclear or len(self._shown) == 1:
            return next(iter(self._shown)) if len(self._shown) == 1 else ""
        groups = next(iter(self._unclear)) if len(self._unclear) == 1 else ""
        european = (self._delimiter, groups) == (";", ".") and max(self._decimals) < 3
        if not self._shown and groups and (self._decimals == {0} or european):
            return "," if groups == "." else "."
        line, cell = next(iter(self._unclear.values()))
        raise UnreadableFile(
            f"{cell} on line {line} may have a decimal or a thousands separator: say --decimal . or "
            "--decimal ,"
        )
