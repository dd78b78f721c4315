"""Taking back a notice before it is sent."""

from uuid import UUID

from chassis.api.entities import found
from chassis.auth.ownership import require_one_of
from chassis.db.transaction import Transaction
from notifications.domain.notice import Notice
from notifications.names import NOTICE
from notifications.store.notices import LOCK_NOTICE
from notifications.usecases.save_notice import save


async def cancel_notice(tx: Transaction, *, notice_id: UUID) -> Notice:
    """Take back what the caller's department requested.

    NotFound; PermissionDenied NOT_OWNER; FailedPrecondition NOTICE_UNDER_WAY.
    """
    notice = await found(tx, NOTICE, LOCK_NOTICE, notice_id)
    notice.take_back()
    if notice.department:  # else it is everybody's: who requested it works for none
        require_one_of("notifications", tx.call.principal, notice.name, [notice.department])
    await save(tx, notice, caused_by=notice.request_event)
    return notice
