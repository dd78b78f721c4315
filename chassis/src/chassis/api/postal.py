"""What an address by post may be (google.type.PostalAddress): of a country, and of bounded size."""

from datetime import datetime

from google.type.postal_address_pb2 import PostalAddress

from chassis.api.formats import FORMATS, text
from chassis.api.validation import Found
from chassis.errors import Violation
from chassis.visible import shows_something
from rapport.options.v1 import options_pb2

LINES_MAX = 5
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


def look(sent: PostalAddress, path: str, now: datetime, found: Found) -> None:
    """The check of an address."""

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
