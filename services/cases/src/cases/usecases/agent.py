"""The directory of agents."""

from cases.domain.agent import Agent
from cases.domain.facts import AgentCreated
from cases.names import AGENT, TEAM
from cases.store.tables import AGENT as AGENT_BY_ID
from cases.store.tables import HOLD_AGENT, INSERT_AGENT, LOCK_AGENT, UPDATE_AGENT
from cases.store.teams import TEAM as TEAM_BY_ID
from chassis.api import etags
from chassis.api.entities import found, owned, save
from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.facts import Changes, fact_of

LEAVE_TIMER = "agent-leaves"
FRONT_DESK = "front-desk"  # the agent, and the department, that is always there


async def owner_to_be(tx: Transaction, agent_id: str, *, hold: bool = True) -> Agent:
    """Somebody who may own what is new. NotFound, FailedPrecondition AGENT_INACTIVE.

    They are held until the commit: who makes them inactive meanwhile comes after it, and finds what they own.
    A customer's new case, which waits for nobody, does not `hold` them.
    """
    statement = HOLD_AGENT if hold else AGENT_BY_ID
    agent = await found(tx, AGENT, statement, agent_id)
    agent.require_active()
    return agent


async def look_at_what_is_theirs(tx: Transaction, agent_id: str) -> None:
    """See soon that an agent has nothing where they serve no more: something is open again that they own."""
    await tx.schedule(LEAVE_TIMER, agent_id, tx.now)


async def update_agent(
    tx: Transaction,
    *,
    agent_id: str,
    agent: Changes[Agent],
    changes: Changes[Agent],
    allow_missing: bool,
    etag: str,
) -> Agent:
    """Make `changes` to an agent, or create it as `agent` gives it, with no etag: nobody has read it.

    What they have in a department for which they serve no more is left to others soon: see `leave_behind`.
    """
    if allow_missing and await AGENT_BY_ID.maybe(tx, id=agent_id) is None:
        new = Agent(agent_id, tx.now, tx.now, **agent)
        new.require_complete()
        tx.require_owner(new)
        await _require_teams(tx, new)
        etags.match(etag, new.name, 0)
        if await _created(tx, new):
            return new  # unless somebody else was faster
    stored = await owned(tx, AGENT, LOCK_AGENT, agent_id, etag=etag)
    served = stored.inactive, stored.department_id
    if updated := stored.update(changes):
        stored.require_complete()
        tx.require_owner(stored)
        await _require_teams(tx, stored)
        await save(tx, UPDATE_AGENT, stored, updated)
        if (stored.inactive, stored.department_id) != served:
            await look_at_what_is_theirs(tx, stored.id)
    return stored


async def _require_teams(tx: Transaction, agent: Agent) -> None:
    """See that their teams are of their department: NotFound, FailedPrecondition TEAM_MISMATCH."""
    for team_id in agent.team_ids:
        (await found(tx, TEAM, TEAM_BY_ID, team_id)).require_of(agent.department_id)


async def seed_front_desk(db: Database, *, phone: str, email: str) -> None:
    """Make sure that there is somebody to turn to. What people have changed since stays as it is."""
    now = db.clock.now()
    front_desk = Agent(FRONT_DESK, now, now, "Front Desk", phone, email, FRONT_DESK)
    front_desk.require_complete()
    with acting(Call("seed", service_itself(db.service))):
        async with db.transaction() as tx:
            await _created(tx, front_desk)


async def _created(tx: Transaction, agent: Agent) -> bool:
    """Keep a new agent. False when there is one already."""
    if await INSERT_AGENT.maybe(tx, **values(agent)) is None:
        return False
    tx.record(fact_of(AgentCreated, agent), version=agent.version)
    return True
