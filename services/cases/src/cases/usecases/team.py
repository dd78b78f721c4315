"""The teams of departments."""

from cases.domain.facts import TeamCreated
from cases.domain.team import Team
from cases.names import TEAM
from cases.store import teams as store
from chassis.api.entities import created, own_department, owned, save
from chassis.db.transaction import Transaction
from chassis.facts import Changes, fact_of


async def create_team(
    tx: Transaction, *, team_id: str, display_name: str, department_id: str | None, skills: list[str]
) -> Team:
    """Make a team of a department. AlreadyExists RESOURCE_EXISTS."""
    department = own_department(tx, department_id, "team.department")
    team = Team(team_id, display_name, department, skills, tx.now, tx.now)
    tx.require_owner(team)
    await created(tx, store.INSERT_TEAM, team)
    tx.record(fact_of(TeamCreated, team), version=team.version)
    return team


async def update_team(tx: Transaction, *, team_id: str, changes: Changes[Team], etag: str) -> Team:
    """Change a team. NotFound."""
    team = await owned(tx, TEAM, store.LOCK_TEAM, team_id, etag=etag)
    if updated := team.update(changes):
        await save(tx, store.UPDATE_TEAM, team, updated)
    return team
