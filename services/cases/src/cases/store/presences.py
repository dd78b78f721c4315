"""Statements on who is there."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases import names
from cases.domain.presence import AgentPresence, Presence, PresenceState
from cases.domain.work_item import WorkItemState
from cases.store.tables import AGENTS, METADATA, WORK_ITEMS
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement
from chassis.db.tables import replaced, table

PRESENCES = table(METADATA, "presences", Presence, key=("agent_id",))
_P, _W = PRESENCES.c, WORK_ITEMS.c

PRESENCE = Statement(sa.select(PRESENCES).where(_P.agent_id == sa.bindparam("agent_id")), row=Presence)
_MOMENT = _P.expire_time.type
# Of who is believed to be there until now, and nothing else of them: what they say meanwhile stands.
RENEW_PRESENCE = Statement[Any](
    sa.update(PRESENCES)
    .where(
        _P.agent_id == sa.bindparam("agent_id", type_=sa.Text),
        _P.expire_time > sa.bindparam("now", type_=_MOMENT),
        _P.state != PresenceState.OFFLINE.value,
    )
    .values(expire_time=sa.bindparam("expire_time", type_=_MOMENT))
)
PUT_PRESENCE = Statement[Any](replaced(insert(PRESENCES)))


def _open_work(agent_id: Any) -> Any:
    """SQL: how much work is somebody's that is neither finished nor blocked."""
    return (
        sa.select(sa.func.count())
        .where(
            _W.assignee_id == agent_id,
            _W.state != sa.literal_column(f"'{WorkItemState.FINISHED}'"),
            _W.block_time.is_(None),
        )
        .scalar_subquery()
    )


OPEN_WORK = Statement[Any](sa.select(_open_work(sa.bindparam("agent_id", type_=sa.Text)).label("count")))
_LISTED = sa.select(
    AGENTS.c.id,
    AGENTS.c.department_id,
    AGENTS.c.capacity,
    _open_work(AGENTS.c.id).label("open_work_count"),
    sa.func.coalesce(_P.state, PresenceState.OFFLINE.value).label("state"),
    _P.until_time,
    _P.since_time,
    _P.expire_time,
).outerjoin(PRESENCES, _P.agent_id == AGENTS.c.id)
AGENT_PRESENCE = Statement(_LISTED.where(AGENTS.c.id == sa.bindparam("id")), row=AgentPresence)
LIST_PRESENCES = Listing(
    _LISTED.where(AGENTS.c.inactive.is_(False)),
    AGENTS.c.id,
    row=AgentPresence,
    filters={"department": filters.name(AGENTS.c.department_id, names.DEPARTMENT)},
)
_NOW = sa.bindparam("now", type_=_MOMENT)
_AVAILABLE = sa.and_(
    _P.expire_time > _NOW, sa.or_(_P.state == PresenceState.AVAILABLE.value, _P.until_time <= _NOW)
)
# Of the agents of a department how many are available, and of how many anything was heard since then.
ATTENDANCE = Statement[Any](
    sa.select(
        sa.func.count().filter(_AVAILABLE).label("available"),
        sa.func.count().filter(_P.expire_time > sa.bindparam("since", type_=_MOMENT)).label("known"),
    )
    .select_from(AGENTS.join(PRESENCES, _P.agent_id == AGENTS.c.id))
    .where(
        AGENTS.c.department_id == sa.bindparam("department_id", type_=sa.Text), AGENTS.c.inactive.is_(False)
    )
)
