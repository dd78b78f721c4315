"""Statements on jobs over many cases."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cases import names
from cases.domain.case_job import CASES_MAX, CaseJob
from cases.domain.case_link import LinkKind
from cases.domain.work_item import WorkItemState
from cases.names import CASE
from cases.store.case_links import CASE_LINKS
from cases.store.selection import selection
from cases.store.tables import CASES, METADATA, WORK_ITEMS, members_of
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Executor, Statement, of_entity
from chassis.db.tables import among, rows_of, table
from rapport.cases.v1 import case_job_pb2


@dataclass(slots=True)
class CaseJobResult:
    """What became of a case: why nothing was done, or nothing."""

    case_job_id: UUID
    case_id: UUID
    reason: str

    case = CASE.named("case_id")


CASE_JOBS = table(METADATA, "case_jobs", CaseJob)
RESULTS = table(METADATA, "case_job_results", CaseJobResult, key=("case_job_id", "case_id"))
_J, _R, _L = CASE_JOBS.c, RESULTS.c, CASE_LINKS.c

CASE_JOB, LOCK_CASE_JOB, UPDATE_CASE_JOB = of_entity(CASE_JOBS, CaseJob)
INSERT_CASE_JOB = Statement[Any](sa.insert(CASE_JOBS))
LIST_CASE_JOBS = Listing(
    sa.select(CASE_JOBS),
    _J.id,  # UUIDv7: in the order of creation
    descending=True,
    row=CaseJob,
    filters={
        "department": filters.name(_J.department_id, names.DEPARTMENT),
        "problem": filters.name(_J.problem_id, names.CASE),
        "state": filters.enum(_J.state, case_job_pb2.CaseJob.State.DESCRIPTOR),
    },
)
LIST_RESULTS = Listing(
    sa.select(RESULTS).where(_R.case_job_id == sa.bindparam("case_job_id")),
    _R.case_id,
    row=CaseJobResult,
    filters={"reason": filters.text(_R.reason)},
)
# Nothing comes back for a case that the job has seen to.
INSERT_RESULTS = Bulk[Any](RESULTS, lambda rows: rows.on_conflict_do_nothing().returning(_R.case_id))
SEEN = Statement[Any](
    sa.select(_R.case_id).where(_R.case_job_id == sa.bindparam("case_job_id"), among(_R.case_id, "ids"))
)

_asked = rows_of("asked", ids=sa.Uuid())
# How much work is left on each of some cases, and on those that are settled with it.
UNFINISHED = Statement[Any](
    sa.select(
        _asked.c.ids.label("id"),
        sa.select(sa.func.count())
        .where(
            WORK_ITEMS.c.case_id == sa.func.any(members_of(_asked.c.ids)),
            WORK_ITEMS.c.state != WorkItemState.FINISHED.value,
        )
        .scalar_subquery()
        .label("unfinished"),
    )
)
_PROBLEM = sa.bindparam("problem_id", type_=sa.Uuid)
_CAUSED = _L.linked_case_id == _PROBLEM, _L.kind == sa.literal_column(f"'{LinkKind.CAUSED_BY}'")
# The cases that a problem brought about, in the order of linking; of a merged one the one that goes on.
CAUSED_BY = Statement[Any](
    sa.select(_L.id.label("id"), sa.func.coalesce(CASES.c.survivor_id, CASES.c.id).label("case_id"))
    .join_from(CASE_LINKS, CASES, CASES.c.id == _L.case_id)
    .where(*_CAUSED, _L.id > sa.bindparam("after", type_=sa.Uuid))
    .order_by(_L.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
COUNT_CAUSED = Statement[Any](
    sa.select(sa.func.count().label("cases")).select_from(
        sa.select(_L.id).where(*_CAUSED).limit(CASES_MAX).subquery()
    )
)


async def selected(
    on: Executor, filter: str, *, after: UUID, before: UUID, limit: int, argument: str = "case_job.filter"
) -> list[UUID]:
    """The cases of a filter after one and before another, in their order.

    InvalidArgument INVALID_FILTER.
    """
    clause, params, _ = selection(filter, argument)
    select = (
        sa.select(CASES.c.id)
        .where(
            clause,
            CASES.c.id > sa.bindparam("after", type_=sa.Uuid),
            CASES.c.id < sa.bindparam("before", type_=sa.Uuid),
        )
        .order_by(CASES.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer))
    )
    rows = await Statement[Any](select).all(on, after=after, before=before, limit=limit, **params)
    return [row["id"] for row in rows]
