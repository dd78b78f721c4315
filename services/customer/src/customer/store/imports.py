"""Statements on import jobs, their rows and their errors."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from customer.domain.imports import ImportJob, RowError
from customer.store.tables import IMPORT_ERRORS, IMPORT_JOBS, IMPORT_ROWS

_ID = IMPORT_JOBS.c.id == sa.bindparam("id")
_LINES = sa.bindparam("lines", type_=sa.ARRAY(sa.BigInteger))
_COUNTED = (
    "state",
    "row_count",
    "last_line",
    "error_count",
    "created_count",
    "matched_count",
    "renamed_count",
    "end_time",
    "importer",
    "commit_id",
)

JOB = Statement(sa.select(IMPORT_JOBS).where(_ID), row=ImportJob)
LOCKED_JOB = Statement(sa.select(IMPORT_JOBS).where(_ID).with_for_update(), row=ImportJob)
JOB_OF_SOURCE = Statement(
    sa.select(IMPORT_JOBS).where(
        IMPORT_JOBS.c.department_id == sa.bindparam("department_id"),
        IMPORT_JOBS.c.source == sa.bindparam("source"),
        IMPORT_JOBS.c.state != sa.literal_column("'CANCELLED'"),
    ),
    row=ImportJob,
)
# Inserts nothing when the department has a job for the source: the caller reads that one.
INSERT_JOB = Statement[Any](
    insert(IMPORT_JOBS).on_conflict_do_nothing(
        index_elements=["department_id", "source"], index_where=sa.text("state <> 'CANCELLED'")
    )
)
SAVE_JOB = Statement[Any](
    sa.update(IMPORT_JOBS)
    .where(IMPORT_JOBS.c.id == sa.bindparam("job"))
    .values({name: sa.bindparam(name) for name in _COUNTED})
)

_rows, _errors = IMPORT_ROWS.c, IMPORT_ERRORS.c
RECEIVED_LINES = Statement[Any](
    sa.union(
        sa.select(_rows.line).where(
            _rows.job_id == sa.bindparam("job_id"), _rows.line == sa.func.any(_LINES)
        ),
        sa.select(_errors.line).where(
            _errors.job_id == sa.bindparam("job_id"), _errors.line == sa.func.any(_LINES)
        ),
    )
)
INSERT_ROWS = Bulk[Any](IMPORT_ROWS)
INSERT_ERRORS = Bulk[Any](IMPORT_ERRORS)
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
LIST_ERRORS = Listing(
    sa.select(IMPORT_ERRORS).where(_errors.job_id == sa.bindparam("job_id")),
    _errors.line,
    _errors.position,
    row=RowError,
)
