"""`chat`: the transcript of a chat that is over."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from desk.edge.webhooks.contact import Contact, line, words
from desk.edge.webhooks.kind import Kind
from desk.edge.webhooks.payload import Line, Payload, Text, read


class Message(BaseModel):
    """One message of a chat."""

    model_config = ConfigDict(populate_by_name=True)

    by: Literal["customer", "agent", "bot"] = Field(alias="from")
    text: Text
    name: Line = ""
    time: AwareDatetime | None = None


class Chat(Payload):
    """A chat."""

    email: Line = ""
    phone: Line = ""
    messages: list[Message] = Field(min_length=1, max_length=5000)


def contact(bodies: Sequence[bytes], region_code: str) -> Contact:
    """The contact. NotUnderstood."""
    told = read(Chat, bodies[0])
    said = "\n".join(f"{line(each.name) or each.by.capitalize()}: {each.text}" for each in told.messages)
    return replace(
        told.contact(
            "CHAT",
            words(said),
            region_code,
            ("EMAIL", told.email, ""),
            ("PHONE", told.phone, ""),
            direction="INBOUND" if told.messages[0].by != "agent" else "OUTBOUND",
        ),
        occur_time=told.time or told.messages[0].time,
    )


DECLARED = (Kind("chat", contact),)
