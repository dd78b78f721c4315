"""Checks of a request that collect every violation, so that the caller can mend all of them at once.

    check = Check()
    (case_id,) = check.name(CASE, request.parent, "parent")
    text = check.text(request.note.text, "note.text", max=4000)
    due = check.moment(request, "promise.due_time", earliest=now)
    for i, item in enumerate(check.batch(request.requests, "requests")):
        within = check.at(f"requests[{i}]")
        kind = within.enum(Channel.DESCRIPTOR, item.channel, "channel")
    check.raise_if_any()

A check returns the value in its Python type. What it returns for a violation is a placeholder: call
`raise_if_any` before using any of it. Descriptions say what is allowed and never repeat what was sent: it
may be personal. Fields are required unless a call says otherwise.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from chassis.api.addresses import address_of
from chassis.api.currencies import Currency
from chassis.api.messages import date_of, decimal, enum_name, moment
from chassis.api.text import bad_texts
from chassis.context import current_call
from chassis.errors import InvalidArgument, Violation
from chassis.names import CODE, Pattern
from chassis.visible import shows_something

T = TypeVar("T")
Found = list[Violation]
DEPARTMENT = Pattern("departments/{department:code}")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # no system that we take records over from has older ones
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
BATCH_MAX = 1000
INT64_MAX = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CODE = re.compile(CODE)
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Check:
    """Collects what is wrong with one request. `prefix` is put before every field's path."""

    def __init__(self, prefix: str = "", found: Found | None = None) -> None:
        self.violations: Found = [] if found is None else found
        self._prefix = prefix

    def at(self, path: str) -> "Check":
        """A check of the part of the request at `path`; its violations are this check's too."""
        return Check(f"{self._prefix}{path}.", self.violations)

    def refuse(self, field: str, reason: str, description: str) -> None:
        """Note a violation. For rules that no method here knows."""
        self.violations.append(Violation(self._prefix + field, reason, description))

    def raise_if_any(self) -> None:
        """Raise InvalidArgument with every violation, if there is any."""
        if self.violations:
            raise InvalidArgument(self.violations)

    def name(self, pattern: Pattern, value: str, field: str, *, required: bool = True) -> tuple[Any, ...]:
        """The ids in a resource name; as many None when it is absent. INVALID_NAME."""
        ids = pattern.match(value) if self._present(value, field, required) else None
        if value and ids is None:
            self.refuse(field, "INVALID_NAME", f"must be a name like {pattern}")
        return (None,) * pattern.arity if ids is None else ids

    def department(self, value: str) -> str:
        """The id in the field `department`; when it is absent, the caller's own. REQUIRED without either."""
        (department,) = self.name(DEPARTMENT, value, "department", required=False)
        department = department or current_call.get().principal.department
        if not department and not value:
            self.refuse("department", "REQUIRED", "must be given by a caller who works for no department")
        return department or ""

    def text(self, value: str, field: str, *, max: int = 200, required: bool = True) -> str:
        """Text for people, kept as it is: at most `max` characters. Of what is `chassis.api.text`'s.

        A text without anything to see is absent, and empty.
        """
        seen = value if shows_something(value) else ""
        if self._present(seen, field, required) and len(value) > max:
            self.refuse(field, "TOO_LONG", f"must be at most {max} characters")
        return seen

    def texts(self, message: Message) -> None:
        """Whether every text of an item that is judged apart is text: as of a request. INVALID_TEXT."""
        for bad in bad_texts(message):
            self.refuse(bad.field, bad.reason, bad.description)

    def email(self, value: str, field: str, *, required: bool = True) -> str:
        """An e-mail address to which mail can be written. INVALID_EMAIL."""
        if self._present(value, field, required) and address_of(value) is None:
            self.refuse(field, "INVALID_EMAIL", "must be an e-mail address like anna@example.com")
        return value

    def code(self, value: str, field: str, *, required: bool = True) -> str:
        """A code: 1 to 63 lower-case letters, digits and dashes. INVALID_CODE."""
        if self._present(value, field, required) and not _CODE.fullmatch(value):
            allowed = (
                "must be 1 to 63 lower-case letters, digits and dashes, beginning with a letter or digit"
            )
            self.refuse(field, "INVALID_CODE", allowed)
        return value

    def reference(self, value: str, field: str) -> str:
        """What something refers to, or empty: a code as other systems make them, never words about people."""
        if value and not _REFERENCE.fullmatch(value):
            allowed = "1 to 100 English letters, digits and . _ : / # -, beginning with a letter or digit"
            self.refuse(field, "INVALID_CODE", f"must be {allowed}")
        return value

    def one_of(self, value: str, field: str, allowed: Iterable[str]) -> str:
        """One of the codes in `allowed`. INVALID_CODE lists them."""
        if self._present(value, field, True) and value not in (choices := list(allowed)):
            self.refuse(field, "INVALID_CODE", f"must be one of {', '.join(choices)}")
        return value

    def enum(self, enum: EnumDescriptor, number: int, field: str, *, required: bool = True) -> str:
        """The name of an enum's value without prefix, `EMAIL`; `UNSPECIFIED` when absent. INVALID_ENUM."""
        if number not in enum.values_by_number or (number == 0 and required):
            choices = [enum_name(enum, value.number) for value in enum.values if value.number]
            self.refuse(field, "INVALID_ENUM", f"must be one of {', '.join(choices)}")
        return enum_name(enum, number)

    def uuid(self, value: str, field: str, *, required: bool = True) -> UUID | None:
        """A UUID in its canonical form, of either case."""
        if not self._present(value, field, required):
            return None
        if not _UUID.fullmatch(value):
            self.refuse(field, "INVALID_UUID", "must be a UUID like 5b1c1d2e-3f40-4a5b-8c6d-7e8f9a0b1c2d")
            return None
        return UUID(value)

    def moment(
        self,
        message: Message,
        field: str,
        *,
        earliest: datetime = EARLIEST,
        latest: datetime = LATEST,
        required: bool = True,
    ) -> datetime | None:
        """The Timestamp at the path `field` of `message`, from `earliest` to `latest`; None when absent.

        Takes the message that holds the field: a Timestamp itself cannot tell whether it was sent or is 1970.
        """
        *path, last = field.split(".")
        for step in path:
            message = getattr(message, step)
        if not message.HasField(last):
            self._present("", field, required)
            return None
        sent = getattr(message, last)
        lowest, highest = (int((bound - _EPOCH).total_seconds()) for bound in (EARLIEST, LATEST))
        if (
            0 <= sent.nanos < 10**9
            and lowest <= sent.seconds <= highest
            and earliest <= moment(sent) <= latest
        ):
            return moment(sent)
        self.refuse(field, "INVALID_TIME", f"must be a time from {_shown(earliest)} to {_shown(latest)}")
        return None

    def date(
        self, message: Message, field: str, *, earliest: datetime = EARLIEST, latest: datetime = LATEST
    ) -> date | None:
        """The whole day in the field `field` of `message`, from `earliest` to `latest`; None when absent."""
        first, last = earliest.date(), latest.date()
        if not message.HasField(field):
            return None
        try:
            if first <= (day := date_of(getattr(message, field))) <= last:
                return day
        except ValueError:  # no day of the calendar, or only a month or a year
            pass
        self.refuse(field, "INVALID_TIME", f"must be a day from {first} to {last}")
        return None

    def count(self, value: int, field: str, *, least: int = 0, most: int = INT64_MAX) -> int:
        """A whole number from `least` to `most`, both included."""
        if not least <= value <= most:
            self.refuse(field, "INVALID_NUMBER", f"must be a number from {least} to {most}")
        return value

    def batch(self, items: Sequence[T], field: str, *, most: int = BATCH_MAX) -> Sequence[T]:
        """1 to `most` items. Too many are not looked at: the empty list is returned for them."""
        if not items:
            self.refuse(field, "REQUIRED", f"must hold 1 to {most} items")
        elif len(items) > most:
            self.refuse(field, "TOO_LONG", f"must hold 1 to {most} items")
            return []
        return items

    def import_key(self, value: str, department: str) -> str | None:
        """Where an item of a batch comes from, `{source}:{line}`, told apart by who sends; None: unsaid.

        What departments call their sources is their own business: the key of one finds nothing of another.
        """
        if not self.text(value, "import_key", required=False):
            return None
        if not all(value.rpartition(":")[::2]):
            self.refuse("import_key", "INVALID_NAME", "must be like {source}:{line}")
        return f"{department}/{value}"

    def alone(self, request: Any) -> None:
        """Refuse what only items of a batch say, in a request of its own: where it comes from."""
        for field in ("import_key", "confirmed"):
            if getattr(request, field):
                self.refuse(field, "INVALID_NAME", "must be empty outside a batch")

    def money(self, value: Money, field: str, currency: Currency, *, most: int) -> Decimal | None:
        """An amount in `currency` from -`most` to `most`, of no more decimals than it has; None when absent.

        INVALID_CURRENCY for any other currency, INVALID_NUMBER for any other amount.
        """
        if value == Money():
            self._present("", field, True)
            return None
        if value.currency_code != currency.code:
            allowed = f"must be {currency.code}, the currency of this installation (RAPPORT_CURRENCY)"
            self.refuse(f"{field}.currency_code", "INVALID_CURRENCY", allowed)
        amount, one_sign = decimal(value), value.units * value.nanos >= 0
        exact = abs(value.nanos) < 10**9 and value.nanos % 10 ** (9 - currency.decimals) == 0
        if not (one_sign and exact and -most <= amount <= most):
            decimals = (
                f"with at most {currency.decimals} decimals" if currency.decimals else "without decimals"
            )
            self.refuse(field, "INVALID_NUMBER", f"must be an amount from -{most} to {most} {decimals}")
        return amount

    def _present(self, value: object, field: str, required: bool) -> bool:
        if not value and required:
            self.refuse(field, "REQUIRED", "must be given")
        return bool(value)


def _shown(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
