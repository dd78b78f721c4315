"""How current our knowledge of another service is: told by its heartbeat and by our own backlog."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from nats.aio.msg import Msg

from chassis.clock import Clock
from chassis.events.nats import Connection
from chassis.events.subscription import Subscription

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known about a source.

    Attributes:
        pending: its events that have not taken effect here: unpublished there, or waiting in the stream.
        oldest_s: the age of the oldest of them that is known, in seconds; 0 when none is.
        silent_s: seconds since its last heartbeat, or since this service started when there was none.

    """

    pending: int
    oldest_s: float
    silent_s: float


class Beat(msgspec.Struct):
    """A service's heartbeat, sent every 2 seconds as JSON on `beat.<service>`."""

    unpublished: int
    oldest_s: float


class Freshness:
    """Listens to heartbeats and asks the service's own consumers."""

    def __init__(self, service: str, clock: Clock) -> None:
        self._service = service
        self._clock = clock
        self._since = clock.now()
        self._beats: dict[str, tuple[datetime, Beat]] = {}
        self._subscriptions: Sequence[Subscription] = ()

    async def start(self, connection: Connection, subscriptions: Sequence[Subscription]) -> None:
        """Listen, until the connection closes."""
        self._subscriptions = subscriptions
        self._since = self._clock.now()
        await connection.client.subscribe("beat.*", cb=self._hear)

    def of(self, source: str) -> SourceState:
        """The state of the service `source` as seen from here."""
        now = self._clock.now()
        heard, beat = self._beats.get(source, (self._since, Beat(0, 0.0)))
        progresses = [each.progress for each in self._subscriptions if each.source == source]
        ages = [(now - each.oldest).total_seconds() for each in progresses if each.oldest is not None]
        return SourceState(
            pending=beat.unpublished + max((each.pending for each in progresses), default=0),
            oldest_s=max([beat.oldest_s, *ages]),
            silent_s=(now - heard).total_seconds(),
        )

    async def _hear(self, message: Msg) -> None:
        try:
            beat = msgspec.json.decode(message.data, type=Beat)
        except msgspec.DecodeError:
            _log.warning("a heartbeat that cannot be read", subject=message.subject)
            return
        self._beats[message.subject.removeprefix("beat.")] = (self._clock.now(), beat)
