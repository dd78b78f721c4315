"""What cases told of what people may grant alone, and the statements on it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.db.statement import Statement
from chassis.db.tables import table
from chassis.names import PLATFORM
from loyalty.domain.front_line import CaseHarm, FrontLinePolicy
from loyalty.store.tables import METADATA, PROMISES

POLICIES = table(METADATA, "authority_policies", FrontLinePolicy)
CASE_HARMS = table(METADATA, "case_harms", CaseHarm, key=("case_id",))


def _newest(rows: sa.Table) -> Statement[Any]:
    """Keeps what is told of a row, unless a newer version is known: news comes in any order."""
    new = insert(rows)
    return Statement(
        new.on_conflict_do_update(
            index_elements=list(rows.primary_key),
            set_={each.name: new.excluded[each.name] for each in rows.c if not each.primary_key},
            where=rows.c.version < new.excluded.version,
        )
    )


PUT_POLICY = _newest(POLICIES)
PUT_CASE_HARM = _newest(CASE_HARMS)
# What may be followed for the people of a department: a few rows for each department.
POLICIES_FOR = Statement(
    sa.select(POLICIES)
    .where(
        POLICIES.c.department_id.in_([sa.bindparam("department_id", type_=sa.Text), PLATFORM]),
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
