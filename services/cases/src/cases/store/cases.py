"""Statements on cases and their notes."""

from typing import Any

import sqlalchemy as sa

from cases.domain.case import Case, Note
from cases.domain.work_item import WorkItemState
from cases.names import AGENT, CUSTOMER
from cases.store.tables import CASES, NOTES, WORK_ITEMS
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement
from chassis.db.tables import among, updated
from rapport.common.v1 import states_pb2

_BY_ID = sa.select(CASES).where(CASES.c.id == sa.bindparam("id"))

CASE = Statement(_BY_ID, row=Case)
# NO KEY UPDATE: rows that reference the case may be inserted meanwhile, the case itself stays as it was read.
LOCK_CASE = Statement(_BY_ID.with_for_update(key_share=True), row=Case)
CASES_BY_ID = Statement(sa.select(CASES).where(among(CASES.c.id, "ids")), row=Case)
COUNT_UNFINISHED = Statement[Any](
    sa.select(sa.func.count()).where(
        WORK_ITEMS.c.case_id == sa.bindparam("id"), WORK_ITEMS.c.state != WorkItemState.FINISHED.value
    )
)
LIST_CASES = Listing(
    sa.select(CASES),
    CASES.c.id,  # UUIDv7: in the order of opening
    descending=True,
    order_by="open_time",
    row=Case,
    filters={
        "customer": filters.name(CASES.c.customer_id, CUSTOMER),
        "owner": filters.name(CASES.c.owner_id, AGENT),
        "topic": filters.text(CASES.c.topic),
        "state": filters.enum(CASES.c.state, states_pb2.CaseState.DESCRIPTOR),
        "open_time": filters.moment(CASES.c.open_time),
        "resolve_time": filters.moment(CASES.c.resolve_time),
    },
)
INSERT_CASE = Statement[Any](sa.insert(CASES))
UPDATE_CASE = Statement[Any](updated(CASES))
_OF_CASE = sa.select(NOTES).where(NOTES.c.case_id == sa.bindparam("case_id"))
NOTE = Statement(_OF_CASE.where(NOTES.c.id == sa.bindparam("id")), row=Note)
LIST_NOTES = Listing(_OF_CASE, NOTES.c.id, row=Note)  # UUIDv7: in the order of writing
INSERT_NOTE = Statement[Any](sa.insert(NOTES))
