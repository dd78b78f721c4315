"""The directory of agents."""

from cases.domain.agent import Agent
from cases.store.agents import AGENT, INSERT_AGENT, LOCK_AGENT, UPDATE_AGENT
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound


async def get_agent(tx: Transaction, agent_id: str) -> Agent:
    """The agent. NotFound when there is none; one that is found stays: agents are never deleted."""
    agent = await AGENT.maybe(tx, id=agent_id)
    if agent is None:
        raise NotFound(f"agents/{agent_id}")
    return agent


async def update_agent(tx: Transaction, agent: Agent, *, fields: list[str], allow_missing: bool) -> Agent:
    """Change `fields` of an agent to those of `agent`, or create it as it is given."""
    stored = await LOCK_AGENT.maybe(tx, id=agent.id)
    if stored is None:
        if not allow_missing:
            raise NotFound(agent.name)
        agent.require_complete()
        tx.require_owner(agent)
        if await INSERT_AGENT.maybe(tx, **values(agent)) is not None:
            return agent
        stored = await LOCK_AGENT.one(tx, id=agent.id)  # somebody else was faster
    tx.require_owner(stored)
    for field in fields:
        setattr(stored, field, getattr(agent, field))
    stored.require_complete()
    tx.require_owner(stored)
    await tx.defer(UPDATE_AGENT, **values(stored))
    return stored


async def seed_front_desk(db: Database, *, phone: str, email: str) -> None:
    """Make sure that there is somebody to turn to. What people have changed since stays as it is."""
    front_desk = Agent("front-desk", "Front Desk", phone, email, "front-desk")
    front_desk.require_complete()
    await INSERT_AGENT.run(db, **values(front_desk))
