"""`event`: what a department tells in our own terms."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from desk.edge.webhooks.contact import Contact, words
from desk.edge.webhooks.kind import Kind
from desk.edge.webhooks.payload import Direction, Payload, Text, read

Channel = Literal[
    "VOICE",
    "IVR",
    "EMAIL",
    "CHAT",
    "SMS",
    "WEB",
    "APP",
    "SOCIAL",
    "FAX",
    "LETTER",
    "FIELD_VISIT",
    "IN_PERSON",
]


class Event(Payload):
    """Any contact."""

    channel: Channel
    direction: Direction = "INBOUND"
    summary: Text = Field("", description="what was said")


def contact(bodies: Sequence[bytes], region_code: str) -> Contact:
    """The contact. NotUnderstood."""
    told = read(Event, bodies[0])
    return told.contact(told.channel, words(told.summary), region_code, direction=told.direction)


DECLARED = (Kind("event", contact),)
