"""Messages in customers' inboxes, and the statements on them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.aliases import group_of
from chassis.db.statement import Statement
from chassis.db.tables import among, table
from notifications.domain.inbox_message import InboxMessage
from notifications.store.tables import METADATA

INBOX_MESSAGES = table(METADATA, "inbox_messages", InboxMessage)
_M = INBOX_MESSAGES.c

# One for each key, however often it is handed over: nothing comes back when there is one already.
PUT = Statement[Any](
    insert(INBOX_MESSAGES).on_conflict_do_nothing(index_elements=[_M.key]).returning(_M.customer_id)
)
# By any of the customer's names.
_OF_CUSTOMER = _M.customer_id == sa.any_(group_of(sa.bindparam("customer_id", type_=sa.Uuid)))
GET = Statement(sa.select(INBOX_MESSAGES).where(_M.id == sa.bindparam("id"), _OF_CUSTOMER), row=InboxMessage)
LOCK_SOME = Statement(
    sa.select(INBOX_MESSAGES).where(among(_M.id, "ids"), _OF_CUSTOMER).order_by(_M.id).with_for_update(),
    row=InboxMessage,
)
MARK_READ = Statement[None](
    sa.update(INBOX_MESSAGES)
    .where(among(_M.id, "ids"))
    .values(read_time=sa.bindparam("read_time", type_=_M.read_time.type))
)
LIST = Listing(
    sa.select(INBOX_MESSAGES),
    _M.id,
    descending=True,
    row=InboxMessage,
    of_customer=_M.customer_id,
    filters={"read_time": filters.moment(_M.read_time), "create_time": filters.moment(_M.create_time)},
    walks=True,
)
_UNREAD = (_OF_CUSTOMER, _M.read_time.is_(None))
COUNT_UNREAD = Statement[Any](sa.select(sa.func.count().label("count")).where(*_UNREAD))
NEWEST_UNREAD = Statement(
    sa.select(INBOX_MESSAGES).where(*_UNREAD).order_by(_M.id.desc()).limit(sa.bindparam("at_most")),
    row=InboxMessage,
)
_OLD = (
    sa.select(_M.id)
    .where(_M.expire_time <= sa.bindparam("now", type_=_M.expire_time.type))
    .order_by(_M.expire_time)
    .limit(sa.bindparam("page"))
)
DELETE_EXPIRED = Statement[Any](sa.delete(INBOX_MESSAGES).where(_M.id.in_(_OLD)).returning(_M.id))
