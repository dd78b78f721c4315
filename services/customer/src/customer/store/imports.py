"""Statements on import jobs, their rows and their findings."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.api.resources import resource
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, updated
from customer.domain.imports import Finding, ImportJob
from customer.store.tables import IMPORT_FINDINGS, IMPORT_JOBS, IMPORT_ROWS
from rapport.customer.v1 import import_job_pb2

_ID = IMPORT_JOBS.c.id == sa.bindparam("id")

JOB = Statement(sa.select(IMPORT_JOBS).where(_ID), row=ImportJob)
LOCKED_JOB = Statement(sa.select(IMPORT_JOBS).where(_ID).with_for_update(), row=ImportJob)
LIST_JOBS = Listing(
    sa.select(IMPORT_JOBS),
    IMPORT_JOBS.c.create_time,
    IMPORT_JOBS.c.id,
    descending=True,
    row=ImportJob,
    filters={
        "source": filters.text(IMPORT_JOBS.c.source),
        "state": filters.enum(IMPORT_JOBS.c.state, import_job_pb2.ImportJob.State.DESCRIPTOR),
        "department": filters.name(IMPORT_JOBS.c.department_id, resource("cases.rapport/Department")),
        "create_time": filters.moment(IMPORT_JOBS.c.create_time),
    },
)
# As the unique index says it.
_UNDER_WAY = "state IN ('OPEN', 'COMMITTING')"
JOB_UNDER_WAY = Statement[Any](
    sa.select(IMPORT_JOBS.c.id).where(
        IMPORT_JOBS.c.department_id == sa.bindparam("department_id"),
        IMPORT_JOBS.c.source == sa.bindparam("source"),
        sa.text(_UNDER_WAY),
    )
)
# Inserts nothing when the department has a job of the source under way.
INSERT_JOB = Statement[Any](
    insert(IMPORT_JOBS)
    .on_conflict_do_nothing(index_elements=["department_id", "source"], index_where=sa.text(_UNDER_WAY))
    .returning(IMPORT_JOBS.c.id)
)
SAVE_JOB = Statement[Any](updated(IMPORT_JOBS))

_rows, _findings = IMPORT_ROWS.c, IMPORT_FINDINGS.c
RECEIVED_LINES = Statement[Any](
    sa.union(
        *(
            sa.select(of.line).where(of.job_id == sa.bindparam("job_id"), among(of.line, "lines"))
            for of in (_rows, _findings)
        )
    )
)
INSERT_ROWS = Bulk[Any](IMPORT_ROWS)
INSERT_FINDINGS = Bulk[Any](IMPORT_FINDINGS)
_next = (
    sa.select(_rows.line)
    .where(_rows.job_id == sa.bindparam("job_id"))
    .order_by(_rows.line)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
TAKE_ROWS = Statement[Any](
    sa.delete(IMPORT_ROWS)
    .where(_rows.job_id == sa.bindparam("job_id"), _rows.line.in_(_next))
    .returning(_rows.line, _rows.draft)
)
DELETE_ROWS = Statement[Any](sa.delete(IMPORT_ROWS).where(_rows.job_id == sa.bindparam("job_id")))
LIST_FINDINGS = Listing(
    sa.select(IMPORT_FINDINGS).where(_findings.job_id == sa.bindparam("import_job_id")),
    _findings.line,
    _findings.position,
    row=Finding,
)
