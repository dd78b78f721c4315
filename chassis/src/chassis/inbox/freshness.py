"""How current our knowledge of another service is.

Its heartbeat says: nothing committed before T is unpublished, and the stream then ended at S. What was
committed before T is applied here once our consumer has acknowledged everything up to S, or has nothing left
to deliver or to acknowledge. Fresh is what was complete a moment ago; what is not known to be is not fresh.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js.api import ConsumerInfo

from chassis.events.broadcast import Beat
from chassis.events.declarations import stream_of
from chassis.events.nats import BROKER_ERRORS, Connection
from chassis.inbox.subscription import Subscription
from chassis.telemetry import metrics
from chassis.timeouts import woken

FRESH_S = 4.0  # with what an answer may have been kept, FRESH is said for less than 5 s of something missing
KNOWN_S = 6.0
ASK_EVERY_S = 0.5
ASK_IDLE_S = 2.0
ANSWER_TIMEOUT_S = 2.0
BEATS = 30

_log = structlog.get_logger()


class Standing(StrEnum):
    """What can be said of a source."""

    FRESH = "FRESH"  # what it committed until a moment ago is applied here
    BEHIND = "BEHIND"  # something that it committed is known not to be applied yet
    SILENT = "SILENT"  # it is not known


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known about a source.

    Everything it committed before `age_s` seconds ago is applied here; when that was never known, that is how
    long this service runs. `pending` of its facts are known not to be: unpublished there, or in the stream.
    """

    standing: Standing
    age_s: float
    pending: int


@dataclass(slots=True)
class _Heard:
    """What a service's heartbeats said, in our own monotonic time."""

    at: float = 0.0
    unpublished: int = 0
    aliases: int | None = None
    marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=BEATS))  # T and S
    transits: deque[float] = field(default_factory=lambda: deque(maxlen=BEATS))


@dataclass(slots=True)
class _Reached:
    """How far one consumer is."""

    until: float = -math.inf
    asked: float = 0.0
    pending: int = 0
    created: str = ""
    problem: str = ""


class Freshness:
    """Listens to heartbeats and asks for the state of the service's own consumers."""

    def __init__(self) -> None:
        self._heard: dict[str, _Heard] = {}
        self._reached: dict[str, _Reached] = {}  # by durable
        self._subscriptions: Sequence[Subscription] = ()
        self._beat = asyncio.Event()

    async def start(self, connection: Connection, subscriptions: Sequence[Subscription]) -> None:
        self._connection = connection
        self._subscriptions = subscriptions
        self._since = time.monotonic()
        self._reached = {each.durable: _Reached() for each in subscriptions}
        await connection.client.subscribe("beat.*", cb=self._hear)

    async def run(self) -> None:
        """Ask after every beat, and often while something is on its way, until cancelled."""
        while True:
            self._beat.clear()
            await asyncio.gather(*map(self._ask, self._subscriptions))
            self._tell()
            await woken(self._beat, ASK_EVERY_S if self._is_awaited() else ASK_IDLE_S)

    @property
    def problems(self) -> list[str]:
        """What keeps events from reaching this service, in words."""
        return [reached.problem for reached in self._reached.values() if reached.problem]

    def of(self, source: str) -> SourceState:
        """The state of a service that this one subscribes to."""
        now = time.monotonic()
        heard = self._heard.get(source, _Heard())
        consumers = [self._reached[each.durable] for each in self._subscriptions if each.source == source]
        until = min(each.until for each in consumers)
        age_s = now - (until if until > -math.inf else self._since)
        pending = heard.unpublished + max(each.pending for each in consumers)
        known = now - heard.at < KNOWN_S and all(now - each.asked < KNOWN_S for each in consumers)
        if any(each.problem for each in consumers):
            standing = Standing.SILENT
        elif now - until <= FRESH_S:
            standing = Standing.FRESH
        else:
            standing = Standing.BEHIND if known else Standing.SILENT
        return SourceState(standing, age_s, pending)

    def unaware(self, sequence: int, expected: Sequence[str]) -> list[str]:
        """The services that are not known to know the merge of customers with that number.

        Of those that project merges, as they say themselves or are `expected` to until they are heard.
        """
        known = {name: heard.aliases for name, heard in self._heard.items() if heard.aliases is not None}
        return sorted(name for name in {*known, *expected} if known.get(name, -1) < sequence)

    def _tell(self) -> None:
        now = time.monotonic()
        reached = {(each.durable, each.source): self._reached[each.durable] for each in self._subscriptions}
        metrics.CONSUMER_PENDING.replace({labels: each.pending for labels, each in reached.items()})
        metrics.CONSUMER_LAG.replace(
            {labels: now - max(each.until, self._since) for labels, each in reached.items()}
        )

    def _is_awaited(self) -> bool:
        """Whether the last beat of a source is not reached yet."""
        return any(
            heard.marks and heard.marks[-1][0] > self._reached[each.durable].until
            for each in self._subscriptions
            if (heard := self._heard.get(each.source))
        )

    async def _ask(self, subscription: Subscription) -> None:
        reached = self._reached[subscription.durable]
        asked = time.monotonic()
        heard = self._heard.setdefault(subscription.source, _Heard())
        marks = list(heard.marks)  # the answer is younger than these, and perhaps not than the next one
        stream = stream_of(subscription.source)
        try:
            info = await self._connection.js.consumer_info(
                stream, subscription.durable, timeout=ANSWER_TIMEOUT_S
            )
        except nats.js.errors.NotFoundError:
            where = f"{subscription.durable} on the stream {stream}"
            reached.problem = f"the broker has no consumer {where}: provision it again"
        except BROKER_ERRORS as error:
            _log.debug("a consumer's state is not known", error=type(error).__name__)
        else:
            if reached.created not in ("", str(info.created)):
                # Another consumer of the same name: what it has delivered says nothing about older beats.
                marks.clear()
                heard.marks.clear()
            _note(reached, info, marks, asked)

    async def _hear(self, message: Msg) -> None:
        try:
            beat = msgspec.json.decode(message.data, type=Beat)
        except msgspec.MsgspecError:
            _log.warning("a heartbeat that cannot be read", subject=message.subject)
            return
        heard = self._heard.setdefault(message.subject.removeprefix("beat."), _Heard())
        now = time.monotonic()
        # By how much clocks differ is not known; the quickest of the last beats tells how long a slow one was
        # on its way, for example through a broker that stood still.
        transit = now - beat.sent_at
        heard.transits.append(transit)
        late_s = transit - min(heard.transits)
        heard.at, heard.unpublished, heard.aliases = now, beat.unpublished, beat.aliases
        heard.marks.append((now - late_s - beat.lag_s, beat.sequence))
        self._beat.set()


def _note(reached: _Reached, info: ConsumerInfo, marks: Sequence[tuple[float, int]], asked: float) -> None:
    """Take in the state of a consumer, asked for after the beats of `marks` were heard."""
    waiting, unacknowledged = info.num_pending or 0, info.num_ack_pending or 0
    floor = info.ack_floor.stream_seq if info.ack_floor else 0
    for until, sequence in marks:
        if sequence <= floor or not (waiting or unacknowledged):
            reached.until = max(reached.until, until)
    reached.asked, reached.created, reached.problem = asked, str(info.created), ""
    reached.pending = waiting + unacknowledged
