"""Giving agents what is to be done next."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from cases.domain.agent import Agent
from cases.domain.deadline import deadline_of
from cases.domain.queue import NEAR, Candidate, NextWork, given, in_order
from cases.names import AGENT
from cases.store import queue as store
from cases.store import tables
from cases.usecases.standing import standing_of
from chassis.api.entities import owned, save
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.work.timers import Timer

AT_ONCE = 16  # that are looked at of each kind
PASSES, PAUSE_S = 10, 0.02


async def take_next_work(tx: Transaction, *, agent_id: str) -> NextWork:
    """Give an agent the one thing to do next, and say why; nothing when nothing waits that they can do.

    Chosen without locks: what somebody else takes meanwhile is passed over for the next.
    """
    agent = await owned(tx, AGENT, tables.LOCK_AGENT, agent_id)
    agent.require_active()
    for _ in range(PASSES):
        held: list[UUID] = []
        while candidates := await _candidates(tx, agent, held):
            ids = [each.id for each in in_order(candidates, tx.now)]
            if work_item := await store.TAKE_FIRST.maybe(tx, ids=ids):
                await save(tx, tables.UPDATE_WORK_ITEM, work_item, work_item.assign(agent.id))
                (chosen,) = (each for each in candidates if each.id == work_item.id)
                return given(work_item, chosen, tx.now)
            held += ids
        if not held:
            break
        # Whatever waits is held for a moment, by a timer for one. To wait for its lock could be a deadlock:
        # who assigns work locks that before the agent.
        await asyncio.sleep(PAUSE_S)
    return NextWork()


async def _candidates(tx: Transaction, agent: Agent, but: list[UUID]) -> Sequence[Candidate]:
    near = tx.now + NEAR
    of = {"agent_id": agent.id, "department_id": agent.department_id}
    return await store.CANDIDATES.all(tx, **of, near=near, but=but, most=AT_ONCE)


async def set_deadline(tx: Transaction, timer: Timer) -> None:
    """See by when a work item is to be done, as its promises, its clocks and its customer's value are now."""
    work_item = await tables.LOCK_WORK_ITEM.maybe(tx, id=UUID(timer.key))
    if work_item is None:
        return
    due = await store.DUE_OF.one(tx, id=work_item.id)
    standing = await standing_of(tx, work_item.customer_id, tx.now)
    work_item.be_due(deadline_of(work_item.create_time, standing.band, due["promised"], due["clocked"]))
    await tx.defer(store.SET_DEADLINE, **values(work_item))
