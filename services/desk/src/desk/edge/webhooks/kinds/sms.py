"""`sms`: a text message, from or to a customer."""

from collections.abc import Sequence

from pydantic import Field

from desk.edge.webhooks.contact import Contact, words
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
    return told.contact("SMS", words(told.text), region_code, ("PHONE", number, ""), direction=told.direction)


DECLARED = (Kind("sms", contact),)
