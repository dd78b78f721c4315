"""A section's content: whether it is what its schema says, and the cells that a page draws of it."""

import math
import re
from datetime import datetime
from typing import Any, cast

from google.protobuf.message import DecodeError, Message

from chassis.api import wellknown
from chassis.api.formats import Wrong, text
from chassis.errors import Violation
from chassis.visible import shows_something
from customer.usecases.section_layout import SectionField, SectionLayout
from rapport.customer.v1.section_pb2 import SectionCell
from rapport.options.v1 import layout_pb2 as formats
from rapport.options.v1.options_pb2 import Allowed

CONTENT_MAX_BYTES, LINK_MAX = 2048, 500
# RFC 3986: nothing that would end an attribute or begin an element where somebody writes it into a page.
_LINK = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#][A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]*)?")
_ANY_AMOUNT = Allowed(least=-(10**12))
_TEXT = text()
_NO_VALUE = "INVALID_ENUM", "must be a value that the schema's enum has"
_INFINITE = "INVALID_NUMBER", "must be a finite number"
_NO_LINK = (
    "INVALID_LINK",
    f"must begin with https:// and have at most {LINK_MAX} characters, as URIs have them",
)
_VALUES = {
    formats.CELL_FORMAT_TEXT: "text",
    formats.CELL_FORMAT_LINK: "text",
    formats.CELL_FORMAT_COUNT: "count",
    formats.CELL_FORMAT_NUMBER: "number",
    formats.CELL_FORMAT_PERCENT: "number",
    formats.CELL_FORMAT_MONEY: "money",
    formats.CELL_FORMAT_DATE: "date",
    formats.CELL_FORMAT_TIME: "time",
    formats.CELL_FORMAT_FLAG: "flag",
}


def check_content(
    layout: SectionLayout, content: bytes, path: str, now: datetime, found: list[Violation]
) -> bytes:
    """The content as it is kept, when it is a message of the schema with nothing else in it.

    Adds what is wrong with it to `found`, `path` being where it is in the request: TOO_LONG,
    INVALID_CONTENT, and the reasons of requests for what its fields hold.
    """

    def refuse(reason: str, description: str) -> bytes:
        found.append(Violation(path, reason, description))
        return b""

    if len(content) > CONTENT_MAX_BYTES:
        return refuse("TOO_LONG", f"must be of at most {CONTENT_MAX_BYTES} bytes")
    try:
        message = layout.message.FromString(content)
    except DecodeError:
        return refuse("INVALID_CONTENT", "must be a serialised message of the schema's type")
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() != size:
        return refuse("INVALID_CONTENT", "must hold only fields that the schema has")
    for field in layout.fields:
        value, where = getattr(message, field.name), f"{path}.{field.name}"
        if not _is_there(field, message):
            continue
        if isinstance(value, Message):
            known: Any = wellknown.look(cast(Any, value.DESCRIPTOR), _ANY_AMOUNT)
            known(value, where, now, found)
        elif wrong := _wrong(field, value):
            found.append(Violation(where, *wrong))
    return message.SerializeToString(deterministic=True)


def cells(layout: SectionLayout, content: bytes) -> list[SectionCell]:
    """What is drawn of content that this schema, or one before it, found right."""
    message = layout.message.FromString(content)
    drawn = [_cell(field, message) for field in layout.drawn if _is_there(field, message)]
    return [cell for cell in drawn if cell.WhichOneof("value") != "text" or shows_something(cell.text)]


def _is_there(field: SectionField, message: Any) -> bool:
    """Whether a field says something: numbers and flags do unless they are `optional` and not set."""
    if field.is_optional or isinstance(getattr(message, field.name), Message):
        return bool(message.HasField(field.name))
    return bool(getattr(message, field.name)) or _VALUES[field.format] != "text"


def _cell(field: SectionField, message: Any) -> SectionCell:
    value = getattr(message, field.name)
    cell = SectionCell(label=field.label, format=field.format)
    if isinstance(value, Message):
        target = getattr(cell, _VALUES[field.format])
        target.SetInParent()
        target.MergeFromString(value.SerializeToString())
        stands_out = value.ByteSize() > 0 if field.format != formats.CELL_FORMAT_MONEY else _owes(value)
    else:
        stands_out = bool(value)
        setattr(cell, _VALUES[field.format], field.words.get(value, "") if field.words else value)
    cell.alarm = field.alarm and stands_out
    if cell.format == formats.CELL_FORMAT_LINK and not _LINK.fullmatch(cell.text):
        cell.format = formats.CELL_FORMAT_TEXT  # put before its schema called it a link
    return cell


def _owes(money: Any) -> bool:
    return bool(money.units or money.nanos)


def _wrong(field: SectionField, value: Any) -> Wrong | None:
    """What is wrong with a value that is no message."""
    if field.words:
        return None if value in field.words else _NO_VALUE
    if isinstance(value, float):
        return None if math.isfinite(value) else _INFINITE
    if field.format == formats.CELL_FORMAT_LINK:
        return None if len(value) <= LINK_MAX and _LINK.fullmatch(value) else _NO_LINK
    return _TEXT(value) if isinstance(value, str) else None
