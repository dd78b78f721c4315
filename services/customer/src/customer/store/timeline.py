"""Statements on timelines: what is on one is under the name that it was recorded with, or assigned to it."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.aliases import group_of
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, rows_of
from customer.domain.timeline import ShownEntry, TimelineEntry
from customer.store.attachments import files_of
from customer.store.tables import TIMELINE
from rapport.common.v1 import channel_pb2

_T = TIMELINE.c
LATEST_IN_VIEW = 20

_entry = sa.select(TIMELINE, files_of(_T)).where(
    _T.id == sa.bindparam("id"),
    _T.customer_id == sa.func.any(group_of(sa.bindparam("customer_id", type_=sa.Uuid))),
)
ENTRY = Statement(_entry, row=ShownEntry)

LOCKED_ENTRY = Statement(_entry.with_for_update(), row=ShownEntry)
_, _, UPDATE_ENTRY = of_entity(TIMELINE, TimelineEntry)

# What is of a customer by the name that it was recorded with, and what a person assigned to them: a range of
# an index for each, merged in their order. Neither says itself what it leaves out, or the planner would read
# each whole.
_placed = sa.union_all(
    *(sa.select(TIMELINE, column.label("whose")) for column in (_T.customer_id, _T.assigned_customer_id))
).subquery("timeline")
_E = _placed.c
_PLACED = sa.select(*(_E[column.name] for column in _T), files_of(_E)).where(
    sa.or_(_E.assigned_customer_id.is_(None), _E.assigned_customer_id == _E.whose)
)

# A page is one range of the index on (customer_id, occur_time, id), however long the timeline is;
# a filter is checked along that range.
LIST_ENTRIES = Listing(
    _PLACED,
    _E.occur_time,
    _E.id,
    descending=True,
    order_by="occur_time",
    row=ShownEntry,
    walks=True,
    of_customer=_E.whose,
    filters={
        "channel": filters.enum(_E.channel, channel_pb2.Channel.DESCRIPTOR),
        "direction": filters.enum(_E.direction, channel_pb2.Direction.DESCRIPTOR),
        "department": filters.text(_E.department),
        "event_type": filters.text(_E.event_type),
        "topic": filters.text(_E.topic),
        "outcome_code": filters.text(_E.outcome_code),
        "resource": filters.text(_E.resource),
        "occur_time": filters.moment(_E.occur_time),
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
    _PLACED.where(_E.whose == _asked.c.customer_ids)
    .order_by(_E.occur_time.desc(), _E.id.desc())
    .limit(sa.literal_column(str(LATEST_IN_VIEW + 1)))
    .lateral("latest")
)
# The newest entries of each of several customers, newest first.
LATEST_ENTRIES = Statement(
    sa.select(*_latest.c)
    .select_from(_asked.join(_latest, sa.true()))
    .order_by(_latest.c.occur_time.desc(), _latest.c.id.desc()),
    row=ShownEntry,
)
