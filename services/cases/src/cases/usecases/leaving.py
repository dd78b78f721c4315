"""Who serves customers no more, or works for another department, leaves nothing that nobody sees to."""

from datetime import timedelta

from cases.domain.agent import Agent
from cases.names import AGENT
from cases.store import leaving as store
from cases.store import tables
from cases.usecases.agent import FRONT_DESK
from cases.usecases.case import give
from chassis.api.entities import save
from chassis.db.transaction import Transaction
from chassis.work.timers import Timer

AGAIN = timedelta(minutes=1)  # for what was opened for them at that moment, by who did not know yet


async def leave_behind(tx: Transaction, timer: Timer) -> None:
    """Some of what an agent has in a department for which they serve no more; come back for the rest.

    First their work, which is locked without its case, then their cases.
    """
    agent = await tables.AGENT.one(tx, id=timer.key)
    serves = "" if agent.inactive else agent.department_id
    items = await store.LOCK_WORK_LEFT.all(tx, agent_id=agent.id, serves=serves)
    for work_item in items:
        await save(tx, tables.UPDATE_WORK_ITEM, work_item, work_item.put_back())
    given = not items and agent.id != FRONT_DESK and await _give_cases(tx, agent, serves)
    if items or given:
        await tx.schedule(timer.kind, timer.key, tx.now)
    elif tx.now < (again := agent.update_time + AGAIN):
        await tx.schedule(timer.kind, timer.key, again)


async def _give_cases(tx: Transaction, agent: Agent, serves: str) -> bool:
    """Give open cases to who leads their department, or to the front desk. Whether there were any."""
    cases = await store.LOCK_CASES_LEFT.all(tx, agent_id=agent.id, serves=serves)
    for case in cases:
        await give(tx, case, await _lead(tx, case.department_id))
    return bool(cases)


async def _lead(tx: Transaction, department_id: str) -> Agent:
    """The first of a department's escalation path who works there, held; else the front desk."""
    department = await tables.DEPARTMENT.maybe(tx, id=department_id)
    for name in department.escalation_path if department else ():
        lead = await tables.HOLD_AGENT.one(tx, id=AGENT.ids(name)[0])
        if lead.department_id == department_id and not lead.inactive:
            return lead
    return await tables.HOLD_AGENT.one(tx, id=FRONT_DESK)
