"""Publishing outbox rows to JetStream: many on their way at once, those about one resource one after another.

The client library's `js.publish` makes a task, a timer and an inbox for each message, which costs twice what
sending one does; its `publish_async` waits for ever for an answer that is lost. Hence a window of our own.
What was published before is published again from the outbox, which keeps everything for 14 days.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec
import nats.errors
import sqlalchemy as sa
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from chassis import failpoints, ids
from chassis.db.database import Database
from chassis.db.schema import OUTBOX
from chassis.db.statement import Statement
from chassis.errors import Unavailable
from chassis.events.envelope import headers
from chassis.events.nats import Connection

IN_FLIGHT = 128
ANSWER_TIMEOUT_S = 5.0

_UNAVAILABLE = 503
_IN_PROCESS = 10158  # the same id is being stored right now
_log = structlog.get_logger()
Row = Mapping[str, Any]
_order = itemgetter("resource_version", "id")
PAGE = 500
_PAGE = Statement[Any](
    sa.select(OUTBOX)
    .where(
        OUTBOX.c.id > sa.bindparam("after"),
        OUTBOX.c.id < sa.bindparam("end"),
        OUTBOX.c.published_at.is_not(None),
    )
    .order_by(OUTBOX.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


@dataclass(slots=True)
class Outcome:
    """What became of a batch."""

    published: list[UUID] = field(default_factory=list)  # what the stream has acknowledged, now or earlier
    # Resources with an event that the stream refuses; their later events were held back.
    refused: set[str] = field(default_factory=set)
    first: int = 0  # the lowest sequence that the stream gave to one that it did not have
    unreachable: bool = False  # for want of an answer: the broker is away or overloaded


class Publisher:
    """Publishes the events of one service."""

    def __init__(self, connection: Connection, service: str) -> None:
        self._window = Window(connection)
        self._service = service

    async def publish(self, rows: Sequence[Row]) -> Outcome:
        """Publish rows under their ids, so that the stream drops what it took in the last ten minutes."""
        outcome = Outcome()
        chains: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            chains[row["resource"]].append(row)
        # A transaction that waited for another one's lock has the older id and the newer version.
        waiting = [sorted(chain, key=_order, reverse=True) for chain in chains.values()]
        while waiting and not outcome.unreachable:
            await self._wave([chain.pop() for chain in waiting], outcome)
            waiting = [chain for chain in waiting if chain and chain[-1]["resource"] not in outcome.refused]
        return outcome

    async def close(self) -> None:
        await self._window.close()

    async def _wave(self, rows: Sequence[Row], outcome: Outcome) -> None:
        """Publish rows of different resources side by side."""
        sent: list[tuple[Row, asyncio.Future[Msg]]] = []
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                for row in rows:
                    failpoints.hit("relay.before_publish")
                    try:
                        answer = await self._window.send(
                            row["subject"], row["data"], headers(row, self._service)
                        )
                    except nats.errors.MaxPayloadError as error:
                        self._refuse(row, str(error), outcome)
                    else:
                        sent.append((row, answer))
                for _, answer in sent:
                    await answer
        except (TimeoutError, OSError, nats.errors.Error):
            outcome.unreachable = True
        finally:
            self._window.forget()
        for row, answer in sent:
            if not answer.cancelled():
                self._judge(row, answer.result(), outcome)

    def _judge(self, row: Row, answer: Msg, outcome: Outcome) -> None:
        told = (
            msgspec.json.decode(answer.data, type=_Answer) if answer.data else _Answer(_Error(_UNAVAILABLE))
        )
        error = told.error
        if error is None:
            outcome.published.append(row["id"])
            if not told.duplicate:
                outcome.first = min(outcome.first or told.seq, told.seq)
        elif error.code == _UNAVAILABLE or error.err_code == _IN_PROCESS:
            outcome.unreachable = True
        else:
            self._refuse(row, error.description, outcome)

    def _refuse(self, row: Row, why: str, outcome: Outcome) -> None:
        _log.error("the stream refuses an event", event_id=str(row["id"]), type=row["type"], error=why)
        outcome.refused.add(row["resource"])


class Window:
    """Messages on their way: at most 128, each with a future for the stream's answer."""

    def __init__(self, connection: Connection) -> None:
        self._client = connection.client
        self._inbox = ""
        self._answering: Subscription | None = None
        self._numbers = count()
        self._answers: dict[str, asyncio.Future[Msg]] = {}
        self._room = asyncio.Semaphore(IN_FLIGHT)

    async def send(self, subject: str, data: bytes, attributes: dict[str, str]) -> asyncio.Future[Msg]:
        """Send when there is room. nats.errors.Error when the connection is down or the message too large."""
        if not self._inbox:
            inbox = self._client.new_inbox()
            self._answering = await self._client.subscribe(f"{inbox}.*", cb=self._answered)
            self._inbox = inbox
        await self._room.acquire()
        reply = f"{self._inbox}.{next(self._numbers)}"
        answer = self._answers[reply] = asyncio.get_running_loop().create_future()
        try:
            await self._client.publish(subject, data, reply, attributes)
        except BaseException:
            self._close(reply)
            raise
        return answer

    async def close(self) -> None:
        if self._answering is not None:
            with suppress(nats.errors.Error):  # the connection is gone, and the subscription with it
                await self._answering.unsubscribe()

    def forget(self) -> None:
        """Wait no longer for what was not answered."""
        for reply, answer in list(self._answers.items()):
            answer.cancel()
            self._close(reply)

    async def _answered(self, message: Msg) -> None:
        answer = self._close(message.subject)
        if answer is not None and not answer.cancelled():
            answer.set_result(message)

    def _close(self, reply: str) -> asyncio.Future[Msg] | None:
        answer = self._answers.pop(reply, None)
        if answer is not None:
            self._room.release()
        return answer


