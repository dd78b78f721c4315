"""Dead letters: events that a consumer gave up on. Pure functions of what the services answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from google.protobuf.json_format import MessageToJson, SerializeToJsonError
from google.protobuf.message import DecodeError

from chassis.api.messages import moment
from chassis.errors import Refusal
from chassis.events.registry import events
from chassis.names import Pattern
from chassis.telemetry.tracing import trace_id
from desk.auth.viewer import Viewer
from desk.language.catalogues import N_
from desk.pages.operations.asking import WRITE, of_all
from desk.pages.services import Parts, Silence
from desk.ui.speech import Speech
from rapport.operations.v1.operations_pb2 import DeadLetter

NAME = Pattern("services/{service:code}/consumers/{consumer:code}/deadLetters/{dead_letter}")
DATA_MAX = 20_000
ATTRIBUTES = {
    "ce-subject": N_("Subject"),
    "ce-resourceversion": N_("Version"),
    "ce-authid": N_("Done by"),
    "ce-id": N_("Event"),
    "ce-causationid": N_("Caused by"),
    "ce-correlationid": N_("In the flow"),
}


@dataclass(frozen=True)
class Letter:
    """One of them.

    Attributes:
        event: what happened, as people say it.
        about: the resource.
        why: what the consumer failed with.
        customer: `customers/{customer}` whom it concerns; empty for none.
        may: whether the viewer may replay and drop it.
    """

    name: str
    service: str
    consumer: str
    event: str
    about: str
    why: str
    attempts: str
    age: str
    exactly: str
    customer: str
    may: bool


@dataclass(frozen=True)
class Letters:
    """A list.

    Attributes:
        unknown: services of which nothing came, each with why.
        next_token: goes on with those of one service; empty at the end.
        is_cut: whether there are more than are shown, in a list of several services.
    """

    rows: Sequence[Letter]
    unknown: Sequence[str]
    next_token: str
    is_cut: bool

    @property
    def may(self) -> bool:
        """Whether there is any that the viewer may do something about."""
        return any(each.may for each in self.rows)


@dataclass(frozen=True)
class Detail:
    """One with its event.

    Attributes:
        happened: when; empty when it does not say.
        attributes: what the event says beside its message, and its own names.
        data: the message as JSON, or what stands in its place.
        trace_id: in which it was recorded; empty when it does not say.
    """

    letter: Letter
    happened: str
    attributes: Sequence[tuple[str, str]]
    data: str
    trace_id: str


def letters(parts: Parts, silent: Mapping[str, Silence], viewer: Viewer, say: Speech) -> Letters:
    """A list of those of all services that were asked, oldest first."""
    found = of_all(parts)
    unknown = [
        _unknown(name, part.refusal, silent.get(name), say) for name, part in parts.items() if part.refusal
    ]
    tokens = [part.value.next_page_token for part in parts.values() if part.value]
    count = sum(len(part.value.dead_letters) for part in parts.values() if part.value)
    return Letters(
        [letter(each, viewer, say) for each in found],
        unknown,
        tokens[0] if len(parts) == 1 and tokens else "",
        count > len(found) or (len(parts) > 1 and any(tokens)),
    )


def letter(found: DeadLetter, viewer: Viewer, say: Speech) -> Letter:
    """One as it is shown."""
    _, service, _, consumer, *_ = found.name.split("/")
    at = moment(found.set_aside_time)
    return Letter(
        name=found.name,
        service=service,
        consumer=consumer,
        event=say.fact(found.event_type) or found.subject,
        about=found.resource,
        why=say.code(found.reason.lower()) if found.reason else found.error,
        attempts=say.number(found.attempt_count),
        age=say.lasting(max(say.now - at, at - at)),
        exactly=say.exactly(at),
        customer=found.customer,
        may=viewer.may(f"{service}.{WRITE}"),
    )


def detail(found: DeadLetter, viewer: Viewer, say: Speech) -> Detail:
    """One with its event, of which nothing is personal: events carry names and codes."""
    headers = {name.lower(): unquote(value) for name, value in found.headers.items()}
    return Detail(
        letter(found, viewer, say),
        _happened(headers.get("ce-time", ""), say),
        [(say(told), headers[name]) for name, told in ATTRIBUTES.items() if headers.get(name)],
        _data(found, say),
        trace_id(headers.get("traceparent", "")),
    )


def _happened(time: str, say: Speech) -> str:
    try:
        return say.moment(datetime.fromisoformat(time).astimezone(UTC))
    except (ValueError, OverflowError):
        return ""


def _data(found: DeadLetter, say: Speech) -> str:
    message = events().get(found.event_type)
    if message is None:
        size = say.number(len(found.data))
        return say("{size} bytes of a type that this desk does not know.", size=size)
    try:
        told = MessageToJson(message.FromString(found.data), preserving_proto_field_name=True)
    except (DecodeError, SerializeToJsonError, ValueError, OverflowError):  # a time of no calendar, say
        return say("It is not of the type that it says, or holds what that cannot.")
    return told if len(told) <= DATA_MAX else f"{told[:DATA_MAX]}..."


def _unknown(name: str, refusal: Refusal, silence: Silence | None, say: Speech) -> str:
    if silence is None:
        return say("{service}: {why}", service=name, why=say.refusal(refusal))
    if silence.heard is None:
        return say("{service} is silent since {at}.", service=name, at=say.moment(silence.since))
    return say("{service} last answered {at}.", service=name, at=say.moment(silence.heard))
