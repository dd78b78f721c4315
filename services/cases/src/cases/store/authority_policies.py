"""The table of what people may do alone, and the statements on it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases.domain.authority_policy import AuthorityPolicy, AuthorityUse
from cases.store.tables import METADATA
from chassis.api.listing import Listing
from chassis.db.statement import Statement
from chassis.db.tables import table
from chassis.db.versions import versioned
from chassis.names import PLATFORM

AUTHORITY_POLICIES = table(METADATA, "authority_policies", AuthorityPolicy, key=("id", "version"))

_LATEST, AUTHORITY_POLICY, AUTHORITY_POLICY_VERSION, INSERT_AUTHORITY_POLICY = versioned(
    AUTHORITY_POLICIES, AuthorityPolicy
)
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

USES = table(METADATA, "authority_uses", AuthorityUse)
_OF_AGENT = USES.c.agent == sa.bindparam("agent", type_=sa.Text)
_since = sa.bindparam("since", type_=sa.DateTime(timezone=True))
INSERT_USE = Statement[Any](insert(USES).on_conflict_do_nothing())
# Of what was undone it is kept that it counts for nothing: word of it may come later.
UNDO_USE = Statement[Any](insert(USES).on_conflict_do_update(index_elements=["id"], set_={"amount": 0}))
# What somebody did so long ago that no budget counts it.
FORGET_USES = Statement[Any](sa.delete(USES).where(_OF_AGENT, USES.c.use_time <= _since))
USED = Statement[Any](
    sa.select(USES.c.act, sa.cast(sa.func.sum(USES.c.amount), sa.BigInteger).label("amount"))
    .where(_OF_AGENT, USES.c.use_time > _since)
    .group_by(USES.c.act)
)
