"""Keeping what was sent, so that it is sure to be recorded before the sender is answered."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from hashlib import sha256
from uuid import UUID, uuid5

from prometheus_client import Counter

from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from desk.edge.webhooks.contact import NotUnderstood
from desk.edge.webhooks.kind import Glance
from desk.edge.webhooks.sources import Source
from desk.store import webhooks as store
from desk.store.received import Delivery, Received, State

RECEIVED = Counter("webhooks_received", "Webhooks by what became of them.", ["source", "kind", "outcome"])
SETTLES = timedelta(seconds=5)  # what is told late of a call that is over still gets into its entry
_NAMESPACE = UUID("0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60")


class Receiving:
    """Keeps webhooks, each once.

    Args:
        db: the desk's database.
        call_limit: when a call is recorded of which nothing more is told.
        ring: says that a call rings at an agent, or does no longer.

    """

    def __init__(self, db: Database, call_limit: timedelta, ring: Callable[[str], None]) -> None:
        self._db = db
        self._call_limit = call_limit
        self._ring = ring

    async def keep(self, source: Source, body: bytes, sent_id: str = "", traceparent: str = "") -> UUID:
        """Keep what an authentic source sent; returns what it is known by here, the same for a repeat.

        `sent_id` is the sender's id where that is not in the body; of what has none, the body is its own.
        Unavailable or ResourceExhausted when it cannot be kept.
        """
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
        delivery = Delivery(delivered, contact, tx.now, body)
        if not await store.INSERT_DELIVERY.all(tx, **values(delivery)):
            return False
        if received.state is not State.RECEIVED:  # a call that was recorded, or waits for a person
            return True
        if not glance.call:
            await store.queue(tx, received)
            return True
        received.answered |= glance.answered
        received.over |= glance.over
        concerned = {*received.ringing, *glance.agents}
        if received.over:
            received.ringing = []
        elif glance.answered:  # whoever answers sees who calls until it is over
            received.ringing = [each for each in received.ringing if each in (glance.agents or concerned)]
        elif glance.agents and not received.answered:
            received.ringing = sorted(concerned)
            received.caller, received.ring_time = glance.caller, tx.now
        for agent in concerned:
            tx.after_commit(partial(self._ring, agent))
        await store.save(tx, received)
        await store.queue(tx, received, SETTLES if received.over else self._call_limit)
        return True


def refused(source: Source, outcome: str) -> None:
    """Count what is not kept."""
    RECEIVED.labels(source.name, source.kind, outcome).inc()


def _id(source: Source, what: str, id: str) -> UUID:
    """The same for the same, and nothing to see of an id, which may be personal."""
    return uuid5(_NAMESPACE, f"{source.name}\n{what}\n{id}")
