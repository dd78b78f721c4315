"""Policies: every version is kept, the highest holds."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.api.listing import Listing
from chassis.db.statement import Statement
from notifications.domain.policy import PLATFORM, NoticePolicy
from notifications.store.tables import POLICIES

_ALL = sa.select(POLICIES)
_NEWEST_FIRST = (POLICIES.c.id, POLICIES.c.version.desc())
_LATEST = _ALL.ext(distinct_on(POLICIES.c.id)).order_by(*_NEWEST_FIRST).subquery("latest")
GET_POLICY = Statement(
    _ALL.where(POLICIES.c.id == sa.bindparam("id")).order_by(POLICIES.c.version.desc()).limit(1),
    row=NoticePolicy,
)
# Those of the department that made the promise before the platform's, and nobody else's.
POLICIES_FOR_EVENT = Statement(
    sa.select(_LATEST)
    .where(
        _LATEST.c.event_type == sa.bindparam("event_type"),
        _LATEST.c.enabled,
        _LATEST.c.department_id.in_([sa.bindparam("department_id"), PLATFORM]),
    )
    .order_by(_LATEST.c.department_id == PLATFORM, _LATEST.c.id),
    row=NoticePolicy,
)
POLICIES_WITH_TEMPLATE = Statement(
    sa.select(_LATEST).where(_LATEST.c.template == sa.bindparam("template"), _LATEST.c.enabled),
    row=NoticePolicy,
)
LIST_POLICIES = Listing(sa.select(_LATEST), _LATEST.c.id, row=NoticePolicy)
INSERT_POLICY = Statement[None](sa.insert(POLICIES))
SEED_POLICY = Statement[None](insert(POLICIES).on_conflict_do_nothing())
