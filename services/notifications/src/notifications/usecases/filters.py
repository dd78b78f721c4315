"""Filters that say a value as the language of a text says it: days, moments, amounts, numbers, plurals.

A value is text, as whoever sends a notice gave it; what it must look like each filter says. What stands in
for one while a text is looked at, before there is any, is said as it is.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import jinja2
from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision, list_currencies

from chassis.api.wellknown import EARLIEST, LATEST
from chassis.zones import TICK, day_of

LOCALE, ZONE = "_locale", "_zone"  # what a text is rendered with; no variable begins so
CATEGORIES = ("zero", "one", "two", "few", "many", "other")  # of CLDR
DIGITS_MAX = 18
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class StandIn(str):
    """What stands in for a value of a template's own."""

    __slots__ = ()


class Unfit(Exception):
    """A value that a filter cannot say; its argument says what it must be."""


def moment_or_day(text: str) -> date | datetime | None:
    """The day or the moment, with its zone, that an RFC 3339 text names; None when it names none."""
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return day if EARLIEST.date() <= day <= LATEST.date() else None
        at = datetime.fromisoformat(text)
        return at if EARLIEST <= at <= LATEST else None
    except (ValueError, TypeError):  # no day of the calendar, no time at all, or one without its zone
        return None


def _day(context: jinja2.runtime.Context, value: str) -> str:
    """`Monday, 2 March 2026`: a day is that day everywhere, a moment the day where the customer is.

    Midnight ends a day.
    """
    return format_date(day_of(_at(value), context[ZONE]), "full", locale=context[LOCALE])


def _first_day(context: jinja2.runtime.Context, value: str) -> str:
    """As `day`, of what begins then: at midnight its day begins."""
    at = _at(value)
    begun = at + TICK if isinstance(at, datetime) else at
    return format_date(day_of(begun, context[ZONE]), "full", locale=context[LOCALE])


def _at(value: str) -> date | datetime:
    if (at := moment_or_day(value)) is not None:
        return at
    raise Unfit("must be a date like 2026-03-02, or a time like 2026-03-02T09:00:00Z, to be told as a day")


def _moment(context: jinja2.runtime.Context, value: str) -> str:
    """`Monday, 2 March 2026, 10:00`, where the customer is."""
    at = moment_or_day(value)
    if not isinstance(at, datetime):
        raise Unfit("must be a time like 2026-03-02T09:00:00Z to be told with its hour")
    local = at.astimezone(context[ZONE])
    day = format_date(local, "full", locale=context[LOCALE])
    return f"{day}, {format_time(local, 'short', tzinfo=context[ZONE], locale=context[LOCALE])}"


def _money(context: jinja2.runtime.Context, value: str) -> str:
    """`€12.50` of `12.5 EUR`, with as many digits as the currency has."""
    amount, _, currency = value.partition(" ")
    number = _decimal(amount)
    known = number is not None and currency in list_currencies() and len(currency) == len("EUR")
    if number is None or not known or -_exponent(number) > get_currency_precision(currency):
        raise Unfit("must be an amount like 12.50 EUR, in no smaller units than its currency has")
    return str(format_currency(number, currency, locale=context[LOCALE]))


def _number(context: jinja2.runtime.Context, value: str) -> str:
    """`1,234.5` of `1234.5`."""
    number = _decimal(value)
    if number is None:
        raise Unfit("must be a number like 1234.5")
    return str(format_decimal(number, locale=context[LOCALE], decimal_quantization=False))


def _plural(context: jinja2.runtime.Context, value: str, **forms: str) -> str:
    """The form for a number, `#` in it as the number: `plural(one="# parcel", other="# parcels")`.

    Which form that is the language says, by CLDR's rules; one that is not given is `other`.
    """
    if unknown := sorted(forms.keys() - set(CATEGORIES)):
        raise Unfit(f"plural takes {', '.join(CATEGORIES)}, not {', '.join(unknown)}")
    if "other" not in forms:
        raise Unfit("plural needs a form for other")
    if isinstance(value, StandIn):
        return forms["other"].replace("#", value)
    number = _decimal(value)
    if number is None:
        raise Unfit("must be a number like 3 to be counted")
    shown = number.to_integral_value() if number == number.to_integral_value() else number.normalize()
    locale: Locale = context[LOCALE]
    form = forms.get(locale.plural_form(shown), forms["other"])
    return form.replace("#", _number(context, value))


def _decimal(text: str) -> Decimal | None:
    """The number that a text is in ASCII digits, exactly; None when it is none, or has too many digits."""
    try:
        number = Decimal(text) if text.isascii() and text.strip() == text and "_" not in text else None
    except InvalidOperation:
        return None
    if number is None or not number.is_finite() or "e" in text.lower():
        return None
    return number if len(number.as_tuple().digits) <= DIGITS_MAX else None


def _exponent(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "it is finite"
    return exponent


def _saying(said: Callable[..., str], *, stands: bool = True) -> Any:
    """A filter of Jinja's; what stands in for a value stays as it is."""

    @jinja2.pass_context
    def saying(context: jinja2.runtime.Context, value: Any, **forms: str) -> str:
        if stands and isinstance(value, StandIn):
            return value
        return said(context, str(value), **forms) if stands else said(context, value, **forms)

    return saying


SAYING = {
    "day": _saying(_day),
    "first_day": _saying(_first_day),
    "moment": _saying(_moment),
    "money": _saying(_money),
    "number": _saying(_number),
    "plural": _saying(_plural, stands=False),
}
