"""Keeping a changed notice, queueing it, and telling the others once it has ended."""

from datetime import timedelta
from uuid import UUID

from chassis import work
from chassis.api.entities import write
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from notifications.domain.facts import NoticeRequested
from notifications.domain.notice import Notice
from notifications.domain.template import REPEATS, Type
from notifications.store.notices import UPDATE_NOTICE

SEND = "notice-send"  # the kind of work that sends; its key is the notice's id


async def queue(tx: Transaction, notice: Notice, of: Type, hold: timedelta = timedelta()) -> None:
    """Have it sent, after `hold` until it is of no more use, and tell so. Again for what a revision says.

    `of` is the type of its template: it says how often what may have arrived is repeated.
    """
    notice.request_event = tx.record(fact_of(NoticeRequested, notice), version=notice.version)
    await work.enqueue(
        tx, SEND, str(notice.id), due_at=tx.now + hold, expire_at=notice.expire_time, repeats=REPEATS[of]
    )


async def save(tx: Transaction, notice: Notice, caused_by: UUID | None = None) -> None:
    """Keep the notice. One that has ended leaves the queue, and its end is told as caused by `caused_by`."""
    if notice.ended:
        await work.cancel(tx, SEND, str(notice.id))
        tx.record(notice.end_fact(), version=notice.version, caused_by=caused_by)
    await write(tx, UPDATE_NOTICE, notice)
