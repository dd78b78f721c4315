"""Statements on teams."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cases import names
from cases.domain.team import Team
from cases.store.tables import METADATA
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import among, table

TEAMS = table(METADATA, "teams", Team)

TEAM, LOCK_TEAM, UPDATE_TEAM = of_entity(TEAMS, Team)
INSERT_TEAM = Statement[Any](insert(TEAMS).on_conflict_do_nothing().returning(TEAMS.c.id))
TEAMS_BY_ID = Statement(sa.select(TEAMS).where(among(TEAMS.c.id, "ids")), row=Team)
LIST_TEAMS = Listing(
    sa.select(TEAMS),
    TEAMS.c.id,
    row=Team,
    filters={"department": filters.name(TEAMS.c.department_id, names.DEPARTMENT)},
)
