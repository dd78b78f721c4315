"""Whether agents are there."""

from datetime import datetime

from cases.domain.presence import LASTS, AgentPresence, Presence, PresenceState, came
from cases.names import AGENT, PRESENCE
from cases.store import presences as store
from cases.store.tables import LOCK_AGENT
from chassis.api.entities import found, owned
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction


async def set_presence(
    tx: Transaction, *, agent_id: str, state: PresenceState, until_time: datetime | None
) -> AgentPresence:
    """Say whether an agent is there. NotFound, FailedPrecondition AGENT_INACTIVE."""
    before = await _known(tx, agent_id) or came(agent_id, tx.now)
    await _put(tx, before.said(state, until_time, tx.now))
    return await presence_of(tx, agent_id, tx.now)


async def hold_presence(tx: Transaction, *, agent_id: str) -> AgentPresence:
    """Say that an agent is there still. As `set_presence`."""
    before = await _known(tx, agent_id)
    await _put(tx, before.held(tx.now) if before else came(agent_id, tx.now))
    tx.touch(PRESENCE.format(agent_id))
    return await presence_of(tx, agent_id, tx.now)


async def go_on(on: Executor, agent_id: str, now: datetime) -> AgentPresence | None:
    """What holding a presence means a while later; None when it was lost, and has to begin anew.

    Who said meanwhile that they are not there any more is offline. No transaction: what happens by itself
    four times a minute is nothing for the audit.
    """
    await store.RENEW_PRESENCE.run(on, agent_id=agent_id, now=now, expire_time=now + LASTS)
    held = await store.PRESENCE.maybe(on, agent_id=agent_id)
    lost = held is None or (held.expire_time <= now and held.state is not PresenceState.OFFLINE)
    return None if lost else await presence_of(on, agent_id, now)


async def presence_of(on: Executor, agent_id: str, now: datetime) -> AgentPresence:
    """Whether an agent is there by now, and how much is theirs. NotFound."""
    return (await found(on, PRESENCE, store.AGENT_PRESENCE, agent_id)).at(now)


async def _known(tx: Transaction, agent_id: str) -> Presence | None:
    agent = await owned(tx, AGENT, LOCK_AGENT, agent_id)  # one word after the other
    agent.require_active()
    return await store.PRESENCE.maybe(tx, agent_id=agent_id)


async def _put(tx: Transaction, presence: Presence) -> None:
    await store.PUT_PRESENCE.run(tx, **values(presence))
