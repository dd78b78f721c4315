"""Statements on agents."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases.domain.agent import Agent
from cases.store.tables import AGENTS
from chassis.api.listing import Listing
from chassis.db.statement import Statement
from chassis.db.tables import updated

_BY_ID = sa.select(AGENTS).where(AGENTS.c.id == sa.bindparam("id"))

AGENT = Statement(_BY_ID, row=Agent)
LOCK_AGENT = Statement(_BY_ID.with_for_update(key_share=True), row=Agent)
LIST_AGENTS = Listing(sa.select(AGENTS), AGENTS.c.id, row=Agent)
# Nothing comes back when there is one already, whoever has made it.
INSERT_AGENT = Statement[Any](insert(AGENTS).on_conflict_do_nothing().returning(AGENTS.c.id))
UPDATE_AGENT = Statement[Any](updated(AGENTS))
