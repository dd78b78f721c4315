"""Policies: every version is kept, the highest holds."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.api.listing import Listing
from chassis.db.statement import Statement
from notifications.domain.policy import PLATFORM, NoticePolicy
from notifications.store.tables import POLICIES

_NEWEST_FIRST = (POLICIES.c.id, POLICIES.c.version.desc())
_LATEST = sa.select(POLICIES).ext(distinct_on(POLICIES.c.id)).order_by(*_NEWEST_FIRST).subquery("latest")
_HELD = sa.select(_LATEST).where(sa.not_(_LATEST.c.deleted))
_ENABLED = _HELD.where(sa.not_(_LATEST.c.disabled))
_THIS = _LATEST.c.id == sa.bindparam("id")
LATEST_POLICY = Statement(sa.select(_LATEST).where(_THIS), row=NoticePolicy)
GET_POLICY = Statement(_HELD.where(_THIS), row=NoticePolicy)
# Those of the department that made the promise before the platform's, and nobody else's.
POLICIES_FOR_EVENT = Statement(
    _ENABLED.where(
        _LATEST.c.event_type == sa.bindparam("event_type"),
        _LATEST.c.department_id.in_([sa.bindparam("department_id"), PLATFORM]),
    ).order_by(_LATEST.c.department_id == PLATFORM, _LATEST.c.id),
    row=NoticePolicy,
)
POLICIES_WITH_TEMPLATE = Statement(
    _ENABLED.where(_LATEST.c.template_id == sa.bindparam("template_id")), row=NoticePolicy
)
LIST_POLICIES = Listing(_HELD, _LATEST.c.id, row=NoticePolicy)
INSERT_POLICY = Statement[None](sa.insert(POLICIES))
SEED_POLICY = Statement[None](insert(POLICIES).on_conflict_do_nothing())
