"""The kinds whose body is one object of JSON that tells of one contact."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from desk.edge.webhooks.contact import Contact, code, line, reference, words
from desk.edge.webhooks.kind import Direction, Kind, Line, Payload, Text, read
from rapport.common.v1 import channel_pb2

P = TypeVar("P", bound=Payload)
_CHANNELS = "|".join(name.removeprefix("CHANNEL_") for name in channel_pb2.Channel.keys()[1:])


class Event(Payload):
    """Any contact, as a department tells it in our own terms."""

    channel: str = Field(pattern=f"^({_CHANNELS})$")
    direction: Direction = "INBOUND"
    summary: Text = Field("", description="what was said")


def _event(told: Event, region_code: str) -> Contact:
    return told.contact(told.channel, words(told.summary), region_code, direction=told.direction)


class Sms(Payload):
    """A text message, from or to a customer."""

    sender: Line = Field(alias="from")
    to: Line = ""
    text: Text
    direction: Direction = "INBOUND"


def _sms(told: Sms, region_code: str) -> Contact:
    number = told.sender if told.direction == "INBOUND" else told.to
    return told.contact("SMS", words(told.text), region_code, ("PHONE", number, ""), direction=told.direction)


class Mention(Payload):
    """A post on a social network that mentions us."""

    network: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="a code, such as `mastodon`")
    handle: Line
    text: Text
    url: Line = ""


def _mention(told: Mention, region_code: str) -> Contact:
    said, author = words(told.text, line(told.url, 1000)), ("SOCIAL", told.handle, told.network)
    found = told.contact("SOCIAL", said, region_code, author)
    return replace(found, name=found.name or line(told.handle))


class Message(BaseModel):
    """One message of a chat."""

    model_config = ConfigDict(populate_by_name=True)

    by: Literal["customer", "agent", "bot"] = Field(alias="from")
    text: Text
    name: Line = ""
    time: AwareDatetime | None = None


class Chat(Payload):
    """The transcript of a chat that is over."""

    email: Line = ""
    phone: Line = ""
    messages: list[Message] = Field(min_length=1, max_length=5000)


def _chat(told: Chat, region_code: str) -> Contact:
    said = "\n".join(f"{line(each.name) or each.by.capitalize()}: {each.text}" for each in told.messages)
    whose, first = [("EMAIL", told.email, ""), ("PHONE", told.phone, "")], told.messages[0]
    direction: Direction = "INBOUND" if first.by != "agent" else "OUTBOUND"
    found = told.contact("CHAT", words(said), region_code, *whose, direction=direction)
    return replace(found, occur_time=told.time or first.time)


class Form(Payload):
    """What somebody filled in on a web site."""

    form: Line = Field("", description="which form; its topic unless one is given")
    email: Line = ""
    phone: Line = ""
    message: Text = ""
    fields: dict[str, Any] = Field(default_factory=dict, max_length=100, description="the others, by name")


def _form(told: Form, region_code: str) -> Contact:
    others = "\n".join(f"{line(name)}: {_shown(value)}" for name, value in told.fields.items())
    whose = [("EMAIL", told.email, ""), ("PHONE", told.phone, "")]
    found = told.contact("WEB", words(told.message, others), region_code, *whose)
    return replace(found, topic=found.topic or code(told.form))


def _shown(value: Any) -> str:
    several = value if isinstance(value, list) else [value]
    return ", ".join(line(str(each), 1000) for each in several)


class Document(Payload):
    """A fax or a letter that lies elsewhere, with what it says."""

    sender: Line = Field("", alias="from", description="a fax's number")
    document: Line = Field(description="where it lies")
    text: Text = Field("", description="what it says, as far as that was read")
    pages: int | None = Field(None, ge=1, le=10_000)
    direction: Direction = "INBOUND"


def _document(told: Document, region_code: str, channel: str) -> Contact:
    sent_by = [("FAX", told.sender, "")] if channel == "FAX" else []
    where = reference(told.reference) or reference(told.document)
    lies = f"Document: {line(told.document, 1000)}" if where != told.document else ""
    said = words(told.text, lies, f"Pages: {told.pages}" if told.pages else "")
    found = told.contact(channel, said, region_code, *sent_by, direction=told.direction)
    return replace(found, reference=where)


def _kind(name: str, model: type[P], contact: Callable[[P, str], Contact]) -> Kind:
    def of(bodies: Sequence[bytes], region_code: str) -> Contact:
        return contact(read(model, bodies[0]), region_code)

    return Kind(name, of)


DECLARED = (
    _kind("event", Event, _event),
    _kind("sms", Sms, _sms),
    _kind("social", Mention, _mention),
    _kind("chat", Chat, _chat),
    _kind("web-form", Form, _form),
    _kind("fax", Document, lambda told, region_code: _document(told, region_code, "FAX")),
    _kind("letter", Document, lambda told, region_code: _document(told, region_code, "LETTER")),
)
