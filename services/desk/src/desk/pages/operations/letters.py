"""Dead letters, events that a consumer gave up on: what is said of them, and replaying and dropping them."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4, uuid5

from google.protobuf.json_format import MessageToJson, SerializeToJsonError
from google.protobuf.message import DecodeError
from starlette.datastructures import FormData

from chassis.api.messages import moment
from chassis.errors import InvalidArgument, NotFound, Refusal, Violation
from chassis.events.registry import events
from chassis.names import CODE, Pattern
from chassis.telemetry.tracing import trace_id
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.operations.asking import LETTERS_MAX, WRITE, of_all, operations
from desk.pages.services import Parts, Services, Silence, refusal_of
from desk.ui.speech import Speech
from rapport.operations.v1.operations_pb2 import DeadLetter
from rapport.operations.v1.operations_service_pb2 import DeleteDeadLetterRequest, ReplayDeadLetterRequest

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
AT_ONCE = 8
EACH_S = 5.0
REASONS = ("repaired-by-hand", "no-longer-needed", "malformed")


@dataclass(frozen=True)
class Letter:
    """One of them."""

    name: str
    consumer: str
    event: str  # what happened, as people say it
    why: str  # what the consumer failed with
    attempts: str
    age: str
    exactly: str
    customer: str  # `customers/{customer}` whom it concerns; empty for none
    may: bool  # whether the viewer may replay and drop it


@dataclass(frozen=True)
class Letters:
    """A list."""

    rows: Sequence[Letter]
    unknown: Sequence[str]  # services of which nothing came, each with why
    next_token: str  # goes on with those of one service; empty at the end
    is_cut: bool  # whether there are more than are shown, in a list of several services

    @property
    def may(self) -> bool:
        return any(each.may for each in self.rows)


@dataclass(frozen=True)
class Detail:
    """One with its event."""

    letter: Letter
    happened: str  # when; empty when it does not say
    attributes: Sequence[tuple[str, str]]  # what the event says beside its message, and its own names
    data: str  # the message as JSON, or what stands in its place
    trace_id: str  # in which it was recorded; empty when it does not say


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
    _, service, _, consumer, *_ = found.name.split("/")
    at = moment(found.set_aside_time)
    return Letter(
        name=found.name,
        consumer=consumer,
        event=say.fact(found.event_type) or found.subject,
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


@dataclass(frozen=True)
class Chosen:
    """What is to be done about which dead letters."""

    act: str  # `replay` or `drop`
    names: Sequence[str]  # which
    everything: str | None  # of one service, or of all when that is empty, instead of names; None for names
    reason: str  # why they may stay missing, a code, of a drop
    request_id: UUID  # makes it happen once, however often it is sent
    sure: bool  # whether it was said once what will happen. To replay one needs no saying: it harms nothing.

    @property
    def reason_error(self) -> bool:
        return self.act == "drop" and not re.fullmatch(CODE, self.reason)


@dataclass(frozen=True)
class Done:
    """What became of one."""

    name: str
    ok: bool
    words: str


def chosen(form: FormData) -> Chosen:
    """What a form says. InvalidArgument, with everything that is wrong with it."""
    wrong = []
    act, names = str(form.get("act", "")), [str(each) for each in form.getlist("name")]
    if act not in ("replay", "drop"):
        wrong.append(Violation("act", "INVALID_ENUM", "must be replay or drop"))
    if len(names) > LETTERS_MAX:
        wrong.append(Violation("name", "TOO_LONG", f"must be at most {LETTERS_MAX}"))
    if any(NAME.match(each) is None for each in names):
        wrong.append(Violation("name", "INVALID_NAME", f"must be a name like {NAME}"))
    try:
        request_id = UUID(str(form.get("request_id") or uuid4()))
    except ValueError:
        wrong.append(Violation("request_id", "INVALID_UUID", "must be a UUID"))
    if wrong:
        raise InvalidArgument(wrong)
    everything = str(form.get("of", "")) if "all" in form else None
    reason = str(form.get("reason", "")).strip()
    sure = "sure" in form or (act == "replay" and len(names) == 1)
    return Chosen(act, list(dict.fromkeys(names)), everything, reason, request_id, sure)


async def do(services: Services, wanted: Chosen, say: Speech) -> list[Done]:
    """Do it with each, a few at once. What one is refused costs the others nothing."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> Done:
        async with room:
            try:
                await _call(services, wanted, name)
            except Exception as error:
                return Done(name, False, _refused(refusal_of(error), say))
            return Done(name, True, say("is tried again") if wanted.act == "replay" else say("is dropped"))

    return list(await asyncio.gather(*map(one, wanted.names)))


async def _call(services: Services, wanted: Chosen, name: str) -> None:
    service, *_ = NAME.parse(name)
    if service not in services.channels:
        raise NotFound(f"services/{service}")
    # Of what is asked, so that the same form with another reason is another request.
    request_id = str(uuid5(wanted.request_id, f"{wanted.act} {wanted.reason} {name}"))
    stub: Any = operations(services, service)
    if wanted.act == "replay":
        await stub.ReplayDeadLetter(ReplayDeadLetterRequest(name=name, request_id=request_id), timeout=EACH_S)
        return
    request = DeleteDeadLetterRequest(name=name, reason_code=wanted.reason, request_id=request_id)
    await stub.DeleteDeadLetter(request, timeout=EACH_S)


def _refused(refusal: Refusal, say: Speech) -> str:
    if refusal.code == "NOT_FOUND":
        return say("is no dead letter any more: somebody else was faster, or it is being tried")
    if refusal.code == "PERMISSION_DENIED":
        return say("is not yours to change: {why}", why=say.refusal(refusal))
    return say("{why} ({reason})", why=say.refusal(refusal), reason=refusal.reason)
