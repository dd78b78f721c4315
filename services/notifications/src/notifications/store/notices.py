"""Notices and their attempts."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import replaced, updated
from notifications.domain.attempt import Attempt
from notifications.domain.notice import TAKEN_BACK, Notice
from notifications.store.tables import ATTEMPTS, NOTICES
from rapport.common.v1 import states_pb2

_BY_ID = sa.select(NOTICES).where(NOTICES.c.id == sa.bindparam("id"))
_OF_POLICIES = sa.select(NOTICES).where(
    NOTICES.c.promise == sa.bindparam("promise"),
    NOTICES.c.customer == sa.bindparam("customer"),
    NOTICES.c.notice_policy_id != "",
)

GET_NOTICE = Statement(_BY_ID, row=Notice)
LOCK_NOTICE = Statement(_BY_ID.with_for_update(), row=Notice)
# Newest first: by what they tell of, for the clocks of those who made them may differ.
LOCK_NOTICES_OF_PROMISE = Statement(
    _OF_POLICIES.order_by(NOTICES.c.promise_version.desc(), NOTICES.c.id.desc()).with_for_update(),
    row=Notice,
)
COUNT_SENT_BY_HAND = Statement[Any](
    sa.select(sa.func.count().label("count"))
    .select_from(NOTICES)
    .where(
        NOTICES.c.customer == sa.bindparam("customer"),
        NOTICES.c.id >= sa.bindparam("first"),
        NOTICES.c.create_time >= sa.bindparam("since"),
        NOTICES.c.notice_policy_id == "",
        NOTICES.c.purpose == sa.bindparam("purpose"),
        NOTICES.c.reason_code != TAKEN_BACK,  # the customer never had it
    )
)
LIST_NOTICES = Listing(
    sa.select(NOTICES),
    NOTICES.c.id,
    descending=True,
    row=Notice,
    filters={
        "customer": filters.text(NOTICES.c.customer),
        "promise": filters.text(NOTICES.c.promise),
        "kind": filters.text(NOTICES.c.kind),
        "state": filters.enum(NOTICES.c.state, states_pb2.NoticeState.DESCRIPTOR),
        "create_time": filters.moment(NOTICES.c.create_time),
    },
)
INSERT_NOTICE = Statement[None](sa.insert(NOTICES))
UPDATE_NOTICE = Statement[None](updated(NOTICES))

LIST_ATTEMPTS = Listing(
    sa.select(ATTEMPTS).where(ATTEMPTS.c.notice == sa.bindparam("notice_id")), ATTEMPTS.c.number, row=Attempt
)
GET_ATTEMPT = Statement(
    sa.select(ATTEMPTS).where(
        ATTEMPTS.c.notice == sa.bindparam("notice_id"), ATTEMPTS.c.number == sa.bindparam("id")
    ),
    row=Attempt,
)
_ENDED = ("outcome", "provider_code", "end_time")
INSERT_ATTEMPT = Statement[None](sa.insert(ATTEMPTS))
PUT_ATTEMPT = Bulk[None](ATTEMPTS, lambda insert: replaced(insert, *_ENDED))
END_ATTEMPT = Statement[None](updated(ATTEMPTS, *_ENDED))
