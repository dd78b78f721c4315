"""Whom work is for: a team of its department, those with certain skills, for a while those of a language."""

from uuid import UUID

from cases.domain.lane import RESERVED, URGENT
from cases.domain.work_item import WorkItem
from cases.names import TEAM
from cases.store.languages import LANGUAGE
from cases.store.queue import SET_LANE
from cases.store.tables import CASE, LOCK_WORK_ITEM
from cases.store.teams import TEAM as TEAM_BY_ID
from cases.usecases.topic import skills_of
from chassis.api.entities import found
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.work.timers import Timer

LANGUAGE_TIMER = "work-language"


async def route(
    tx: Transaction, work_item: WorkItem, team_id: str | None, skills: list[str], language_code: str
) -> None:
    """Put work into the queue of its department, for whom it is; what is not said, its case says.

    By when it is to be done is known: its language counts no more shortly before that.
    NotFound, FailedPrecondition TEAM_MISMATCH.
    """
    if team_id:
        (await found(tx, TEAM, TEAM_BY_ID, team_id)).require_of(work_item.department_id)
    if not skills:
        topic = (await CASE.one(tx, id=work_item.case_id)).topic
        skills = await skills_of(tx, topic, work_item.department_id)
    if not language_code and (known := await LANGUAGE.maybe(tx, customer_id=work_item.customer_id)):
        language_code = known.language_code
    work_item.route(team_id, skills, language_code, tx.now)
    await look_at_language(tx, work_item)


async def look_at_language(tx: Transaction, work_item: WorkItem) -> bool:
    """Give work to whoever can do it, and not only who speaks its language, when it is time for that.

    Whether it is; else it is looked at again when it will be.
    """
    deadline, queued = work_item.deadline_time, work_item.queue_time
    if not work_item.language_reserved or deadline is None or queued is None:
        return False
    until = min(queued + RESERVED, deadline - URGENT)
    if until > tx.now:
        await tx.schedule(LANGUAGE_TIMER, str(work_item.id), until)
        return False
    work_item.open_to_all_languages()
    return True


async def open_to_all_languages(tx: Transaction, timer: Timer) -> None:
    """Look whether work waits for who speaks its language for long enough."""
    work_item = await LOCK_WORK_ITEM.maybe(tx, id=UUID(timer.key))
    if work_item and await look_at_language(tx, work_item):
        await tx.defer(SET_LANE, **values(work_item))
