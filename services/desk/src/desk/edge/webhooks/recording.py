"""Recording contacts on timelines: what the chassis' queue does with a webhook that was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import grpc

from chassis.api.messages import duration, timestamp
from chassis.backoff import RETRIES, Backoff
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.grpc.status import reason
from chassis.work import Outcome, Turn, Verdict, Work
from chassis.work import State as WorkState
from desk.edge.webhooks.contact import Contact, NotUnderstood, words
from desk.edge.webhooks.kind import Kind
from desk.edge.webhooks.kinds import KINDS
from desk.edge.webhooks.receipts import Receipts
from desk.edge.webhooks.receiving import RECEIVED
from desk.edge.webhooks.resolving import Customers, Unreadable, Waits, answered
from desk.edge.webhooks.sources import Sources
from desk.store import received as store
from desk.store.received import Received, State
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import timeline_pb2
from rapport.customer.v1 import timeline_service_pb2 as pb

if TYPE_CHECKING:
    from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceAsyncStub

AHEAD = timedelta(hours=23)  # less than the contract allows: the clocks differ
_EARLIEST = 0.0  # 1970


@dataclass(frozen=True, slots=True)
class Recorded:
    """It is on a timeline; of what reports of a message of ours, with the message."""

    customer: str
    entry: str


@dataclass(eq=False)
class Recording:
    """The worker that records contacts: see `chassis.work.Worker`.

    Nothing in it is past recall: a repeat finds the same customer, and the request id makes one entry. So it
    never hands over, and an attempt that died is made again.
    """

    db: Database  # the desk's database
    sources: Sources  # who sends: where numbers are dialled, and whether strangers become customers
    customers: Customers  # finds whose a contact is
    timeline: TimelineServiceAsyncStub  # the customer service's
    receipts: Receipts  # keeps what is reported of messages of ours
    kind: str = store.RECORD
    at_once: int = 8
    prepare_time: timedelta = timedelta(seconds=60)
    answer_time: timedelta = timedelta(seconds=60)
    retries: Backoff = RETRIES

    async def act(self, work: Work, turn: Turn) -> Recorded:
        """Read it, find whose it is, record it."""
        received = await store.GET.one(self.db, id=_id(work.key))
        bodies = [each.payload for each in await store.DELIVERIES_OF.all(self.db, received=received.id)]
        if customer := await self._receipted(received, bodies):
            return Recorded(customer, "")
        contact = self._read(received, bodies)
        source = self.sources.get(received.source)
        try:
            if received.customer:
                customer = received.customer
            elif source is None:
                raise Waits("source-gone")
            else:
                customer = await self.customers.of(contact, source, received.id)
                # Another attempt goes on with the same customer: this one's answer may be lost.
                await store.AIM.all(self.db, key=received.id, whose=customer)
            return await self._recorded(received, contact, customer)
        except Waits as waits:
            told = f"From {contact.told}" if contact.told else ""
            waits.words = words(told, contact.summary)
            raise

    async def lock(self, tx: Transaction, key: str) -> Received:
        return await store.LOCK.one(tx, id=_id(key))

    async def handing_over(self, tx: Transaction, subject: Received, work: Work, about: Any) -> bool:
        """Never called: see above."""
        return True

    async def record(
        self, tx: Transaction, subject: Received, work: Work, attempt: int, outcome: Outcome
    ) -> None:
        if work.key != subject.key or subject.state is not State.RECEIVED:
            return
        result = outcome.result
        if isinstance(result, Recorded):
            subject.state, subject.customer, subject.entry = State.RECORDED, result.customer, result.entry
            subject.reason_code = ""
        elif isinstance(result, Unreadable):
            subject.state, subject.reason_code, subject.problems = (
                State.NOT_UNDERSTOOD,
                outcome.code,
                result.problems,
            )
        elif isinstance(result, Waits):
            subject.state, subject.reason_code = State.WAITING, outcome.code
            subject.candidates, subject.words = result.candidates, result.words
        elif outcome.verdict is Verdict.EXPIRED or work.state is WorkState.REFUSED:
            subject.state, subject.reason_code = State.WAITING, "gave-up"
        else:
            return
        subject.ringing, subject.talking, subject.caller = [], [], ""
        await store.save(tx, subject)
        count = RECEIVED.labels(subject.source, subject.kind, subject.state.lower())
        tx.after_commit(count.inc)

    async def _receipted(self, received: Received, bodies: Sequence[bytes]) -> str | None:
        """Whose message it reports of; None when it is no receipt, or of no message of ours. Unreadable."""
        try:
            receipt = _kind(received).receipt(bodies)
        except NotUnderstood as error:
            raise Unreadable(error.problems) from None
        if receipt is None:
            return None
        return await self.receipts.record(receipt, received.id, self._time(received, receipt.time))

    def _read(self, received: Received, bodies: Sequence[bytes]) -> Contact:
        """What it says. Unreadable."""
        source = self.sources.get(received.source)
        try:
            return _kind(received).read(bodies, source.region if source else "")
        except NotUnderstood as error:
            raise Unreadable(error.problems) from None

    async def _recorded(self, received: Received, contact: Contact, customer: str) -> Recorded:
        entry = timeline_pb2.TimelineEntry(
            channel=channel_pb2.Channel.Value(f"CHANNEL_{contact.channel}"),
            direction=channel_pb2.Direction.Value(f"DIRECTION_{contact.direction}"),
            topic=contact.topic,
            summary=contact.summary,
            reference=contact.reference,
            occur_time=timestamp(self._time(received, contact.occur_time)),
            outcome_code=contact.outcome_code,
            duration=duration(contact.duration),
        )
        request = pb.RecordInteractionRequest(
            parent=customer, timeline_entry=entry, request_id=str(uuid5(received.id, f"entry {customer}"))
        )
        with answered():
            try:
                return Recorded(customer, (await self.timeline.RecordInteraction(request)).name)
            except grpc.aio.AioRpcError as error:
                if reason(error) != "REQUEST_ID_REUSED":
                    raise
                return Recorded(customer, "")  # by an attempt whose answer was lost: more was told since

    def _time(self, received: Received, told: datetime | None) -> datetime:
        """When it was; when it was received, if the sender's clock cannot be right."""
        time, latest = told or received.receive_time, self.db.clock.now() + AHEAD
        possible = time <= latest and time.timestamp() >= _EARLIEST
        return time if possible else received.receive_time


def _kind(received: Received) -> Kind:
    """Unreadable where a newer release kept it."""
    try:
        return KINDS[received.kind]
    except KeyError:
        raise Unreadable([f"kind: this release knows no {received.kind}"]) from None


def _id(key: str) -> UUID:
    return UUID(key.partition(".")[0])
