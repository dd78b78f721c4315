"""One message from a durable consumer, and the four things that can become of it."""

import random
from datetime import datetime

import nats.errors
import structlog
from nats.aio.msg import Msg

from chassis.errors import Refusal
from chassis.events import envelope
from chassis.events.nats import Connection

RETRY_MAX_S = 300.0

_log = structlog.get_logger()


class Delivery:
    """A delivered message.

    Attributes:
        headers: the CloudEvents attributes.
        body: the protobuf message.
        key: the resource it is about; deliveries with the same key are handled in order.
        attempts: how often it has been delivered, this time included.
        behind: how many more wait in the stream.
        time: when it happened, if it says so.

    """

    def __init__(self, message: Msg, connection: Connection, service: str, durable: str) -> None:
        metadata = message.metadata
        self.headers: dict[str, str] = message.headers or {}
        self.body = message.data
        self.key = self.headers.get("ce-subject", "")
        self.attempts = metadata.num_delivered
        self.behind = metadata.num_pending
        self.time = _time(self.headers.get("ce-time", ""))
        self._stream, self._sequence = metadata.stream, metadata.sequence.stream
        self._message = message
        self._js = connection.js
        self._service = service
        self._durable = durable

    async def done(self) -> None:
        """Acknowledge. Lost with the connection, it is delivered again, and the inbox knows it."""
        try:
            await self._message.ack()
        except nats.errors.Error as error:
            _log.debug("an acknowledgement was not sent", error=type(error).__name__)

    async def hold(self) -> None:
        """Say that it is still in work."""
        try:
            await self._message.in_progress()
        except nats.errors.Error as error:
            _log.debug("a delivery was not held", error=type(error).__name__)

    async def later(self) -> None:
        """Ask for it again, after 1, 2, 4 ... 300 seconds, give or take a fifth."""
        wait_s = min(2.0 ** (self.attempts - 1), RETRY_MAX_S) * random.uniform(0.8, 1.2)  # noqa: S311
        try:
            await self._message.nak(delay=wait_s)
        except nats.errors.Error as error:
            _log.debug("a negative acknowledgement was not sent", error=type(error).__name__)

    async def give_up(self, error: BaseException) -> None:
        """Put it with the dead letters, and only then let it go."""
        reason = error.reason if isinstance(error, Refusal) else ""
        _log.error(
            "an event is dead-lettered", durable=self._durable, event_id=self.headers.get("ce-id", ""),
            error=type(error).__name__, reason=reason, attempts=self.attempts, exc_info=error,
        )  # fmt: skip
        letter = self.headers | {
            # By its place in the stream: a replayed event that fails again is another dead letter.
            "Nats-Msg-Id": f"{self._stream}:{self._sequence}:{self._durable}",
            "dead-subject": self._message.subject,
            "dead-error": type(error).__name__,
            "dead-reason": reason,
            "dead-attempts": str(self.attempts),
        }
        try:
            await self._js.publish(
                f"dead.{self._service}.{self._durable}", self.body, timeout=5, headers=letter
            )
            await self._message.term()
        except nats.errors.Error as failure:
            _log.warning("a dead letter could not be stored", error=type(failure).__name__)
            await self.later()


def _time(text: str) -> datetime | None:
    try:
        return envelope.moment(text)
    except ValueError:
        return None
