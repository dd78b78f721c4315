"""The channel of text messages: a gateway that takes a signed webhook (Standard Webhooks) for each.

It knows a message by its `webhook-id` and sends what it has taken once, however often it is handed over: a
repeat after a lost answer reaches nobody twice.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx2

from chassis import failpoints
from chassis.api.handles import judge
from chassis.api.webhooks import signature
from chassis.clock import Clock
from chassis.telemetry.tracing import client_span
from chassis.work import Ours, Refused
from notifications.domain.notice import Notice
from notifications.domain.segments import segments
from notifications.jobs.channel import Away
from notifications.jobs.peers import Contact
from notifications.usecases.attempt import Delivery
from notifications.usecases.words import Words

NAME = "providers/sms"
ANSWER_S = 60.0
CONNECT_S = 10.0
_UNPROCESSABLE, _TOO_MANY = 422, 429
_PROXYS = (502, 504)  # of who stands between: what is behind may have taken it
_SUCCESS, _FAULT = 2, 5


@dataclass(frozen=True, repr=False, slots=True)
class Text:
    """One text message. Personal: used once, never kept, never shown."""

    key: str
    content: bytes  # as it is handed over, JSON


@dataclass(slots=True, repr=False)
class SmsChannel:
    """Text messages, of at most `segments_most` segments, by the gateway at `url`."""

    url: str
    secret: Callable[[], str]
    segments_most: int
    clock: Clock
    code: str = "SMS"
    provider: str = NAME
    idempotent: bool = True

    def key(self, notice: Notice) -> str:
        """The `webhook-id`: the notice and its revision."""
        return f"{notice.id}.{notice.revision}"

    async def prepare(self, delivery: Delivery, contact: Contact, words: Words) -> Text:
        """The plain text. Refused when there is no such number; Ours when it takes too many segments."""
        number = judge("PHONE", contact.address, "").normalized_value
        if not number:
            raise Refused("invalid-address")
        text = words.body.replace("\r\n", "\n").strip()
        if (count := segments(text)) > self.segments_most:
            raise Ours("text-too-long")
        key = self.key(delivery.notice)
        told = {"id": key, "to": number, "text": text, "language": delivery.text.language_code}
        return Text(key, json.dumps({**told, "segments": count}, ensure_ascii=False).encode())

    async def send(
        self, message: Text, ready: Callable[[str], Awaitable[None]], commit_to_it: Callable[[], None]
    ) -> str:
        """Hand it over. See the README for what each answer means."""
        failpoints.hit("provider.before_send")
        limits = httpx2.Timeout(ANSWER_S, connect=CONNECT_S)
        with client_span("send sms", {"url.full": self.url}):
            async with httpx2.AsyncClient(timeout=limits) as client:
                await ready(hashlib.sha256(message.content).hexdigest())
                headers = self._signed(message)
                commit_to_it()
                try:
                    answer = await client.post(self.url, content=message.content, headers=headers)
                except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                    raise Away("no-connection") from error
            failpoints.hit("provider.after_accept")
            return self._read(answer)

    def _signed(self, message: Text) -> dict[str, str]:
        stamp = str(int(self.clock.now().timestamp()))
        return {
            "content-type": "application/json",
            "webhook-id": message.key,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature(self.secret(), message.key, stamp, message.content)}",
        }

    def _read(self, answer: httpx2.Response) -> str:
        """What an answer means. RuntimeError for one that leaves it open."""
        status = answer.status_code
        if status // 100 == _SUCCESS:
            return str(status)
        if status in _PROXYS:
            raise RuntimeError("somebody between did not hear the answer")
        if status == _UNPROCESSABLE:
            raise Refused(str(status))
        if status == _TOO_MANY or status // 100 == _FAULT:
            raise Away(str(status), leave_alone(answer))
        raise Ours(str(status))


def leave_alone(answer: httpx2.Response) -> timedelta | None:
    """For how long a provider asks to be left alone, in seconds; None when it does not say."""
    asked = answer.headers.get("retry-after", "")
    return timedelta(seconds=int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None
