"""How a page says things to one person: words, days, moments, money, in their language and time zone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.api import messages

NEAR = timedelta(days=6)  # days so near are said by their weekday


@dataclass(frozen=True)
class Speech:
    """Says things to whoever reads.

    Attributes:
        locale: their language.
        zone: where they are: moments are told in their time.
        now: when the page is made. One for the whole page, so that its parts agree.

    """

    locale: Locale
    zone: ZoneInfo
    now: datetime

    def __call__(self, text: str, **values: Any) -> str:
        """A sentence with its values: what the catalogue of messages is made from."""
        return text.format(**values) if values else text

    def count(self, number: int, one: str, many: str) -> str:
        """`1 purchase`, `24 purchases`."""
        return f"{self.number(number)} {one if number == 1 else many}"

    def number(self, value: int | float | Decimal) -> str:
        """`1,420`."""
        return format_decimal(value, locale=self.locale)

    def money(self, amount: Money) -> str:
        """`$1,143.72`, with the decimals of its currency."""
        return format_currency(messages.decimal(amount), amount.currency_code, locale=self.locale)

    def zone_of(self, name: str) -> ZoneInfo:
        """A customer's time zone; the reader's when it is none, or none that is known here."""
        return _zone(name, self.zone)

    def language(self, code: str) -> str:
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

    def clock(self, at: datetime, zone: ZoneInfo | None = None) -> str:
        """`11:42`, in their time or another's."""
        return format_time(
            at.astimezone(zone or self.zone), "short", tzinfo=zone or self.zone, locale=self.locale
        )

    def day(self, on: date) -> str:
        """`today`, `Wednesday 2 December`, and with its year when that is not this one."""
        if on == self.today:
            return self("today")
        if on == self.today + timedelta(days=1):
            return self("tomorrow")
        if on == self.today - timedelta(days=1):
            return self("yesterday")
        return format_date(on, "EEE d MMM" if on.year == self.today.year else "d MMM y", locale=self.locale)

    def moment(self, at: datetime) -> str:
        """`today 11:35`, `Tue 1 Dec 09:00`."""
        return f"{self.day(self.day_of(at))} {self.clock(at)}"

    def short(self, at: datetime) -> str:
        """As narrow as can be: `11:35` of today, `Tue` of this week, `18 Sep`, `Sep 2024`."""
        on = self.day_of(at)
        if on == self.today:
            return self.clock(at)
        if timedelta(0) < self.today - on <= NEAR:
            return format_date(on, "EEE", locale=self.locale)
        return format_date(on, "d MMM" if on.year == self.today.year else "MMM y", locale=self.locale)

    def exactly(self, at: datetime) -> str:
        """With everything, for who wants to know: date, time, zone."""
        return format_datetime(at.astimezone(self.zone), "long", tzinfo=self.zone, locale=self.locale)

    def lasting(self, span: timedelta) -> str:
        """`2 days`, `6 hours`; less than a minute is none that matters."""
        span = max(span, timedelta(minutes=1))
        return format_timedelta(
            span,
            granularity="minute",
            threshold=1.5,
            locale=self.locale,
        )

    def away(self, at: datetime) -> str:
        """`in 6 days`, `2 hours ago`: from now."""
        ahead = at - self.now
        if abs(ahead) < timedelta(minutes=1):
            return self("now")
        return (
            self("in {span}", span=self.lasting(ahead))
            if ahead > timedelta(0)
            else self("{span} ago", span=self.lasting(-ahead))
        )

    def due(self, due_time: Timestamp, due_date: Date | None = None) -> str:
        """A promised day as a day, of whichever zone it was promised in; a moment as one."""
        return self.day(messages.date_of(due_date)) if due_date else self.moment(messages.moment(due_time))


def speech(languages: str, zone: str, now: datetime) -> Speech:
    """How to speak to whoever asks.

    Args:
        languages: the header `Accept-Language`; for now all are answered in English, as its region writes it.
        zone: the IANA time zone that their browser told; anything else is UTC.
        now: the time.

    """
    region = next((part.strip()[3:5] for part in languages.split(",") if part.strip()[:3] == "en-"), "GB")
    try:
        locale = Locale.parse(f"en_{region.upper()}")
    except (ValueError, UnknownLocaleError):
        locale = Locale("en", "GB")
    return Speech(locale, _zone(zone, ZoneInfo("UTC")), now)


def _zone(name: str, otherwise: ZoneInfo) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else otherwise
    except (ValueError, OSError, KeyError):
        return otherwise
