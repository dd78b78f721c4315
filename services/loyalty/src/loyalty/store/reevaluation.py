"""Statements on jobs that reckon anew what purchases earned."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, table
from loyalty.domain.reevaluation import PURCHASES_MAX, ReevaluationJob, Result
from loyalty.domain.value import Purchase
from loyalty.names import DEPARTMENT
from loyalty.store.tables import METADATA, PURCHASES
from rapport.loyalty.v1 import reevaluation_job_pb2


@dataclass(frozen=True, slots=True)
class Chosen:
    """A purchase of a job."""

    reevaluation_job_id: UUID
    purchase_id: UUID


JOBS = table(METADATA, "reevaluation_jobs", ReevaluationJob)
CHOSEN = table(METADATA, "reevaluation_purchases", Chosen, key=("reevaluation_job_id", "purchase_id"))
RESULTS = table(
    METADATA, "reevaluation_results", Result, key=("reevaluation_job_id", "purchase_id", "unit_id")
)
_J, _C, _R, _P = JOBS.c, CHOSEN.c, RESULTS.c, PURCHASES.c

JOB, LOCK_JOB, UPDATE_JOB = of_entity(JOBS, ReevaluationJob)
INSERT_JOB = Statement[Any](sa.insert(JOBS))
LIST_JOBS = Listing(
    sa.select(JOBS),
    _J.id,  # UUIDv7: in the order of creation
    descending=True,
    row=ReevaluationJob,
    filters={
        "department": filters.name(_J.department_id, DEPARTMENT),
        "state": filters.enum(_J.state, reevaluation_job_pb2.ReevaluationJob.State.DESCRIPTOR),
    },
)
INSERT_CHOSEN = Bulk[Any](CHOSEN)
INSERT_RESULTS = Bulk[Any](RESULTS)
LIST_RESULTS = Listing(
    sa.select(RESULTS).where(_R.reevaluation_job_id == sa.bindparam("reevaluation_job_id")),
    _R.purchase_id,
    _R.unit_id,
    row=Result,
)
# The next purchases of a job, in the order in which they were recorded.
NEXT_CHOSEN = Statement[Any](
    sa.select(_C.purchase_id)
    .where(
        _C.reevaluation_job_id == sa.bindparam("job_id", type_=sa.Uuid),
        _C.purchase_id > sa.bindparam("after", type_=sa.Uuid),
    )
    .order_by(_C.purchase_id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
# Nobody else's to correct or to claim; in the order in which imports lock them.
LOCK_PURCHASES = Statement(
    sa.select(PURCHASES).where(among(_P.id, "ids")).order_by(_P.import_key, _P.id).with_for_update(),
    row=Purchase,
)

_store = sa.bindparam("store", type_=sa.Text)
_BOUGHT = (
    sa.select(PURCHASES)
    .where(
        _P.purchase_time >= sa.bindparam("start", type_=sa.DateTime(timezone=True)),
        _P.purchase_time < sa.bindparam("end", type_=sa.DateTime(timezone=True)),
        sa.or_(_store == "", _P.store == _store),
        sa.or_(_P.paid > 0, sa.func.jsonb_array_length(_P.sold) > 0),
    )
    .limit(PURCHASES_MAX + 1)
)
# What was bought in a time, and maybe given back as an exchange; by anybody, or by the names of a customer.
BOUGHT = Statement(_BOUGHT.where(_P.customer_id.is_not(None)), row=Purchase)
BOUGHT_BY = Statement(_BOUGHT.where(among(_P.customer_id, "customer_ids")), row=Purchase)
