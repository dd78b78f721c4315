"""What cases told of what people may grant alone, and the statements on it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.db.statement import Statement
from chassis.db.tables import replaced, table
from chassis.names import PLATFORM
from loyalty.domain.front_line import CaseHarm, FrontLinePolicy
from loyalty.store.tables import METADATA, PROMISES

POLICIES = table(METADATA, "authority_policies", FrontLinePolicy)
CASE_HARMS = table(METADATA, "case_harms", CaseHarm, key=("case_id",))

PUT_POLICY = Statement[Any](replaced(insert(POLICIES), newer=True))
PUT_CASE_HARM = Statement[Any](replaced(insert(CASE_HARMS), newer=True))
# What may be followed for the people of a department: a few rows for each department.
POLICIES_FOR = Statement(
    sa.select(POLICIES)
    .where(
        POLICIES.c.department_id.in_([sa.bindparam("department_id", type_=sa.Text), PLATFORM]),
        POLICIES.c.act == sa.bindparam("act", type_=sa.Text),
        sa.not_(POLICIES.c.disabled),
    )
    .order_by(POLICIES.c.id),
    row=FrontLinePolicy,
)
# How much the case of a promise harms its customer; no row when it is on none, or the case is not known here.
HARM_OF_PROMISE = Statement(
    sa.select(CASE_HARMS)
    .join(PROMISES, PROMISES.c.case_id == CASE_HARMS.c.case_id)
    .where(PROMISES.c.id == sa.bindparam("id", type_=sa.Uuid)),
    row=CaseHarm,
)
