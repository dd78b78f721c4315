"""Statements on who answers for the relationship with a customer, as the customer service tells."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases.store.tables import AGENTS, CASES, METADATA
from chassis.db.aliases import group_of, survivor_of
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
_customer: Any = sa.bindparam("customer_id", type_=sa.Uuid)
# Of several names of one customer that which goes on says who.
_manager = (
    sa.select(MANAGERS.c.agent_id)
    .join(AGENTS, sa.and_(AGENTS.c.id == MANAGERS.c.agent_id, AGENTS.c.inactive.is_(False)))
    .where(
        MANAGERS.c.customer_id == sa.func.any(group_of(_customer)),
        MANAGERS.c.agent_id != sa.bindparam("front_desk", type_=sa.Text),
    )
    .order_by((MANAGERS.c.customer_id == survivor_of(_customer)).desc(), MANAGERS.c.update_time.desc())
    .limit(sa.literal_column("1"))
    .scalar_subquery()
)
# The customer's manager, or nobody.
MANAGER = Statement[Any](sa.select(_manager.label("agent_id")))
_seen_to = CASES.alias("seen_to")
_owner = (
    sa.select(AGENTS.c.id)
    .select_from(CASES)
    .join(_seen_to, _seen_to.c.id == sa.func.coalesce(CASES.c.survivor_id, CASES.c.id))
    .join(AGENTS, sa.and_(AGENTS.c.id == _seen_to.c.owner_id, AGENTS.c.inactive.is_(False)))
    .where(CASES.c.id == sa.bindparam("case_id", type_=sa.Uuid))
    .scalar_subquery()
)
# Who has to hear what is bad, if they have not left: the customer's manager, who owns the case or that into
# which it was merged, or who is always there.
RESPONSIBLE = Statement[Any](
    sa.select(sa.func.coalesce(_manager, _owner, sa.bindparam("front_desk", type_=sa.Text)).label("agent_id"))
)