class _Error(msgspec.Struct):
    code: int
    err_code: int = 0
    description: str = ""


class _Answer(msgspec.Struct):
    error: _Error | None = None
    seq: int = 0
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Republished:
    """What became of a page."""

    sent: int  # events that the stream has, now or before
    refused: int  # those that the stream will not take, or that were held back behind such a one
    last: UUID | None  # after which id to go on; None when there is nothing left


async def republish(
    db: Database,
    connection: Connection,
    since: datetime,
    until: datetime,
    published_since: datetime | None = None,
) -> int:
    """Publish again, in order, what was recorded from `since` until before `until`. Returns how many events.

    With `published_since` only what was published then or later. Raises as `republish_some`.
    """
    after: UUID | None = before(since)
    sent = 0
    while after is not None:
        page = await republish_some(db, connection, after, until, PAGE, published_since)
        sent, after = sent + page.sent, page.last
    return sent


def before(since: datetime) -> UUID:
    """After which id to publish again, to begin with what was recorded from `since`."""
    return UUID(int=ids.floor(since).int - 1)


async def republish_some(
    db: Database,
    connection: Connection,
    after: UUID,
    until: datetime,
    limit: int,
    published_since: datetime | None = None,
) -> Republished:
    """As `republish`, no more than `limit` events.

    The events keep their ids: a stream drops those that it took in the last ten minutes, a consumer does
    nothing about those that it has seen. What was never published is left to the relay. Unavailable when the
    broker does not answer for all of them; what was sent may be sent again.
    """
    rows = await _PAGE.all(db, after=after, end=ids.floor(until), limit=limit)
    lost = [row for row in rows if published_since is None or row["published_at"] >= published_since]
    publisher = Publisher(connection, db.service)
    try:
        outcome = await publisher.publish(lost)
    finally:
        await publisher.close()
    sent = len(outcome.published)
    if outcome.unreachable:
        raise Unavailable("BROKER_UNAVAILABLE", f"The broker took {sent} events and then no more. Try again.")
    return Republished(sent, len(lost) - sent, rows[-1]["id"] if len(rows) == limit else None)
