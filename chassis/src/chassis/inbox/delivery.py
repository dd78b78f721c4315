"""One message from a durable consumer, and what can be answered to the broker about it."""

import nats.errors
import structlog
from nats.aio.msg import Msg

from chassis import backoff

_log = structlog.get_logger()


class Delivery:
    """A delivered message.

    Attributes:
        headers: the CloudEvents attributes.
        body: the protobuf message.
        key: the resource it is about; deliveries with the same key are handled in order.
        type: the event message's full name; "" when it does not say.
        attempts: how often it has been delivered, this time included.
        subject: where it was published.
        place: its stream and its sequence there.
    """

    def __init__(self, message: Msg) -> None:
        metadata = message.metadata
        self.headers: dict[str, str] = message.headers or {}
        self.body = message.data
        self.key = self.headers.get("ce-subject", "")
        self.type = self.headers.get("ce-type", "")
        self.attempts = metadata.num_delivered
        self.subject = message.subject
        self.place = f"{metadata.stream}:{metadata.sequence.stream}"
        self._message = message

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
        """Ask for it again, when it could not even be set aside."""
        try:
            await self._message.nak(delay=backoff.RETRIES.wait(self.attempts))
        except nats.errors.Error as error:
            _log.debug("a negative acknowledgement was not sent", error=type(error).__name__)
