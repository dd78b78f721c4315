"""Statements on who answers for the relationship with a customer, as the customer service tells."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases.store.tables import AGENTS, CASES, METADATA
from chassis.db.aliases import group_of
from chassis.db.statement import Statement
from chassis.db.tables import table


@dataclass(slots=True)
class RelationshipManager:
    """Whom the customer service named last for a name of a customer."""

    customer_id: UUID
    agent_id: str
    version: int  # of the customer
    update_time: datetime


MANAGERS = table(METADATA, "relationship_managers", RelationshipManager, key=("customer_id",))
_new = insert(MANAGERS)
# Whatever the order in which it arrives.
PUT_MANAGER = Statement[Any](
    _new.on_conflict_do_update(
        index_elements=[MANAGERS.c.customer_id],
        set_={name: _new.excluded[name] for name in ("agent_id", "version", "update_time")},
        where=MANAGERS.c.version < _new.excluded.version,
    )
)
_manager = (
    sa.select(MANAGERS.c.agent_id)
    .join(AGENTS, sa.and_(AGENTS.c.id == MANAGERS.c.agent_id, AGENTS.c.inactive.is_(False)))
    .where(
        MANAGERS.c.customer_id == sa.func.any(group_of(sa.bindparam("customer_id", type_=sa.Uuid))),
        MANAGERS.c.agent_id != sa.bindparam("front_desk", type_=sa.Text),
    )
    .order_by(MANAGERS.c.update_time.desc())
    .limit(sa.literal_column("1"))
    .scalar_subquery()
)
# The customer's manager, or nobody.
MANAGER = Statement[Any](sa.select(_manager.label("agent_id")))
_owner = (
    sa.select(CASES.c.owner_id).where(CASES.c.id == sa.bindparam("case_id", type_=sa.Uuid)).scalar_subquery()
)
# Who has to hear what is bad: the customer's manager, who owns the case, or who is always there.
RESPONSIBLE = Statement[Any](
    sa.select(sa.func.coalesce(_manager, _owner, sa.bindparam("front_desk", type_=sa.Text)).label("agent_id"))
)
