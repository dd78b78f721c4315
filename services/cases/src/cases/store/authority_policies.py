"""The table of what people may do alone, and the statements on it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from cases.domain.authority_policy import AuthorityPolicy
from cases.store.tables import METADATA
from chassis.api.listing import Listing
from chassis.authority import PLATFORM
from chassis.db.statement import Statement
from chassis.db.tables import table

AUTHORITY_POLICIES = table(METADATA, "authority_policies", AuthorityPolicy, key=("id", "version"))

_LATEST = (
    sa.select(AUTHORITY_POLICIES)
    .ext(distinct_on(AUTHORITY_POLICIES.c.id))
    .order_by(AUTHORITY_POLICIES.c.id, AUTHORITY_POLICIES.c.version.desc())
    .subquery("latest")
)
AUTHORITY_POLICY = Statement(
    sa.select(_LATEST).where(_LATEST.c.id == sa.bindparam("id")), row=AuthorityPolicy
)
INSERT_AUTHORITY_POLICY = Statement[Any](sa.insert(AUTHORITY_POLICIES))
LIST_AUTHORITY_POLICIES = Listing(sa.select(_LATEST), _LATEST.c.id, row=AuthorityPolicy)
# What may be followed for the people of a department: a few rows for each department.
POLICIES_FOR = Statement(
    sa.select(_LATEST)
    .where(
        _LATEST.c.department_id.in_([sa.bindparam("department_id", type_=sa.Text), PLATFORM]),
        sa.not_(_LATEST.c.disabled),
    )
    .order_by(_LATEST.c.id),
    row=AuthorityPolicy,
)
