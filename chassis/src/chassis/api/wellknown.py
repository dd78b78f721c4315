"""What times, days, durations, addresses, amounts of money and numbers of requests may be."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import decimal_pb2
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money
from google.type.postal_address_pb2 import PostalAddress

from chassis.api.formats import FORMATS, Wrong, text
from chassis.api.messages import date_of, decimal, exact, moment
from chassis.api.validation import Found
from chassis.errors import Violation
from chassis.money import Currency
from chassis.visible import shows_something
from rapport.options.v1 import options_pb2

LINES_MAX = 5
_DECIMALS = 9  # as of money
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})(?:[eE][-+]?[0-9]{1,2})?")
_LINES = ("address_lines", "recipients")
_SOMEWHERE = ("address_lines", "postal_code", "administrative_area", "locality", "sublocality")
_TEXTS = {
    "region_code": FORMATS[options_pb2.FORMAT_REGION],
    "language_code": FORMATS[options_pb2.FORMAT_LANGUAGE],
    "postal_code": text(20),
    "sorting_code": text(20),
    "administrative_area": text(100),
    "locality": text(100),
    "sublocality": text(100),
    "organization": text(),
}
_LINE = text()
Look = Callable[[Any, str, datetime, Found], None]
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # no system that we take records over from has older ones
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_BORN_SINCE = 1850
_LOWEST_S, _HIGHEST_S = (int(bound.timestamp()) for bound in (EARLIEST, LATEST))
_GREATEST = {
    FieldDescriptor.CPPTYPE_INT32: 2**31 - 1,
    FieldDescriptor.CPPTYPE_INT64: 2**63 - 1,
    FieldDescriptor.CPPTYPE_UINT32: 2**32 - 1,
    FieldDescriptor.CPPTYPE_UINT64: 2**64 - 1,
    FieldDescriptor.CPPTYPE_FLOAT: 2**53,
    FieldDescriptor.CPPTYPE_DOUBLE: 2**53,
}


def _postal(sent: PostalAddress, path: str, now: datetime, found: Found) -> None:
    """An address by post: of a country, and of bounded size."""

    def refuse(field: str, reason: str, allowed: str) -> None:
        found.append(Violation(f"{path}.{field}", reason, allowed))

    if not any(getattr(sent, field) for field in _SOMEWHERE):
        found.append(Violation(path, "REQUIRED", f"must have one of {', '.join(_SOMEWHERE)}"))
    if not sent.region_code:
        refuse("region_code", "REQUIRED", "must be given")
    for field, judge in _TEXTS.items():
        if (value := getattr(sent, field)) and (wrong := judge(value)):
            refuse(field, *wrong)
    for field in _LINES:
        lines = getattr(sent, field)
        if len(lines) > LINES_MAX:
            refuse(field, "TOO_LONG", f"must hold at most {LINES_MAX} lines")
        for i, line in enumerate(lines[:LINES_MAX]):
            if wrong := _LINE(line):
                refuse(f"{field}[{i}]", *wrong)
            elif not shows_something(line):
                refuse(f"{field}[{i}]", "REQUIRED", "must be given")
    if sent.revision:
        refuse("revision", "INVALID_NUMBER", "must be a number from 0 to 0")


def look(message: Descriptor, allowed: Any) -> Look | None:
    """The check of a value of a type that everybody knows; None for any other message."""
    made = _LOOKS.get(message.full_name)
    return None if made is None else made(allowed)


def number(field: FieldDescriptor, allowed: Any) -> Callable[[Any], Wrong | None] | None:
    if field.cpp_type not in _GREATEST:
        return None
    least, most = _range(allowed, _GREATEST[field.cpp_type])
    wrong = "INVALID_NUMBER", f"must be a number from {least} to {most}"
    return lambda value: None if least <= value <= most else wrong


def time_of(message: Any, field: str) -> datetime | None:
    """The time in a field, for rules; None when it is absent or none."""
    sent = getattr(message, field)
    return moment(sent) if message.HasField(field) and is_moment(sent) else None


def day_of(message: Any, field: str) -> date | None:
    """The day in a field, for rules; None when it is absent or none."""
    return _day(getattr(message, field)) if message.HasField(field) else None


def duration_of(message: Any, field: str) -> timedelta | None:
    """The duration in a field, for rules; None when it is absent or none."""
    sent: Duration = getattr(message, field)
    try:
        return sent.ToTimedelta() if message.HasField(field) else None
    except (ValueError, OverflowError):
        return None


def is_moment(sent: Timestamp) -> bool:
    """Whether it is a time that we have: from 1970 to 2200."""
    return 0 <= sent.nanos < 10**9 and _LOWEST_S <= sent.seconds <= _HIGHEST_S


def _range(allowed: Any, greatest: int) -> tuple[int, int]:
    return allowed.least, allowed.most if allowed.HasField("most") else greatest


def _bounds(allowed: Any) -> Callable[[datetime], tuple[datetime, datetime]]:
    """From when until when a time may be, at a moment."""
    earliest = timedelta(seconds=allowed.earliest_seconds) if allowed.HasField("earliest_seconds") else None
    latest = timedelta(seconds=allowed.latest_seconds) if allowed.HasField("latest_seconds") else None
    return lambda now: (
        EARLIEST if earliest is None else now + earliest,
        LATEST if latest is None else now + latest,
    )


def _timestamp(allowed: Any) -> Look:
    bounds = _bounds(allowed)

    def look(sent: Timestamp, path: str, now: datetime, found: Found) -> None:
        earliest, latest = bounds(now)
        if not (is_moment(sent) and earliest <= moment(sent) <= latest):
            allowed = f"must be a time from {shown(earliest)} to {shown(latest)}"
            found.append(Violation(path, "INVALID_TIME", allowed))

    return look


def _date(allowed: Any) -> Look:
    if allowed.partial:
        return _partial(allowed)
    bounds = _bounds(allowed)

    def look(sent: Date, path: str, now: datetime, found: Found) -> None:
        first, last = (bound.date() for bound in bounds(now))
        day = _day(sent)
        if day is None or not first <= day <= last:
            found.append(Violation(path, "INVALID_TIME", f"must be a day from {first} to {last}"))

    return look


def _partial(allowed: Any) -> Look:
    ahead = timedelta(seconds=allowed.latest_seconds)

    def look(sent: Date, path: str, now: datetime, found: Found) -> None:
        day = _day(
            Date(year=sent.year or 2000, month=sent.month or 1, day=sent.day or 1)
        )  # it had a 29 February
        until = (now + ahead).date()
        if sent.year:
            known = day and sent.year >= _BORN_SINCE and day <= until and (sent.month or not sent.day)
        else:
            known = day and sent.month and sent.day
        if not known:
            last = until if ahead else "today"
            told = f"must be a day, a month, a year or a day of any year, from {_BORN_SINCE} until {last}"
            found.append(Violation(path, "INVALID_TIME", told))

    return look


def _day(sent: Date) -> date | None:
    try:
        return date_of(sent)
    except ValueError:  # no day of the calendar, or only a month or a year
        return None


def _duration(allowed: Any) -> Look:
    least, most = _range(allowed, 315_576_000_000)

    def look(sent: Duration, path: str, now: datetime, found: Found) -> None:
        one_sign = sent.seconds * sent.nanos >= 0 and abs(sent.nanos) < 10**9
        if not (one_sign and least <= sent.seconds + sent.nanos / 1e9 <= most):
            found.append(Violation(path, "INVALID_NUMBER", f"must be from {least} to {most} seconds"))

    return look


def _money(allowed: Any) -> Look:
    """In any currency, of no more decimals than it has."""
    least, most = _range(allowed, 10**12)

    def look(sent: Money, path: str, now: datetime, found: Found) -> None:
        try:
            currency = Currency.of(sent.currency_code)
        except ValueError as error:
            found.append(Violation(f"{path}.currency_code", "INVALID_CURRENCY", str(error)))
            return
        one_sign = sent.units * sent.nanos >= 0 and abs(sent.nanos) < 10**9
        exact = sent.nanos % 10 ** (9 - currency.decimals) == 0
        if not (one_sign and exact and Decimal(least) <= decimal(sent) <= most):
            many = f"with at most {currency.decimals} decimals" if currency.decimals else "without decimals"
            wrong = f"must be an amount from {least} to {most} {many}"
            found.append(Violation(path, "INVALID_NUMBER", wrong))

    return look


def _decimal(allowed: Any) -> Look:
    least, most = _range(allowed, 10**12)

    def look(sent: decimal_pb2.Decimal, path: str, now: datetime, found: Found) -> None:
        is_number = _NUMBER.fullmatch(sent.value) is not None
        if not (is_number and least <= (value := exact(sent)) <= most and round(value, _DECIMALS) == value):
            wrong = f"must be a number from {least} to {most} with at most {_DECIMALS} decimals"
            found.append(Violation(path, "INVALID_NUMBER", wrong))

    return look


def shown(at: datetime) -> str:
    """A time as refusals tell it."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


_LOOKS: dict[str, Callable[[Any], Look]] = {
    Timestamp.DESCRIPTOR.full_name: _timestamp,
    Date.DESCRIPTOR.full_name: _date,
    Duration.DESCRIPTOR.full_name: _duration,
    Money.DESCRIPTOR.full_name: _money,
    decimal_pb2.Decimal.DESCRIPTOR.full_name: _decimal,
    PostalAddress.DESCRIPTOR.full_name: lambda allowed: _postal,
    "google.protobuf.FieldMask": lambda allowed: lambda *_: None,
}
