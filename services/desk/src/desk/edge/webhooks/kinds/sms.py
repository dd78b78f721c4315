"""`sms`: a text message, from or to a customer."""

from collections.abc import Sequence

from pydantic import Field

from desk.edge.webhooks.contact import Contact, code, line, reference, words
from desk.edge.webhooks.kind import Kind
from desk.edge.webhooks.payload import Direction, Line, Payload, Text, read


class Sms(Payload):
    """A text message."""

    sender: Line = Field(alias="from")
    to: Line = ""
    text: Text
    direction: Direction = "INBOUND"


def contact(bodies: Sequence[bytes], region_code: str) -> Contact:
    """The contact. NotUnderstood."""
    told = read(Sms, bodies[0])
    number = told.sender if told.direction == "INBOUND" else told.to
    return Contact(
        channel="SMS",
        direction=told.direction,
        handles=told.handles(region_code, ("PHONE", number, "")),
        customer=told.customer,
        name=line(told.name),
        summary=words(told.text),
        topic=code(told.topic),
        reference=reference(told.reference),
        occur_time=told.time,
        language_code=told.language,
    )


DECLARED = (Kind("sms", contact),)
