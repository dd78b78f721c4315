"""Import jobs: the rows that wait, what is to be known of them, and what each did or would do."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.api.resources import resource
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, replaced, rows_of, table
from customer.domain.import_effects import Effect
from customer.domain.imports import Finding, ImportJob
from customer.store.tables import METADATA
from rapport.customer.v1 import import_job_pb2


@dataclass(slots=True)
class ImportRow:
    """A row that waits to be applied. Deleted in the transaction that applies it."""

    job_id: UUID
    line: int
    draft: bytes


@dataclass(slots=True)
class PreviewedCustomer:
    """What a customer would be after the rows that were looked at. Deleted when all were."""

    job_id: UUID
    customer_id: UUID
    held: bytes


@dataclass(slots=True)
class PreviewedKey:
    """A handle that a customer would have, by its digest."""

    job_id: UUID
    digest: bytes
    customer_id: UUID
    shared: bool


IMPORT_JOBS = table(METADATA, "import_jobs", ImportJob)
IMPORT_ROWS = table(METADATA, "import_rows", ImportRow, key=("job_id", "line"))
IMPORT_FINDINGS = table(METADATA, "import_findings", Finding, key=("job_id", "line", "position"))
IMPORT_EFFECTS = table(METADATA, "import_effects", Effect, key=("job_id", "line"))
IMPORT_PREVIEWS = table(METADATA, "import_previews", PreviewedCustomer, key=("job_id", "customer_id"))
IMPORT_PREVIEW_KEYS = table(
    METADATA, "import_preview_keys", PreviewedKey, key=("job_id", "digest", "customer_id")
)
_ID = sa.bindparam("job_id", type_=sa.Uuid)

JOB, LOCKED_JOB, SAVE_JOB = of_entity(IMPORT_JOBS, ImportJob)
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
_UNDER_WAY = "state IN ('OPEN', 'COMMITTING', 'PREVIEWING', 'PREVIEWED')"
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

_rows, _findings, _effects = IMPORT_ROWS.c, IMPORT_FINDINGS.c, IMPORT_EFFECTS.c
RECEIVED_LINES = Statement[Any](
    sa.union(
        *(sa.select(of.line).where(of.job_id == _ID, among(of.line, "lines")) for of in (_rows, _findings))
    )
)
INSERT_ROWS = Bulk[Any](IMPORT_ROWS)
INSERT_FINDINGS = Bulk[Any](IMPORT_FINDINGS)
INSERT_EFFECTS = Bulk[Any](IMPORT_EFFECTS)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_next = sa.select(_rows.line).where(_rows.job_id == _ID).order_by(_rows.line).limit(_LIMIT)
TAKE_ROWS = Statement[Any](
    sa.delete(IMPORT_ROWS)
    .where(_rows.job_id == _ID, _rows.line.in_(_next))
    .returning(_rows.line, _rows.draft)
)
ROWS_AFTER = Statement[Any](
    sa.select(_rows.line, _rows.draft)
    .where(_rows.job_id == _ID, _rows.line > sa.bindparam("line", type_=sa.BigInteger))
    .order_by(_rows.line)
    .limit(_LIMIT)
)


def _told(of: sa.Table) -> sa.ColumnElement[bool]:
    """What a preview said is told until the job is committed or given up, and forgotten after that."""
    job, is_preview = IMPORT_JOBS.c, IMPORT_JOBS.c.state.startswith("PREVIEW")  # PREVIEWING or PREVIEWED
    return sa.or_(~of.c.preview, sa.exists().where(job.id == of.c.job_id, is_preview))


LIST_FINDINGS = Listing(
    sa.select(IMPORT_FINDINGS).where(
        _findings.job_id == sa.bindparam("import_job_id"), _told(IMPORT_FINDINGS)
    ),
    _findings.line,
    _findings.position,
    row=Finding,
    filters={
        "line": filters.number(_findings.line),
        "reason": filters.text(_findings.reason),
    },
)
LIST_EFFECTS = Listing(
    sa.select(IMPORT_EFFECTS).where(_effects.job_id == sa.bindparam("import_job_id"), _told(IMPORT_EFFECTS)),
    _effects.line,
    row=Effect,
)
CREATED_LINES = Statement[Any](
    sa.select(_effects.customer_id, _effects.line).where(
        _effects.job_id == _ID,
        among(_effects.customer_id, "customer_ids"),
        _effects.outcome == sa.literal_column("'CREATED'"),
    )
)

# What was done and not taken back yet, the last line first; and all of some customers.
EFFECTS_LEFT = Statement[Any](
    sa.select(_effects.line, _effects.customer_id)
    .where(_effects.job_id == _ID, _effects.undone.is_(None))
    .order_by(_effects.line.desc())
    .limit(_LIMIT)
)
EFFECTS_OF = Statement(
    sa.select(IMPORT_EFFECTS)
    .where(_effects.job_id == _ID, _effects.undone.is_(None), among(_effects.customer_id, "customer_ids"))
    .order_by(_effects.line),
    row=Effect,
)
# Of whom other imports that stand say something, too, and as what these last saw them.
SAID_BY_OTHERS = Statement[Any](
    sa.select(_effects.customer_id, sa.func.max(_effects.version).label("version"))
    .where(
        among(_effects.customer_id, "customer_ids"),
        _effects.job_id != _ID,
        sa.not_(_effects.preview),
        _effects.undone.is_distinct_from(sa.true()),
    )
    .group_by(_effects.customer_id)
)
_done = rows_of("done", lines=sa.BigInteger(), undone=sa.Boolean())
SAVE_UNDONE = Statement[Any](
    sa.update(IMPORT_EFFECTS)
    .where(_effects.job_id == _ID, _effects.line == _done.c.lines)
    .values(undone=_done.c.undone)
)
_oldest = sa.select(_effects.line).where(_effects.job_id == _ID).order_by(_effects.line).limit(_LIMIT)
FORGET_EFFECTS = Statement[Any](
    sa.delete(IMPORT_EFFECTS)
    .where(_effects.job_id == _ID, _effects.line.in_(_oldest))
    .returning(_effects.line)
)

# What a preview keeps until all was looked at, and what it said until the job is committed.
PREVIEWED = Statement(
    sa.select(IMPORT_PREVIEWS).where(
        IMPORT_PREVIEWS.c.job_id == _ID, among(IMPORT_PREVIEWS.c.customer_id, "customer_ids")
    ),
    row=PreviewedCustomer,
)
_asked = rows_of("asked", digests=sa.LargeBinary())
PREVIEWED_KEYS = Statement(
    sa.select(IMPORT_PREVIEW_KEYS).join_from(
        _asked,
        IMPORT_PREVIEW_KEYS,
        sa.and_(IMPORT_PREVIEW_KEYS.c.digest == _asked.c.digests, IMPORT_PREVIEW_KEYS.c.job_id == _ID),
    ),
    row=PreviewedKey,
)
SAVE_PREVIEWS = Bulk[Any](IMPORT_PREVIEWS, replaced)
SAVE_PREVIEW_KEYS = Bulk[Any](IMPORT_PREVIEW_KEYS, replaced)


def _page_of(of: sa.Table, *which: sa.ColumnElement[bool]) -> Statement[Any]:
    key = tuple(of.primary_key)
    page = sa.select(*key).where(of.c.job_id == _ID, *which).limit(_LIMIT)
    return Statement[Any](sa.delete(of).where(sa.tuple_(*key).in_(page)).returning(of.c.job_id))


# A page of what customers would be, of no use once all rows were looked at; and of all else that is given up.
FORGET_PREVIEWED = [_page_of(IMPORT_PREVIEWS), _page_of(IMPORT_PREVIEW_KEYS)]
FORGET_GIVEN_UP = [
    _page_of(IMPORT_ROWS),
    _page_of(IMPORT_FINDINGS, _findings.preview),
    _page_of(IMPORT_EFFECTS, _effects.preview),
]
# What a preview said of lines that are applied now.
DELETE_PREVIEWED_LINES = [
    Statement[Any](sa.delete(of).where(of.c.job_id == _ID, among(of.c.line, "lines"), of.c.preview))
    for of in (IMPORT_FINDINGS, IMPORT_EFFECTS)
]
