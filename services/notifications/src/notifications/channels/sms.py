"""The channel of text messages, and the gateway that takes a signed webhook (Standard Webhooks) for each.

The gateway knows a message by its `webhook-id` and sends what it has taken once, however often it is handed
over: a repeat after a lost answer reaches nobody twice. A provider of its own is in a module of its own.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import httpx2

from chassis import failpoints
from chassis.api.handles import judge
from chassis.api.webhooks import signature
from chassis.clock import Clock
from chassis.telemetry.tracing import client_span
from chassis.work import Ours, Refused
from notifications.channels.channel import Away, Unwanted
from notifications.domain.notice import Notice
from notifications.domain.reasons import Reason
from notifications.domain.route import Addressed
from notifications.domain.segments import segments
from notifications.peers.contacts import Contact
from notifications.usecases.attempt import Delivery
from notifications.usecases.words import Words

NAME = "providers/gateway"
BY_TEXT = Addressed("PHONE", "receipt", "receipt")
ANSWER_S = 60.0
CONNECT_S = 10.0
_UNPROCESSABLE, _TOO_MANY = 422, 429
_OF_WHAT_IT_SAYS = (400, 413)
_PROXYS = (502, 504)  # of who stands between: what is behind may have taken it
_SUCCESS, _FAULT = 2, 5


@dataclass(frozen=True, repr=False, slots=True)
class Text:
    """One text message. Personal: used once, never kept, never shown."""

    key: str
    content: bytes  # as it is handed over, JSON


class Taker(Protocol):
    """Who takes text messages over HTTP: how a message is written, signed and answered there."""

    @property
    def url(self) -> str:
        """Where messages are posted."""

    @property
    def name(self) -> str:
        """The provider, `providers/{id}`."""

    @property
    def idempotent(self) -> bool:
        """As a channel has it."""

    def content(self, key: str, number: str, text: str, language_code: str) -> bytes:
        """A message to `number`, E.164."""

    def headers(self, message: Text) -> dict[str, str]:
        """By which it knows us."""

    def read(self, answer: httpx2.Response) -> str:
        """What an answer means, as `Channel.send` has it. RuntimeError for one that leaves it open."""


@dataclass(slots=True, repr=False)
class SmsChannel:
    """Text messages, of at most `segments_most` segments, by one who takes them."""

    taker: Taker
    segments_most: int
    a_minute: int
    code: str = "SMS"
    addressed: Addressed | None = BY_TEXT

    @property
    def provider(self) -> str:
        return self.taker.name

    @property
    def idempotent(self) -> bool:
        return self.taker.idempotent

    def key(self, notice: Notice) -> str:
        """The notice and its revision."""
        return f"{notice.id}.{notice.revision}"

    async def prepare(self, delivery: Delivery, contact: Contact, words: Words) -> Text:
        """The plain text. Refused when there is no such number; Ours when it takes too many segments."""
        number = judge("PHONE", contact.address, "").normalized_value
        if not number:
            raise Refused(Reason.INVALID_ADDRESS)
        text = words.body.replace("\r\n", "\n").strip()
        if segments(text) > self.segments_most:
            raise Ours(Reason.TEXT_TOO_LONG)
        key = self.key(delivery.notice)
        return Text(key, self.taker.content(key, number, text, delivery.text.language_code))

    async def send(
        self, message: Text, ready: Callable[[str], Awaitable[None]], commit_to_it: Callable[[], None]
    ) -> str:
        """Hand it over. See the README for what each answer means."""
        failpoints.hit("provider.before_send")
        limits = httpx2.Timeout(ANSWER_S, connect=CONNECT_S)
        with client_span("send sms", {"url.full": self.taker.url}):
            async with httpx2.AsyncClient(timeout=limits) as client:
                await ready(hashlib.sha256(message.content).hexdigest())
                headers = {"content-type": "application/json", **self.taker.headers(message)}
                commit_to_it()
                try:
                    answer = await client.post(self.taker.url, content=message.content, headers=headers)
                except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                    raise Away(Reason.NO_CONNECTION) from error
            failpoints.hit("provider.after_accept")
            return self.taker.read(answer)


@dataclass(frozen=True, slots=True, repr=False)
class Gateway:
    """A gateway of the installation's own, in front of any provider."""

    url: str
    secret: Callable[[], str]
    clock: Clock
    name: str = NAME
    idempotent: bool = True

    def content(self, key: str, number: str, text: str, language_code: str) -> bytes:
        told = {"id": key, "to": number, "text": text, "language": language_code, "segments": segments(text)}
        return json.dumps(told, ensure_ascii=False).encode()

    def headers(self, message: Text) -> dict[str, str]:
        stamp = str(int(self.clock.now().timestamp()))
        return {
            "webhook-id": message.key,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature(self.secret(), message.key, stamp, message.content)}",
        }

    def read(self, answer: httpx2.Response) -> str:
        status = answer.status_code
        if status // 100 == _SUCCESS:
            return str(status)
        if status in _PROXYS:
            raise RuntimeError("somebody between did not hear the answer")
        if status == _UNPROCESSABLE:
            raise Refused(str(status))
        if status == _TOO_MANY or status // 100 == _FAULT:
            raise Away(str(status), leave_alone(answer))
        raise Unwanted(str(status)) if status in _OF_WHAT_IT_SAYS else Ours(str(status))


def leave_alone(answer: httpx2.Response) -> timedelta | None:
    """For how long a provider asks to be left alone, in seconds; None when it does not say."""
    asked = answer.headers.get("retry-after", "")
    return timedelta(seconds=int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None
