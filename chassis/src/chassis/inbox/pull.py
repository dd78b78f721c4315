"""Fetching from a durable consumer: one request, answered as soon as anything is there; and answering it.

The client library's own `fetch` waits for a full batch or for the timeout, and turns a missing consumer into
a hot loop.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from itertools import count
from uuid import UUID, uuid5

import nats.errors
import structlog
from nats.aio.msg import Msg

from chassis import backoff
from chassis.events.nats import Connection

_GONE = {"409", "503"}
_SLACK_S = 1.0
# At once, whatever their number: who tells events of 256 KiB must not fill the memory of who hears them.
BYTES_MAX = 8 * 1024 * 1024
_log = structlog.get_logger()


class Missing(Exception):
    """The consumer does not exist, or JetStream is not there."""


class Pull:
    """Batches from one durable consumer. One fetch at a time."""

    def __init__(self, connection: Connection, stream: str, durable: str) -> None:
        self._client = connection.client
        self._restored = connection.restored
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._requests = count()
        self._reply = ""
        self._wanted = 0
        self._status: str | None = None
        self._messages: deque[Msg] = deque()
        self._answered = asyncio.Event()

    async def open(self) -> None:
        self._inbox = self._client.new_inbox()
        self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._receive)
        self._restored.add(self.interrupt)

    async def fetch(self, batch: int, wait_s: float) -> list[Msg]:
        """Up to `batch` messages: at once when there are any, else when the first arrives within `wait_s`.

        Raises Missing, or nats.errors.Error when the connection is closed.
        """
        if not self._messages:
            await self._request(batch, wait_s)
        found = [self._messages.popleft() for _ in range(min(batch, len(self._messages)))]
        if not found and self._status in _GONE:
            raise Missing(self._subject)
        return found

    def interrupt(self) -> None:
        """Let a waiting `fetch` return what it has."""
        self._answered.set()

    async def close(self) -> None:
        """Stop receiving, and give back what nobody took, so that it need not wait for its time-out."""
        self._restored.discard(self.interrupt)
        if self._client.is_connected:
            await self._subscription.unsubscribe()
            for message in self._messages:
                await message.nak()

    async def _request(self, batch: int, wait_s: float) -> None:
        self._reply, self._wanted, self._status = f"{self._inbox}.{next(self._requests)}", batch, None
        self._answered.clear()
        # With both, the server waits for the first message and then sends only what is there.
        request = {"batch": batch, "max_bytes": BYTES_MAX, "expires": int(wait_s * 1e9), "no_wait": True}
        await self._client.publish(self._subject, json.dumps(request).encode(), self._reply)
        try:
            async with asyncio.timeout(wait_s + _SLACK_S):
                await self._answered.wait()
        except TimeoutError:
            return  # the request was lost with its connection; the next one goes over the new one

    async def _receive(self, message: Msg) -> None:
        if message.subject.startswith(
            self._inbox
        ):  # the server's word on a request; an event keeps its own subject
            if message.subject == self._reply:
                self._status = (message.headers or {}).get("Status", "")
                self._answered.set()
        else:
            self._messages.append(message)
            if len(self._messages) >= self._wanted:
                self._answered.set()


@dataclass(eq=False)
class Kept:
    """An event to be tried, and kept when it cannot be applied. This time is one of the attempts."""

    event_id: UUID
    subject: str
    headers: Mapping[str, str]
    body: bytes
    attempts: int


class Delivery(Kept):
    """A delivered message. Those with the same key, the resource they are about, are handled in order.

    It is known by its id; without a right one by its first place in the stream. The type is the event
    message's full name; "" when it does not say.
    """

    def __init__(self, message: Msg) -> None:
        told, headers = message.metadata, message.headers or {}
        event_id = id_in(headers, "ce-id") or uuid5(UUID(int=0), f"{told.stream}:{told.sequence.stream}")
        super().__init__(event_id, message.subject, headers, message.data, told.num_delivered)
        self.key = headers.get("ce-subject", "")
        self.type = headers.get("ce-type", "")
        self._message = message

    async def done(self) -> None:
        """Acknowledge. Lost with the connection, it is delivered again, and the inbox knows it."""
        await _said(self._message.ack())

    async def hold(self) -> None:
        """Say that it is still in work."""
        await _said(self._message.in_progress())

    async def later(self) -> None:
        """Ask for it again, when it could not even be set aside."""
        await _said(self._message.nak(delay=backoff.RETRIES.wait(self.attempts)))


def id_in(headers: Mapping[str, str], name: str) -> UUID | None:
    try:
        return UUID(headers[name])
    except (KeyError, ValueError):
        return None


async def _said(word: Awaitable[None]) -> None:
    try:
        await word
    except nats.errors.Error as error:
        _log.debug("the broker was not told of a delivery", error=type(error).__name__)
