"""Statements on attachments. Their bytes are in a table of their own, so that nobody else reads over them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, insert

from chassis.api.listing import Listing
from chassis.db.aliases import group_of
from chassis.db.statement import Executor, Statement
from chassis.db.tables import replaced, rows_of, table
from customer.domain.attachments import GONE, Attachment, AttachmentContent
from customer.store.tables import METADATA

ATTACHMENTS = table(METADATA, "attachments", Attachment, key=("customer_id", "id"))
CONTENTS = table(METADATA, "attachment_contents", AttachmentContent, key=("customer_id", "id"))
_A, _C = ATTACHMENTS.c, CONTENTS.c
_KEY = (_A.customer_id == sa.bindparam("customer_id", type_=sa.Uuid), _A.id == sa.bindparam("id"))
_OF_CUSTOMER = _A.customer_id == sa.func.any(group_of(sa.bindparam("customer_id", type_=sa.Uuid)))

ATTACHMENT = Statement(sa.select(ATTACHMENTS).where(*_KEY), row=Attachment)
LOCKED_ATTACHMENT = Statement(sa.select(ATTACHMENTS).where(*_KEY).with_for_update(), row=Attachment)
LIST_ATTACHMENTS = Listing(
    sa.select(ATTACHMENTS),
    _A.create_time,
    _A.id,
    descending=True,
    row=Attachment,
    of_customer=_A.customer_id,
)
SAVE_ATTACHMENT = Statement[Any](replaced(insert(ATTACHMENTS)))
INSERT_CONTENT = Statement[Any](
    insert(CONTENTS)
    .values({name: sa.bindparam(name, type_=_C[name].type) for name in ("customer_id", "id", "content")})
    .on_conflict_do_nothing()
)
_THAT = (_C.customer_id == sa.bindparam("customer_id", type_=sa.Uuid), _C.id == sa.bindparam("id"))
CONTENT = Statement(sa.select(CONTENTS).where(*_THAT), row=AttachmentContent)
DELETE_CONTENT = Statement[Any](sa.delete(CONTENTS).where(*_THAT))
USED_BYTES = Statement[Any](
    sa.select(sa.func.coalesce(sa.func.sum(_A.size_bytes), 0).label("used")).where(
        _OF_CUSTOMER, *(_A.state != sa.literal_column(f"'{each}'") for each in GONE)
    )
)
_asked = rows_of("asked", customer_ids=sa.Uuid(), ids=sa.Uuid())
_ATTACHMENTS_OF = Statement(
    sa.select(ATTACHMENTS).join(
        _asked, sa.and_(_A.customer_id == _asked.c.customer_ids, _A.id == _asked.c.ids)
    ),
    row=Attachment,
)


async def attachments_of(
    on: Executor, pairs: Iterable[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], Attachment]:
    """Those that there are of these customers and ids, in any state."""
    asked = sorted(set(pairs))
    if not asked:
        return {}
    customer_ids, ids = map(list, zip(*asked, strict=True))
    rows = await _ATTACHMENTS_OF.all(on, customer_ids=customer_ids, ids=ids)
    return {(each.customer_id, each.id): each for each in rows}


def files_of(entry: Any) -> sa.ColumnElement[Any]:
    """What is known of the files of an entry, given its columns: `AttachedFile`s in their order.

    An entry without any, as nearly every one is, costs no look.
    """
    shown: list[Any] = [sa.literal_column("'attachment_id'"), _A.id]
    for name in ("customer_id", "display_name", "media_type", "size_bytes", "state"):
        shown += [sa.literal_column(f"'{name}'"), _A[name]]
    of_file = sa.func.jsonb_build_object(*shown)
    order = sa.func.strpos(entry.attachment_ids, sa.cast(_A.id, sa.Text))
    ids = sa.cast(sa.func.string_to_array(entry.attachment_ids, sa.literal_column("' '")), sa.ARRAY(sa.Uuid))
    found = (
        sa.select(sa.func.jsonb_agg(aggregate_order_by(of_file, order)))
        .where(_A.customer_id == entry.customer_id, _A.id == sa.any_(ids))
        .correlate_except(ATTACHMENTS)
        .scalar_subquery()
    )
    none = sa.literal_column("'[]'::jsonb", JSONB)
    whole = sa.func.coalesce(found, none, type_=JSONB)
    return sa.case((entry.attachment_ids == sa.literal_column("''"), none), else_=whole).label("files")
