"""How a page says things to one person: words, days, moments, money, in their language and time zone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime, format_skeleton, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.api import messages
from chassis.errors import Refusal
from chassis.zones import day_of
from desk.language.catalogues import N_, Language, preferred, refusal_words
from desk.ui import words
from desk.ui.facts import FACTS

NEAR = timedelta(days=6)  # days so near are said by their weekday


@dataclass(frozen=True)
class Speech:
    """Says things to whoever reads."""

    locale: Locale  # their language
    zone: ZoneInfo  # where they are: moments are told in their time
    now: datetime  # when the page is made. One for the whole page, so that its parts agree.

    @cached_property
    def language(self) -> Language:
        return Language(self.locale)

    def __call__(self, text: str, **values: Any) -> str:
        """A message of the catalogue with its values; whole numbers as they are written there."""
        return self.language(text, **self._written(values))

    def count(self, number: int, one: str, many: str, **values: Any) -> str:
        """The message for so many, which is `{n}` in it: `1 purchase`, `24 purchases`."""
        return self.language.plural(number, one, many, **self._written({"n": number, **values}))

    def _written(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.number(each) if type(each) is int else each for name, each in values.items()}

    def code(self, code: str) -> str:
        """`late-delivery` is said `late delivery`, or as the catalogue has it: codes are open."""
        return self(words.said(code))

    def titled(self, code: str) -> str:
        """As `code`, as the beginning of a line."""
        told = self.code(code)
        return told[:1].upper() + told[1:]

    def named(self, name: str) -> str:
        """As `titled`, of what a resource is called last: `departments/home-delivery` is `Home delivery`."""
        return self.titled(words.last(name))

    def choices(self, codes: Iterable[str]) -> list[tuple[str, str]]:
        """Codes to choose from, each with its words."""
        return [(each, self.titled(each)) for each in codes]

    def fact(self, event: str) -> str:
        """`PromiseAtRisk`, with or without what stands before it, is `Promise at risk`."""
        name = event.rpartition(".")[2]
        return self(FACTS.get(name, words.split(name)))

    def refusal(self, refusal: Refusal) -> str:
        return refusal_words(refusal, self.language)

    def about(self, each: Any) -> str:
        """A promise or work: `Delivery of order 5021`, `Deliver order 5021`, or as it was said.

        The view of a customer knows the code alone, as events do.
        """
        said, what = getattr(each, "display_name", ""), self.titled(each.kind)
        if not each.reference:
            return said or what
        thing = self.thing(each.reference)
        if said:
            return f"{said}, {thing}"
        of, _, number = each.reference.rpartition("/")
        if of and each.kind.endswith(f"-{of.removesuffix('s')}"):  # it says already of what
            return self(N_("{what} {number}"), what=what, number=number)
        return self(N_("{what} of {thing}"), what=what, thing=thing)

    def thing(self, reference: str) -> str:
        """`order 5021`, of `orders/5021`."""
        of, _, number = reference.rpartition("/")
        return f"{self.code(of.removesuffix('s'))} {number}".strip()

    def number(self, value: int | float | Decimal) -> str:
        """`1,420`."""
        return format_decimal(value, locale=self.locale)

    def percent(self, share: float) -> str:
        """`80%`, of 0.8."""
        return format_percent(share, locale=self.locale)

    def money(self, amount: Money) -> str:
        """`$1,143.72`, with the decimals of its currency."""
        return format_currency(messages.decimal(amount), amount.currency_code, locale=self.locale)

    def zone_of(self, name: str) -> ZoneInfo:
        """A customer's time zone; the reader's when it is none, or none that is known here."""
        return _zone(name, self.zone)

    def language_of(self, code: str) -> str:
        """`German` for `de`; the code for what has no name."""
        try:
            return Locale.parse(code, sep="-").get_language_name(self.locale.language) or code
        except (ValueError, UnknownLocaleError):
            return code

    @cached_property
    def today(self) -> date:
        """The day where they are."""
        return self.day_of(self.now)

    def day_of(self, at: datetime) -> date:
        """The day of a moment, where they are."""
        return at.astimezone(self.zone).date()

    def on(self, at: datetime) -> str:
        """The day of a moment, as `day` says it."""
        return self.day(self.day_of(at))

    def clock(self, at: datetime, zone: ZoneInfo | None = None) -> str:
        """`11:42`, in their time or another's."""
        return format_time(
            at.astimezone(zone or self.zone), "short", tzinfo=zone or self.zone, locale=self.locale
        )

    def day(self, on: date) -> str:
        """`today`, `Wednesday 2 December`, and with its year when that is not this one."""
        if on == self.today:
            return self(N_("today"))
        if on == self.today + timedelta(days=1):
            return self(N_("tomorrow"))
        if on == self.today - timedelta(days=1):
            return self(N_("yesterday"))
        return format_skeleton("MMMEd" if on.year == self.today.year else "yMMMd", on, locale=self.locale)

    def partly(self, on: Date) -> str:
        """A day as far as it is known: `12 Apr 1984`, `April 1984`, `1984`, `12 April`; empty for none."""
        if not on.year and not on.month:
            return ""
        known = date(on.year or 2000, on.month or 1, on.day or 1)  # of a leap year, for 29 February
        shown = "y" * bool(on.year) + "MMM" * bool(on.month) + "d" * bool(on.day)
        return format_skeleton(shown, known, locale=self.locale)

    def moment(self, at: datetime) -> str:
        """`today 11:35`, `Tue 1 Dec 09:00`."""
        return f"{self.on(at)} {self.clock(at)}"

    def short(self, at: datetime) -> str:
        """As narrow as can be: `11:35` of today, `Tue` of this week, `18 Sep`, `18 Sep 2024`."""
        on = self.day_of(at)
        if on == self.today:
            return self.clock(at)
        if timedelta(0) < self.today - on <= NEAR:
            return format_skeleton("E", on, locale=self.locale)
        return format_skeleton("MMMd" if on.year == self.today.year else "yMMMd", on, locale=self.locale)

    def exactly(self, at: datetime) -> str:
        """With everything, for who wants to know: date, time, zone."""
        return format_datetime(at.astimezone(self.zone), "long", tzinfo=self.zone, locale=self.locale)

    def lasting(self, span: timedelta) -> str:
        """`2 days`, `6 hours`; less than a minute is none that matters."""
        return self._span(max(span, timedelta(minutes=1)))

    def measured(self, count: int, unit: str) -> str:
        """`90 minutes`, exactly so many."""
        return format_unit(count, f"duration-{unit.removesuffix('s')}", locale=self.locale)

    def away(self, at: datetime) -> str:
        """`in 6 days`, `2 hours ago`: from now."""
        ahead = at - self.now
        return self(N_("now")) if abs(ahead) < timedelta(minutes=1) else self._span(ahead, add_direction=True)

    def _span(self, span: timedelta, **how: Any) -> str:
        return format_timedelta(span, granularity="minute", threshold=1.5, locale=self.locale, **how)

    def until(self, at: datetime, zone: ZoneInfo | None = None) -> str:
        """The day by which something is due or expected, as messages say it: midnight ends a day."""
        return self.day(day_of(at, zone or self.zone))

    def promised(self, promise: Any) -> str:
        """By when, as its customer is told: a day, of whichever zone it was promised in."""
        if promise.HasField("due_date"):
            return self.day(messages.date_of(promise.due_date))
        return self.until(messages.moment(promise.due_time))

    def due(self, promise: Any) -> str:
        """The same for who works on it, with the hour of a moment that ends no day."""
        at = messages.moment(promise.due_time)
        is_day = promise.HasField("due_date") or day_of(at, self.zone) != self.day_of(at)
        return self.promised(promise) if is_day else self.moment(at)


def speech(languages: str, zone: str, now: datetime) -> Speech:
    """How to speak to whoever asks: by `Accept-Language`, and the IANA zone of their browser, or in UTC."""
    return Speech(preferred(languages), _zone(zone, ZoneInfo("UTC")), now)


def _zone(name: str, otherwise: ZoneInfo) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else otherwise
    except (ValueError, OSError, KeyError):
        return otherwise
