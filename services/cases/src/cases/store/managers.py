"""Statements on who answers for the relationship with a customer, as the customer service tells."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cases.store.tables import AGENTS, METADATA
from chassis.db.aliases import group_of, survivor_of
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import replaced, table


@dataclass(slots=True)
class RelationshipManager:
    """Whom the customer service named last for a name of a customer."""

    customer_id: UUID
    agent_id: str
    version: int  # of the customer
    update_time: datetime


MANAGERS = table(METADATA, "relationship_managers", RelationshipManager, key=("customer_id",))
PUT_MANAGERS = Bulk[Any](MANAGERS, lambda insert: replaced(insert, newer=True))
_customer: Any = sa.bindparam("customer_id", type_=sa.Uuid)
# The customer's manager, if they have not left; of several names of one customer that which goes on says who.
MANAGER = Statement[Any](
    sa.select(MANAGERS.c.agent_id)
    .join(AGENTS, sa.and_(AGENTS.c.id == MANAGERS.c.agent_id, AGENTS.c.inactive.is_(False)))
    .where(
        MANAGERS.c.customer_id == sa.func.any(group_of(_customer)),
        MANAGERS.c.agent_id != sa.bindparam("front_desk", type_=sa.Text),
    )
    .order_by((MANAGERS.c.customer_id == survivor_of(_customer)).desc(), MANAGERS.c.update_time.desc())
    .limit(sa.literal_column("1"))
)
