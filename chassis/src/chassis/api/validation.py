"""Checks by hand, for rules of requests and for what is judged item by item: see `chassis.api.checks`.

    def check_row(check: Check, row: Row, now: datetime) -> None:
        kind = check.enum(Channel.DESCRIPTOR, row.channel, "channel")
        if kind == "LETTER" and not row.address:
            check.refuse("address", "REQUIRED", "must be given for letters")

A check returns the value in its Python type. What it returns for a violation is a placeholder. Descriptions
say what is allowed and never repeat what was sent: it may be personal. Fields are required unless a call says
otherwise.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message

from chassis.api.messages import enum_name, moment
from chassis.api.text import bad_texts
from chassis.api.wellknown import EARLIEST, LATEST, Found, is_moment, shown
from chassis.context import current_call
from chassis.errors import InvalidArgument, Violation
from chassis.names import CODE, Pattern
from chassis.visible import shows_something

T = TypeVar("T")
DEPARTMENT = Pattern("departments/{department:code}")
BATCH_MAX = 1000
INT64_MAX = 2**63 - 1
_CODE = re.compile(CODE)


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

    def code(self, value: str, field: str, *, required: bool = True) -> str:
        """A code: 1 to 63 lower-case letters, digits and dashes. INVALID_CODE."""
        if self._present(value, field, required) and not _CODE.fullmatch(value):
            allowed = (
                "must be 1 to 63 lower-case letters, digits and dashes, beginning with a letter or digit"
            )
            self.refuse(field, "INVALID_CODE", allowed)
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
        if is_moment(sent) and earliest <= moment(sent) <= latest:
            return moment(sent)
        self.refuse(field, "INVALID_TIME", f"must be a time from {shown(earliest)} to {shown(latest)}")
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

    def _present(self, value: object, field: str, required: bool) -> bool:
        if not value and required:
            self.refuse(field, "REQUIRED", "must be given")
        return bool(value)
