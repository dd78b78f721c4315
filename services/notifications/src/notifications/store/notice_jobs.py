"""Statements on jobs that send to many customers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, table
from notifications.domain.notice_job import NoticeJob
from notifications.names import CUSTOMER, DEPARTMENT, NOTICE
from notifications.store.figures import Reason
from notifications.store.tables import METADATA, NOTICES, WHY
from rapport.notifications.v1 import notice_job_pb2


@dataclass(slots=True)
class NoticeJobResult:
    """What became of a customer: the notice that was requested, or why none was."""

    notice_job_id: UUID
    customer_id: UUID
    notice_id: UUID | None
    reason: str

    customer = CUSTOMER.named("customer_id")
    notice = NOTICE.named("notice_id")


JOBS = table(METADATA, "notice_jobs", NoticeJob)
RESULTS = table(METADATA, "notice_job_results", NoticeJobResult, key=("notice_job_id", "customer_id"))
_R = RESULTS.c

JOB, LOCK_JOB, UPDATE_JOB = of_entity(JOBS, NoticeJob)
INSERT_JOB = Statement[Any](sa.insert(JOBS))
LIST_JOBS = Listing(
    sa.select(JOBS),
    JOBS.c.id,  # UUIDv7: in the order of creation
    descending=True,
    row=NoticeJob,
    filters={
        "department": filters.name(JOBS.c.department_id, DEPARTMENT),
        "state": filters.enum(JOBS.c.state, notice_job_pb2.NoticeJob.State.DESCRIPTOR),
    },
)
LIST_RESULTS = Listing(
    sa.select(RESULTS).where(_R.notice_job_id == sa.bindparam("notice_job_id")),
    _R.customer_id,
    row=NoticeJobResult,
    filters={"reason": filters.text(_R.reason)},
)
COUNT_OPEN_JOBS = Statement[Any](
    sa.select(JOBS.c.state, sa.func.count().label("count"))
    .where(JOBS.c.end_time.is_(None))
    .group_by(JOBS.c.state)
)
COUNTED_MAX = 20_000  # whoever looks at a job waits for it
_COUNTED = (
    sa.select(_R.notice_id)
    .where(_R.notice_job_id == sa.bindparam("notice_job_id"), _R.notice_id.is_not(None))
    .order_by(_R.customer_id)
    .limit(COUNTED_MAX)
    .subquery("counted")
)
# What became of those whom a job came to with a notice.
REPORT_JOB = Statement(
    sa.select(NOTICES.c.state, WHY.label("reason_code"), sa.func.count().label("notice_count"))
    .select_from(_COUNTED.join(NOTICES, NOTICES.c.id == _COUNTED.c.notice_id))
    .group_by(NOTICES.c.state, WHY)
    .order_by(sa.desc("notice_count"), NOTICES.c.state, WHY),
    row=Reason,
)
INSERT_RESULTS = Bulk[Any](RESULTS, lambda rows: rows)
SEEN = Statement[Any](
    sa.select(_R.customer_id).where(
        _R.notice_job_id == sa.bindparam("notice_job_id"), among(_R.customer_id, "ids")
    )
)
