"""Asking for another look at by when work is to be done."""

from uuid import UUID

from chassis.db.transaction import Transaction

DEADLINE_TIMER = "work-deadline"


async def look_again(tx: Transaction, work_item_id: UUID) -> None:
    """Look soon at by when a work item is to be done, once for all that happened until then.

    Not at once: whoever changes a clock does not hold its work item, which has to be locked first.
    """
    await tx.schedule(DEADLINE_TIMER, str(work_item_id), tx.now)
