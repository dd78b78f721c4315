"""Publishing again what was published before, from the outbox, which keeps everything for 14 days."""

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
from chassis.events.publisher import Publisher

PAGE = 500
_PAGE = Statement[Any](
    sa.select(OUTBOX)
    .where(
        OUTBOX.c.id > sa.bindparam("after"),
        OUTBOX.c.id < sa.bindparam("end"),
        OUTBOX.c.published_at.is_not(None),
    )
    .order_by(OUTBOX.c.id)
    .limit(PAGE)
)


async def republish(
    db: Database,
    connection: Connection,
    since: datetime,
    until: datetime,
    published_since: datetime | None = None,
) -> int:
    """Publish again, in order, what was recorded from `since` until before `until`. Returns how many events.

    With `published_since` only what was published then or later.
    The events keep their ids: a stream drops those that it took in the last ten minutes, a consumer does
    nothing about those that it has seen. What was never published is left to the relay. Unavailable when the
    broker does not take them all; what was sent may be sent again.
    """
    publisher = Publisher(connection, db.service)
    after, end, sent = UUID(int=ids.floor(since).int - 1), ids.floor(until), 0
    while rows := await _PAGE.all(db, after=after, end=end):
        lost = [row for row in rows if published_since is None or row["published_at"] >= published_since]
        outcome = await publisher.publish(lost)
        sent += len(outcome.published)
        if len(outcome.published) < len(lost):
            raise Unavailable(
                "BROKER_UNAVAILABLE", f"The broker took {sent} events and then no more. Try again."
            )
        after = rows[-1]["id"]
    return sent
