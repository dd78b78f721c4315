"""`fax` and `letter`: a document that lies elsewhere, with what it says."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from pydantic import Field

from desk.edge.webhooks.contact import Contact, line, reference, words
from desk.edge.webhooks.kind import Kind
from desk.edge.webhooks.payload import Direction, Line, Payload, Text, read

Channel = Literal["FAX", "LETTER"]


class Document(Payload):
    """A document, by reference."""

    sender: Line = Field("", alias="from", description="a fax's number")
    document: Line = Field(description="where it lies")
    text: Text = Field("", description="what it says, as far as that was read")
    pages: int | None = Field(None, ge=1, le=10_000)
    direction: Direction = "INBOUND"


def contact(channel: Channel, bodies: Sequence[bytes], region_code: str) -> Contact:
    """The contact. NotUnderstood."""
    told = read(Document, bodies[0])
    sent_by = [("FAX", told.sender, "")] if channel == "FAX" else []
    where = reference(told.reference) or reference(told.document)
    lies = f"Document: {line(told.document, 1000)}" if where != told.document else ""
    said = words(told.text, lies, f"Pages: {told.pages}" if told.pages else "")
    return replace(
        told.contact(channel, said, region_code, *sent_by, direction=told.direction), reference=where
    )


def _of(channel: Channel) -> Callable[[Sequence[bytes], str], Contact]:
    return partial(contact, channel)


DECLARED = (Kind("fax", _of("FAX")), Kind("letter", _of("LETTER")))
