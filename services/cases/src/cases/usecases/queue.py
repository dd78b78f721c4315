"""Giving agents what is to be done next."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from cases.domain.agent import Agent
from cases.domain.deadline import deadline_of
from cases.domain.lane import Lane
from cases.domain.queue import NEAR, Candidate, Nothing, Reason, Taken, for_others, in_order, queued
from cases.domain.work_item import WorkItem
from cases.names import AGENT
from cases.store import presences, tables, teams
from cases.store import queue as store
from cases.usecases.routing import look_at_language
from cases.usecases.standing import standing_of
from chassis.api.entities import owned, save
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.work.timers import Timer

AT_ONCE = 16  # that are looked at of each kind
PASSES, PAUSE_S = 10, 0.02


async def take_next_work(tx: Transaction, *, agent_id: str) -> Taken:
    """Give an agent the one thing to do next, and say why; or why there is nothing that they can do.

    Chosen without locks: what somebody else takes meanwhile is passed over for the next. The agent is locked,
    so that of several who ask in their name each knows what the others were given.
    """
    agent = await owned(tx, AGENT, tables.LOCK_AGENT, agent_id)
    agent.require_active()
    (count,) = await presences.OPEN_WORK.one(tx, agent_id=agent_id)
    if nothing := await _not_now(tx, agent, count):
        return Taken(nothing=nothing)
    members = await teams.TEAMS_BY_ID.all(tx, ids=agent.team_ids) if agent.team_ids else []
    abilities = agent.abilities(skill for team in members for skill in team.skills)
    looked = False
    for _ in range(PASSES):
        able = await store.LANES_FOR.all(
            tx,
            department_id=agent.department_id,
            able=abilities.asked(),
            any_language=not abilities.languages,
        )
        if not able:
            break
        taken, is_held = await _take(tx, agent, [row["lane"] for row in able])
        if taken:
            item, known = taken
            await save(tx, tables.UPDATE_WORK_ITEM, item, item.assign(agent.id))
            return Taken(queued(item, tx.now, known=known))
        if looked and not is_held:
            break  # looked at again: what went to another lane meanwhile, its language over, is not missed
        looked = not is_held
        if is_held:
            # Whatever waits is held for a moment, by a timer for one. To wait for its lock could be a
            # deadlock: who assigns work locks that before the agent.
            await asyncio.sleep(PAUSE_S)
    rows = await store.LANES.all(tx, department_id=agent.department_id)
    others = [lane for row in rows if abilities.missing(lane := Lane.of(row["lane"])) != Lane()]
    return Taken(nothing=for_others(others, abilities, count, agent.capacity))


async def _not_now(tx: Transaction, agent: Agent, count: int) -> Nothing | None:
    """Why an agent is given nothing, whatever waits."""
    said = await presences.PRESENCE.maybe(tx, agent_id=agent.id)
    if said and said.wants_none(tx.now):
        presence = said.at(tx.now)
        return Nothing(Reason(presence.state), count, agent.capacity, until_time=presence.until_time)
    if agent.capacity and count >= agent.capacity:
        return Nothing(Reason.CAPACITY, count, agent.capacity)
    return None


async def _take(
    tx: Transaction, agent: Agent, able: Sequence[str]
) -> tuple[tuple[WorkItem, bool] | None, bool]:
    """The first of these lanes that nobody else takes, locked, and whether the agent knows its customer.

    Beside it, whether others hold what waits in them.
    """
    held: list[UUID] = []
    of = {"department_id": agent.department_id, "lanes": able}
    while candidates := await _candidates(tx, agent, able, held):
        ids = [each.id for each in in_order(candidates, tx.now)]
        if work_item := await store.TAKE_FIRST.maybe(tx, ids=ids, **of):
            (chosen,) = (each for each in candidates if each.id == work_item.id)
            return (work_item, chosen.known), False
        held += ids
    return None, bool(held)


async def _candidates(
    tx: Transaction, agent: Agent, able: Sequence[str], but: list[UUID]
) -> Sequence[Candidate]:
    of = {"agent_id": agent.id, "department_id": agent.department_id, "lanes": able}
    return await store.CANDIDATES.all(tx, **of, near=tx.now + NEAR, but=but, most=AT_ONCE)


async def set_deadline(tx: Transaction, timer: Timer) -> None:
    """See by when a work item is to be done, as its promises, its clocks and its customer's value are now."""
    work_item = await tables.LOCK_WORK_ITEM.maybe(tx, id=UUID(timer.key))
    if work_item is None:
        return
    due = await store.DUE_OF.one(tx, id=work_item.id)
    promised = min(filter(None, (due["promised"], due["told"])), default=None)
    standing = await standing_of(tx, work_item.customer_id, tx.now)
    work_item.be_due(deadline_of(work_item.create_time, standing.band, promised, due["clocked"]))
    await look_at_language(tx, work_item)
    await tx.defer(store.SET_DEADLINE, **values(work_item))
