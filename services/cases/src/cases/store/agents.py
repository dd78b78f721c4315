"""Statements on agents."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases.domain.agent import Agent
from cases.store.tables import AGENTS
from chassis.api.listing import Listing
from chassis.db.statement import Statement

_BY_ID = sa.select(AGENTS).where(AGENTS.c.id == sa.bindparam("id"))
_INSERT = insert(AGENTS)

AGENT = Statement(_BY_ID, row=Agent)
LOCK_AGENT = Statement(_BY_ID.with_for_update(), row=Agent)
LIST_AGENTS = Listing(sa.select(AGENTS), AGENTS.c.id, row=Agent)
SEED_AGENT = Statement[Any](_INSERT.on_conflict_do_nothing())
PUT_AGENT = Statement[Any](
    _INSERT.on_conflict_do_update(
        index_elements=["id"], set_={c.name: _INSERT.excluded[c.name] for c in AGENTS.c if c.name != "id"}
    )
)
