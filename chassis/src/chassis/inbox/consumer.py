"""Running a subscription: fetch, handle, acknowledge; set aside what fails, or wait out an outage."""

import asyncio
from collections import deque
from collections.abc import Sequence

import nats.errors
import structlog

from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.events.declarations import stream_of
from chassis.events.nats import Connection
from chassis.events.provision import ACK_WAIT_S
from chassis.inbox.effect import Effect
from chassis.inbox.parked import Parked
from chassis.inbox.pull import Delivery, Kept, Missing, Pull
from chassis.inbox.subscription import BATCH, Subscription
from chassis.judgement import Judgement, judge
from chassis.telemetry.metrics import CONSUMED
from chassis.timeouts import woken

WINDOW = 32  # events in hand when they are handled one by one
AT_ONCE = 4  # so that one backlog leaves the others some of `Database.background`
WAIT_S = 5.0
PAUSE_S = 1.0
RETRIED_AT_ONCE = 2  # of what was set aside
OUTCOMES = ("applied", "parked", "given_up", "unknown")  # told from the start, so that a first one is seen

_log = structlog.get_logger()


class Consumer:
    """Runs one subscription. Any number of replicas may; an event takes effect once.

    Events about different resources are handled side by side, those about the same one in order. A failing
    event is set aside and tried again from there, without holding up any other; an outage of the database
    stops the fetching and blames no event.
    """

    def __init__(self, db: Database, connection: Connection, subscription: Subscription) -> None:
        self._db = db
        self._connection = connection
        self._subscription = subscription
        self._effect = Effect(db, subscription)
        self._applied, *_ = (CONSUMED.labels(subscription.durable, outcome) for outcome in OUTCOMES)
        self._parked = Parked(db, subscription)
        self._pull = Pull(connection, stream_of(subscription.source), subscription.durable)
        self._lanes: dict[str, deque[Delivery]] = {}
        self._workers = asyncio.TaskGroup()
        self._in_hand = 0
        self._held: set[Delivery] = set()
        self._moved = asyncio.Event()
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._outage = asyncio.Lock()
        self._outages = 0
        self._stopping = False
        self._finished = asyncio.Event()

    async def run(self) -> None:
        """Consume until `stop_fetching`, then finish what is in hand."""
        await self._pull.open()
        try:
            async with self._workers:
                retries = [self._retry] * RETRIED_AT_ONCE
                beside = [self._workers.create_task(work()) for work in (self._hold, *retries)]
                while not self._stopping:
                    await self._take()
                while self._held:
                    self._moved.clear()
                    await self._moved.wait()
                for task in beside:
                    task.cancel()
            await self._pull.close()
        finally:
            self._finished.set()

    def stop_fetching(self) -> None:
        """Take no more; what is in hand is finished."""
        self._stopping = True
        self._pull.interrupt()
        self._moved.set()

    async def finished(self, timeout_s: float) -> None:
        """Wait until what is in hand is finished, or the time is up."""
        if not await woken(self._finished, timeout_s):
            _log.warning("events in hand are left for another replica", durable=self._subscription.durable)

    async def _take(self) -> None:
        """Fetch as much as there is room for, and see to it."""
        if self._outage.locked() or not self._connection.client.is_connected:
            await asyncio.sleep(PAUSE_S / 10)
        elif self._subscription.batch:
            await self._apply(await self._fetch(BATCH))
        elif self._in_hand < WINDOW:
            for delivery in await self._fetch(WINDOW - self._in_hand):
                self._assign(delivery)
        else:
            self._moved.clear()
            await self._moved.wait()

    async def _fetch(self, batch: int) -> list[Delivery]:
        try:
            messages = await self._pull.fetch(batch, WAIT_S)
        except (Missing, nats.errors.Error) as error:
            _log.error("cannot fetch events", durable=self._subscription.durable, error=repr(error))
            await asyncio.sleep(PAUSE_S)
            return []
        found = [Delivery(message) for message in messages]
        self._held.update(found)
        return found

    def _assign(self, delivery: Delivery) -> None:
        """Queue a delivery behind the others about the same resource."""
        self._in_hand += 1
        lane = self._lanes.setdefault(delivery.key, deque())
        lane.append(delivery)
        if len(lane) == 1:
            self._workers.create_task(self._work(delivery.key, lane))

    async def _work(self, key: str, lane: deque[Delivery]) -> None:
        while lane:
            async with self._limit:
                await self._handle(lane[0])
            lane.popleft()
            self._in_hand -= 1
            self._moved.set()
        del self._lanes[key]

    async def _handle(self, delivery: Delivery) -> None:
        """Apply one event, or set it aside; acknowledge either way."""
        while True:
            try:
                if delivery.type and not self._subscription.hears(delivery.type):
                    await self._parked.keep_raw([delivery])
                else:
                    await self._applied_or_kept(delivery)
            except Exception as error:
                if await self._was_down(error):
                    continue
                _log.error("an event cannot be set aside", durable=self._subscription.durable, exc_info=error)
                await delivery.later()
            else:
                await delivery.done()
            self._let_go([delivery])
            return

    async def _applied_or_kept(self, event: Kept) -> bool:
        """Whether the event is applied. Raises when it can neither be applied nor kept."""
        while True:
            try:
                await self._effect.of_one(event)
            except Exception as error:
                if await self._was_down(error):
                    continue
                await self._parked.keep(event, error)
                return False
            self._applied.inc()
            return True

    async def _retry(self) -> None:
        """Try again what was set aside, when it is due, one after another."""
        while not self._stopping:
            try:
                kept = await self._parked.take()
                if kept and await self._applied_or_kept(kept):
                    await self._parked.forget(kept.event_id)
            except DATABASE_ERRORS as error:
                _log.warning("what was set aside waits for the database", error=repr(error))
                await asyncio.sleep(PAUSE_S)

    async def _hold(self) -> None:
        """Tell the broker, as long as it takes, that what is in hand is being seen to.

        So it is delivered again soon after this process died, and not before.
        """
        while True:
            await asyncio.sleep(ACK_WAIT_S / 3)
            for delivery in tuple(self._held):
                await delivery.hold()

    def _let_go(self, deliveries: Sequence[Delivery]) -> None:
        self._held.difference_update(deliveries)
        self._moved.set()

    async def _apply(self, deliveries: Sequence[Delivery]) -> None:
        """A batch in one transaction; when that fails, one by one, so that only the poison is left out.

        Those about different resources side by side then, so that one that waits for a lock delays few.
        """
        known = [each for each in deliveries if self._subscription.hears(each.type)]
        together = len(known) > 1 and await self._together(known)
        for delivery in deliveries:
            if not together or not self._subscription.hears(delivery.type):
                self._assign(delivery)
        while self._in_hand:
            self._moved.clear()
            await self._moved.wait()

    async def _together(self, deliveries: Sequence[Delivery]) -> bool:
        """Whether all are applied."""
        while True:
            try:
                await self._effect.of_batch(deliveries)
            except Exception as error:
                if await self._was_down(error):
                    continue
                return False
            self._applied.inc(len(deliveries))
            for delivery in deliveries:
                await delivery.done()
            self._let_go(deliveries)
            return True

    async def _was_down(self, error: Exception) -> bool:
        """Whether an outage of the database was the reason. Waits for its end."""
        if judge(error) is not Judgement.DOWN:
            return False
        before = self._outages
        async with self._outage:
            while not self._stopping and await self._db.problem():
                self._outages += 1
                await asyncio.sleep(PAUSE_S)
        return self._outages > before and not self._stopping
