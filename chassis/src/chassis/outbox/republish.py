"""Publishing again what was published before, from the outbox, which keeps everything for 14 days."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis import ids
from chassis.db.database import Database
from chassis.db.schema import OUTBOX
from chassis.db.statement import Statement
from chassis.errors import Unavailable
from chassis.events.nats import Connection
from chassis.outbox.publisher import Publisher

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
