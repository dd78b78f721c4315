"""Bringing, reading and deleting files of customers."""

from datetime import timedelta
from uuid import UUID

from chassis.api.entities import found
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.work import enqueue, reopen
from customer.domain.attachments import (
    GONE,
    Attachment,
    AttachmentLimits,
    AttachmentState,
    check,
    digest,
    full,
)
from customer.names import ATTACHMENT, CUSTOMER, DEPARTMENT
from customer.store import attachments as store
from customer.usecases.customers import lock_customer
from customer.usecases.hot_views import HotViews
from customer.usecases.views import locked_views, render, save_views

SCAN = "attachment-scan"
PATIENCE = timedelta(days=3650)  # it is asked for as long as the file is there


async def upload_attachment(
    tx: Transaction, limits: AttachmentLimits, *, customer_id: UUID, display_name: str, content: bytes
) -> Attachment:
    """Keep a file, unless the customer has it. NotFound; what `check` refuses; ATTACHMENTS_FULL."""
    kind, called = check(display_name, content, limits)
    attachment_id, sha256 = digest(content)
    await lock_customer(tx, customer_id)  # one at a time: they have room for all together
    before = await store.ATTACHMENT.maybe(tx, customer_id=customer_id, id=attachment_id)
    if before is not None and before.state is not AttachmentState.DELETED:
        return before
    used = (await store.USED_BYTES.one(tx, customer_id=customer_id))["used"]
    if used + len(content) > limits.customer_bytes:
        raise full(CUSTOMER.format(customer_id), limits, used)
    principal = tx.call.principal
    attachment = Attachment(
        customer_id=customer_id,
        id=attachment_id,
        sha256=sha256,
        display_name=called,
        media_type=kind,
        size_bytes=len(content),
        state=AttachmentState.SCANNING if limits.scans else AttachmentState.NOT_SCANNED,
        department=DEPARTMENT.format(principal.department) if principal.department else "",
        actor=principal.subject,
        create_time=tx.now,
        version=before.version + 1 if before else 1,
    )
    await store.SAVE_ATTACHMENT.run(tx, **values(attachment))
    await store.INSERT_CONTENT.run(tx, customer_id=customer_id, id=attachment_id, content=content)
    if limits.scans:
        key = f"{customer_id}/{attachment_id}"
        if not await reopen(tx, SCAN, key, due_at=tx.now, expire_at=tx.now + PATIENCE):
            await enqueue(tx, SCAN, key, due_at=tx.now, expire_at=tx.now + PATIENCE)
    return attachment


async def delete_attachment(
    tx: Transaction, hot: HotViews, *, customer_id: UUID, attachment_id: UUID, etag: str, reason_code: str
) -> None:
    """Delete the bytes, and what it was called. NotFound; Aborted ETAG_MISMATCH."""
    attachment = await found(tx, ATTACHMENT, store.LOCKED_ATTACHMENT, customer_id, attachment_id, etag=etag)
    tx.touch(attachment.name)
    tx.because(reason_code)
    if attachment.state is not AttachmentState.DELETED:
        attachment.delete(tx.now)
        await change(tx, hot, attachment)


async def change(tx: Transaction, hot: HotViews, attachment: Attachment) -> None:
    """Keep what became of a locked attachment, without the bytes where they are gone, and draw the view."""
    await store.SAVE_ATTACHMENT.run(tx, **values(attachment))
    if attachment.state in GONE:
        await store.DELETE_CONTENT.run(tx, customer_id=attachment.customer_id, id=attachment.id)
    rows, groups = await locked_views(tx, {attachment.customer_id})
    await save_views(tx, rows, await render(tx, rows, groups))
    tx.after_commit(lambda: hot.committed(groups.everybody))
