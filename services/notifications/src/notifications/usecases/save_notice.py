"""Keeping a changed notice, and telling the others once it has ended."""

from uuid import UUID

from chassis.db.statement import values
from chassis.db.transaction import Transaction
from notifications.domain.notice import Notice
from notifications.store.notices import UPDATE_NOTICE

SEND = "notice-send"  # the kind of timer that sends; its key is the notice's id


async def save(tx: Transaction, notice: Notice, caused_by: UUID | None = None) -> None:
    """Keep the notice. One that has ended leaves the queue, and its end is told as caused by `caused_by`."""
    if notice.ended:
        await tx.cancel(SEND, str(notice.id))
        tx.record(notice.end_fact(), version=notice.version, caused_by=caused_by)
    await tx.defer(UPDATE_NOTICE, **values(notice))
