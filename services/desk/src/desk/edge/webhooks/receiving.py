"""Keeping what was sent: surely recorded before the sender is answered, and for so long."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from prometheus_client import Counter

from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import Statement, values
from chassis.db.transaction import Transaction
from chassis.telemetry.metrics import Snapshot
from desk.edge.reading import Room
from desk.edge.webhooks.contact import NotUnderstood
from desk.edge.webhooks.kind import MIB, Glance
from desk.edge.webhooks.sources import Pace, Source
from desk.store import received as store
from desk.store.cleaning import all_of, every
from desk.store.received import Delivery, Received, State

RECEIVED = Counter(
    "rapport_webhooks_received", "Webhooks by what became of them.", ["source", "kind", "outcome"]
)
SETTLES = timedelta(seconds=5)  # what is told late of a call that is over still gets into its entry
OF_ONE_MAX_BYTES = 16 * MIB  # more than the largest body, or it would never be taken
READ_AT_ONCE = 2  # a large mail takes several times its size while it is read
_NAMESPACE = UUID("0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60")
HOUR_S = 3600.0
LIVE = Snapshot(
    "rapport_webhooks_live",
    "Webhooks that are not settled. The same in every replica.",
    ("source", "kind", "state"),
)
OLDEST = Snapshot(
    "rapport_webhooks_oldest_seconds",
    "The age of the oldest webhook that is not settled. The same in every replica.",
    ("source", "kind", "state"),
)


class Receiving:
    """Keeps webhooks, each once, of HTTP and SMTP in one room and at one pace."""

    def __init__(self, db: Database, call_limit: timedelta, ring: Callable[[str], None]) -> None:
        self._db = db
        self._call_limit = call_limit  # when a call is recorded of which nothing more is told
        self._ring = ring  # says that a call rings at an agent, or does no longer
        self.room = Room(OF_ONE_MAX_BYTES)  # what the bodies of all that is being received may take
        self._pace = Pace()
        self._reads = asyncio.Semaphore(READ_AT_ONCE)

    async def keep(self, source: Source, body: bytes, sent_id: str = "", traceparent: str = "") -> UUID:
        """Keep what an authentic source sent; returns what it is known by here, the same for a repeat.

        `sent_id` is the sender's id where that is not in the body; of what has none, the body is its own.
        Unavailable or ResourceExhausted when it cannot be kept.
        """
        self._pace.take(source.name, source.per_second)  # of what is authentic: others would use its share up
        if source.what.keep is not bytes:  # a telephone that rings waits for no mail
            async with self._reads:
                body = await asyncio.to_thread(source.what.keep, body)
        try:
            glance = source.what.glance(body, source.region)
        except NotUnderstood:  # which is found again, and said, by whoever tries to record it
            glance = Glance()
        delivered = _id(source, "delivery", sent_id or glance.id or sha256(body).hexdigest())
        contact = _id(source, "call", glance.call) if glance.call else delivered
        call = Call(f"webhooks/{source.kind}", service_itself(self._db.service), traceparent=traceparent)
        with acting(call):
            async with self._db.transaction() as tx:
                is_new = await self._keep(tx, source, glance, body, delivered, contact)
        RECEIVED.labels(source.name, source.kind, "received" if is_new else "repeated").inc()
        return delivered

    async def _keep(
        self, tx: Transaction, source: Source, glance: Glance, body: bytes, delivered: UUID, contact: UUID
    ) -> bool:
        """Whether it is new. A repeat that comes at the same time waits here for the first."""
        found = Received(contact, source.name, source.kind, tx.now, tx.now)
        await store.INSERT.run(tx, **values(found))
        received = await store.LOCK.one(tx, id=contact)
        delivery = Delivery(delivered, contact, tx.now, b"" if received.forgotten else body)
        if not await store.INSERT_DELIVERY.all(tx, **values(delivery)):
            return False
        if received.state is not State.RECEIVED:  # a call that was recorded, or waits for a person
            return True
        if not glance.call:
            await store.queue(tx, received)
            return True
        told = await store.DELIVERIES_OF.all(tx, received=received.id)
        call = source.what.call([each.payload for each in told], source.region)
        for agent in {*received.ringing, *call.agents}:
            tx.after_commit(partial(self._ring, agent))
        received.ringing, received.talking = sorted(call.agents), sorted(call.talking)
        received.caller = call.number
        if glance.rings_at in call.agents:
            received.ring_time = tx.now
        await store.save(tx, received)
        await store.queue(tx, received, SETTLES if call.is_over else self._call_limit)
        return True


@dataclass(eq=False)
class Keeping:
    """Counts what is not settled, and lets go of what has been for long enough."""

    db: Database
    keep_days: int  # for how long payloads are kept of what was recorded or dropped
    wait_days: int  # for how long a person may decide

    async def run(self) -> None:
        """Until cancelled."""
        await every(HOUR_S, self.drop, self.forget, self.delete)

    async def count(self) -> None:
        rows, now = await store.COUNT.all(self.db), self.db.clock.now()
        by_labels = {(row["source"], row["kind"], row["state"]): row for row in rows}
        LIVE.replace({labels: row["count"] for labels, row in by_labels.items()})
        OLDEST.replace({labels: (now - row["oldest"]).total_seconds() for labels, row in by_labels.items()})

    async def drop(self) -> None:
        """Drop what nobody decided."""
        now, by = self.db.clock.now(), str(service_itself(self.db.service).subject)
        for row in await self._older(store.DROP_UNDECIDED, self.wait_days, by=by, now=now):
            RECEIVED.labels(row["source"], row["kind"], "undecided").inc()

    async def forget(self) -> None:
        """Empty what was said."""
        await self._older(store.FORGET, self.keep_days)

    async def delete(self) -> None:
        """Delete what is left, by which a repeat is known to be one."""
        await self._older(store.DELETE, store.KNOWN_DAYS)

    async def _older(self, statement: Statement[Any], days: int, **given: Any) -> list[Any]:
        """What a statement does to all that is older."""
        return await all_of(self.db, statement, before=self.db.clock.now() - timedelta(days=days), **given)


def refused(source: Source, outcome: str) -> None:
    """Count what is not kept."""
    RECEIVED.labels(source.name, source.kind, outcome).inc()


def _id(source: Source, what: str, id: str) -> UUID:
    """The same for the same, and nothing to see of an id, which may be personal."""
    return uuid5(_NAMESPACE, f"{source.name}\n{what}\n{id}")
