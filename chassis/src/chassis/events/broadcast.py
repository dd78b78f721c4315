"""What is said over core NATS, at once, and at most once: facts go through the outbox.

To the other replicas of this service, for hints whose loss is bounded otherwise, such as "drop this from
memory"; to every service the heartbeat `beat.<service>`, as JSON: each outbox sends it, each inbox hears it.
"""

import asyncio
import os
from collections.abc import Callable

import msgspec
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from chassis.events.nats import Connection

_ORIGIN_BYTES = 8

_log = structlog.get_logger()


class Broadcast:
    """Sends to and hears from the other replicas of one service."""

    def __init__(self, service: str) -> None:
        self._subject = f"signal.{service}"
        self._origin = os.urandom(_ORIGIN_BYTES)
        self._listeners: list[Callable[[bytes], None]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._client: Client | None = None

    @property
    def epoch(self) -> int | None:
        """Changes whenever something may have been missed; None while nothing can be heard."""
        if self._client is None or not self._client.is_connected:
            return None
        return self._client.stats["reconnects"]

    def listen(self, listener: Callable[[bytes], None]) -> None:
        """Call `listener` with what another replica sends. It must not raise or block."""
        self._listeners.append(listener)

    async def start(self, connection: Connection) -> None:
        await connection.client.subscribe(self._subject, cb=self._hear)
        self._client = connection.client

    def send(self, payload: bytes) -> None:
        """Tell the other replicas; at most 1 MB. Does not wait, and forgets it when the broker is away."""
        if self.epoch is not None:
            task = asyncio.get_running_loop().create_task(self._publish(payload))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _publish(self, payload: bytes) -> None:
        assert self._client is not None
        try:
            await self._client.publish(self._subject, self._origin + payload)
        except (OSError, nats.errors.Error) as error:
            _log.debug("the other replicas were not told", error=type(error).__name__)

    async def _hear(self, message: Msg) -> None:
        if not message.data.startswith(self._origin):
            for listener in self._listeners:
                listener(message.data[_ORIGIN_BYTES:])


class Beat(msgspec.Struct):
    """A service's heartbeat."""

    unpublished: int  # how many of its facts wait to be published, up to 100,000
    lag_s: float  # everything committed before so many seconds ago is published
    sequence: int  # the last sequence of its stream when that was so
    sent_at: float  # when that was, by its wall clock, in seconds since the epoch
    aliases: int | None = None  # the last merge of customers that it knows; None when it keeps none of them
