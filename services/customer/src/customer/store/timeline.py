"""Statements on the timeline."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, rows_of
from customer.domain.timeline import TimelineEntry
from customer.store.tables import TIMELINE
from rapport.common.v1 import channel_pb2

_T = TIMELINE.c
_NEWEST_FIRST = (_T.occur_time.desc(), _T.id.desc())
LATEST_IN_VIEW = 20

ENTRY = Statement(
    sa.select(TIMELINE).where(_T.id == sa.bindparam("id"), _T.customer_id == sa.bindparam("customer_id")),
    row=TimelineEntry,
)

# A page is one range of the index on (customer_id, occur_time, id), however long the timeline is;
# a filter is checked along that range.
LIST_ENTRIES = Listing(
    sa.select(TIMELINE).where(_T.customer_id == sa.bindparam("customer_id")),
    _T.occur_time,
    _T.id,
    descending=True,
    row=TimelineEntry,
    walks=True,
    filters={
        "channel": filters.enum(_T.channel, channel_pb2.Channel.DESCRIPTOR),
        "department": filters.text(_T.department),
        "event_type": filters.text(_T.event_type),
        "resource": filters.text(_T.resource),
        "occur_time": filters.moment(_T.occur_time),
    },
)

INSERT_ENTRIES = Bulk[Any](TIMELINE)
# A fact's entry has the id of its event: a repeat changes nothing, and is not returned.
INSERT_FACTS = Bulk[Any](
    TIMELINE, lambda insert: insert.on_conflict_do_nothing(index_elements=["id"]).returning(_T.id)
)
TOLD_BY = Statement[Any](sa.select(_T.id, _T.service).where(among(_T.id, "ids")))

_asked = rows_of("asked", customer_ids=sa.Uuid())
_latest = (
    sa.select(TIMELINE)
    .where(_T.customer_id == _asked.c.customer_ids)
    .order_by(*_NEWEST_FIRST)
    .limit(sa.literal_column(str(LATEST_IN_VIEW)))
    .lateral("latest")
)
# The newest entries of each of several customers, newest first.
LATEST_ENTRIES = Statement(
    sa.select(*_latest.c)
    .select_from(_asked.join(_latest, sa.true()))
    .order_by(_latest.c.occur_time.desc(), _latest.c.id.desc()),
    row=TimelineEntry,
)
