"""The views read most, in memory: dropped when they change, here or in another replica, and told to watchers.

A replica that commits a change tells the others over the broker, at most once. What could be lost is
bounded: while the broker is away nothing is kept, after it was away nothing from before is used, and
nothing is used for longer than `KEPT_S` seconds. So a view is at most as old as the message takes, and in
the worst case `KEPT_S` seconds.
"""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from chassis.db.database import Database
from chassis.events.broadcast import Broadcast
from customer.domain.advice import AdviceRule
from customer.store.views import VIEWS_BY_ID
from customer.usecases.advice.giving import advise
from customer.usecases.rendering import stored

KEPT_S = 2.0
BYTES_MAX = 64 * 1024 * 1024
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Held:
    """A serialised view with what it advises, and by which rules."""

    view: bytes
    rules: Sequence[AdviceRule]

    @classmethod
    def of(cls, view: bytes, shown: bytes, row: Any, zone: str, now: datetime) -> Self:
        """A view as it is shown, with what the view by itself advises: see `advise`."""
        advice, rules = advise(view, row, zone, now)
        return cls(shown + advice, rules)


class HotViews:
    """Serialised views by customer; `moved` is called after each commit of a projector, of any replica.

    `time_zone` is that in which they live of whom nobody knows it.
    """

    def __init__(self, db: Database, broadcast: Broadcast, moved: Callable[[], None], time_zone: str) -> None:
        self._db = db
        self._broadcast = broadcast
        self.time_zone = time_zone
        self._kept: OrderedDict[UUID, tuple[Held, float, int]] = OrderedDict()
        self._size = 0
        self._loading: dict[UUID, asyncio.Task[Held | None]] = {}
        self._watchers: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._moved = moved
        broadcast.listen(self._told)

    async def get(self, customer_id: UUID) -> Held | None:
        """The stored view, from memory if it is there; None when there is none."""
        found = self._kept.get(customer_id)
        if found is not None:
            view, until, epoch = found
            if time.monotonic() < until and epoch == self._broadcast.epoch:
                self._kept.move_to_end(customer_id)
                return view
        # Whoever asks while it is read waits for the same reading: a thousand who watch it are one.
        loading = self._loading.get(customer_id)
        return await (self.load(customer_id) if loading is None else asyncio.shield(loading))

    async def load(self, customer_id: UUID) -> Held | None:
        """The stored view as committed now."""
        loading = self._loading[customer_id] = asyncio.create_task(self._load(customer_id))
        return await asyncio.shield(loading)  # who goes away takes it from nobody

    async def _load(self, customer_id: UUID) -> Held | None:
        epoch = self._broadcast.epoch
        try:
            row = await VIEWS_BY_ID.one(self._db, customer_ids=[customer_id])
            view = stored(row)
        finally:
            # A change that commits while we read takes our place: what we read may be from before it.
            is_latest = self._loading.get(customer_id) is asyncio.current_task()
            if is_latest:
                del self._loading[customer_id]
        if view is None:
            return None
        held = Held.of(row["view"], view, row, self.time_zone, self._db.clock.now())
        if is_latest and epoch is not None:
            self._keep(customer_id, held, epoch)
        return held

    def committed(self, customer_ids: Sequence[UUID]) -> None:
        """A projector of this replica has committed changes of these views."""
        self._drop(customer_ids)
        self._moved()
        if customer_ids:
            self._broadcast.send(b"".join(customer_id.bytes for customer_id in customer_ids))

    def look_again(self, customer_ids: Iterable[UUID]) -> None:
        """Something beside the stored views of these customers has changed: wake who watches them."""
        for customer_id in customer_ids:
            for event in self._watchers.get(customer_id, ()):
                event.set()

    @contextmanager
    def watched(self, customer_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever the view may have changed; clear it before reading the view."""
        event = asyncio.Event()
        self._watchers[customer_id].add(event)
        try:
            yield event
        finally:
            self._watchers[customer_id].discard(event)
            if not self._watchers[customer_id]:
                del self._watchers[customer_id]

    def _told(self, payload: bytes) -> None:
        self._drop(UUID(bytes=payload[i : i + _ID_BYTES]) for i in range(0, len(payload), _ID_BYTES))
        self._moved()

    def _drop(self, customer_ids: Iterable[UUID]) -> None:
        for customer_id in customer_ids:
            self._loading.pop(customer_id, None)
            self._forget(customer_id)
            self.look_again([customer_id])

    def _keep(self, customer_id: UUID, held: Held, epoch: int) -> None:
        self._forget(customer_id)
        self._kept[customer_id] = held, time.monotonic() + KEPT_S, epoch
        self._size += len(held.view)
        while self._size > BYTES_MAX:
            self._forget(next(iter(self._kept)))

    def _forget(self, customer_id: UUID) -> None:
        if customer_id in self._kept:
            held, _, _ = self._kept.pop(customer_id)
            self._size -= len(held.view)
