"""The table of topics, and the statements on it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases import names
from cases.domain.topic import DEPTH_MAX, Topic
from cases.store.tables import AGENTS, METADATA
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import table

TOPICS = table(METADATA, "topics", Topic)
_T = TOPICS.c

TOPIC, LOCK_TOPIC, UPDATE_TOPIC = of_entity(TOPICS, Topic)
INSERT_TOPIC = Statement[Any](insert(TOPICS).on_conflict_do_nothing().returning(_T.id))
LIST_TOPICS = Listing(
    sa.select(TOPICS),
    _T.id,
    row=Topic,
    filters={
        "department": filters.name(_T.department_id, names.DEPARTMENT),
        "parent_topic": filters.name(_T.parent_topic_id, names.TOPIC),
    },
)


def _level(depth: sa.ColumnElement[int]) -> sa.Select[Any]:
    said = _T.default_owner_id, _T.default_harm, _T.department_id, _T.required_skills, _T.reply_days
    return sa.select(_T.id, _T.parent_topic_id, *said, depth.label("depth"))


def _walk(name: str, next_one: Any) -> Any:
    """A topic, and from there one after the other; it ends whatever is there."""
    start = _level(sa.literal_column("0", sa.Integer)).where(_T.id == sa.bindparam("id", type_=sa.Text))
    walked = start.cte(name, recursive=True)
    further = _level(walked.c.depth + 1).where(next_one(walked), walked.c.depth < DEPTH_MAX)
    return walked.union_all(further)


_above = _walk("above", lambda walked: _T.id == walked.c.parent_topic_id)
_below = _walk("below", lambda walked: _T.parent_topic_id == walked.c.id)
# A topic and those above it, itself first; of each whom it names as owner, and whether they are there.
ABOVE = Statement[Any](
    sa.select(_above, AGENTS.c.id.is_not(None).label("owner_is_active"))
    .outerjoin(AGENTS, sa.and_(AGENTS.c.id == _above.c.default_owner_id, AGENTS.c.inactive.is_(False)))
    .order_by(_above.c.depth)
)
# How many levels are below a topic.
LEVELS_BELOW = Statement[Any](sa.select(sa.func.coalesce(sa.func.max(_below.c.depth), 0).label("levels")))
