"""Taking back a notice before it is sent."""

from uuid import UUID

from chassis.api.entities import found
from chassis.db.transaction import Transaction
from notifications.domain.notice import Notice
from notifications.names import NOTICE
from notifications.store.notices import LOCK_NOTICE
from notifications.usecases.save_notice import save


async def cancel_notice(tx: Transaction, *, notice_id: UUID) -> Notice:
    """Take back what a department requested. NotFound; FailedPrecondition NOTICE_UNDER_WAY."""
    notice = await found(tx, NOTICE, LOCK_NOTICE, notice_id)
    notice.take_back()
    await save(tx, notice, caused_by=notice.request_event)
    return notice
