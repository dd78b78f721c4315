"""Who does the work, whether it can go on, and which department has it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from cases.domain.promise_clock import PromiseClock
from cases.domain.routing import reroute
from cases.domain.work_item import WorkItem
from cases.names import TEAM, WORK_ITEM
from cases.store import handoffs
from cases.store import tables as store
from cases.store.teams import TEAM as TEAM_BY_ID
from cases.usecases.agent import owner_to_be
from cases.usecases.clock import hand_clocks_over
from cases.usecases.department import require_fields
from cases.usecases.dependencies import owned_with_its_case, tell_blocked, unattended_with_its_case
from cases.usecases.routing import look_at_language, route
from cases.usecases.work_item import came
from chassis.api.entities import found, owned, save
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition


async def assign_work_item(
    tx: Transaction, *, work_item_id: UUID, assignee_id: str | None, etag: str
) -> WorkItem:
    """Have an agent of the department do it, or nobody; nothing changes when it is so.

    What `owner_to_be` finds. FailedPrecondition DEPARTMENT_MISMATCH for an agent of another department.
    """
    work_item = await owned(tx, WORK_ITEM, store.LOCK_WORK_ITEM, work_item_id, etag=etag)
    work_item.require_unfinished()
    if assignee_id:
        agent = await owner_to_be(tx, assignee_id)
        if agent.department_id != work_item.department_id:
            raise FailedPrecondition(
                "DEPARTMENT_MISMATCH",
                f"{agent.name} works for {agent.department}: name an agent of {work_item.department},"
                " or hand the work over.",
                {"resource": work_item.name, "department": agent.department},
            )
    if assignee_id != work_item.assignee_id:
        await save(tx, store.UPDATE_WORK_ITEM, work_item, work_item.assign(assignee_id))
    return work_item


async def route_work_item(
    tx: Transaction,
    *,
    work_item_id: UUID,
    team_id: str | None,
    required_skills: list[str],
    language_code: str,
    etag: str,
) -> WorkItem:
    """Put work that nobody has into another lane of its department's queue; nothing changes when it is in it.

    NotFound; FailedPrecondition TEAM_MISMATCH, WORK_ITEM_FINISHED, WORK_ITEM_TAKEN.
    """
    work_item = await owned(tx, WORK_ITEM, store.LOCK_WORK_ITEM, work_item_id, etag=etag)
    if team_id:
        (await found(tx, TEAM, TEAM_BY_ID, team_id)).require_of(work_item.department_id)
    if routed := reroute(work_item, team_id, required_skills, language_code):
        await look_at_language(tx, work_item)
        await save(tx, store.UPDATE_WORK_ITEM, work_item, routed)
        await tx.defer(store.SET_TEAM, **promises_follow(work_item))
    return work_item


async def block_work_item(
    tx: Transaction, clock: PromiseClock, *, work_item_id: UUID, reason_code: str, etag: str
) -> WorkItem:
    """Say that the work cannot go on: promises that rest on it are at risk."""
    work_item, items = await owned_with_its_case(tx, work_item_id, etag)
    await block(tx, clock, work_item, items, reason_code)
    return work_item


async def unblock_work_item(
    tx: Transaction, clock: PromiseClock, *, work_item_id: UUID, etag: str
) -> WorkItem:
    """Say that the work can go on."""
    work_item, items = await owned_with_its_case(tx, work_item_id, etag)
    await unblock(tx, clock, work_item, items)
    return work_item


async def block(
    tx: Transaction,
    clock: PromiseClock,
    work_item: WorkItem,
    items: Sequence[WorkItem],
    reason_code: str,
    caused_by: UUID | None = None,
) -> None:
    """The work, which is locked with all of its case, cannot go on."""
    fact = work_item.block(reason_code, tx.now)
    fact_id = await save(tx, store.UPDATE_WORK_ITEM, work_item, fact, caused_by=caused_by)
    await tx.defer(handoffs.BLOCK_HANDOFF, work_item_id=work_item.id, at=tx.now)
    await tell_blocked(tx, clock, items, work_item, fact_id)


async def unblock(
    tx: Transaction, clock: PromiseClock, work_item: WorkItem, items: Sequence[WorkItem]
) -> None:
    """The work, which is locked with all of its case, can go on."""
    fact_id = await save(tx, store.UPDATE_WORK_ITEM, work_item, work_item.unblock())
    await tx.defer(handoffs.UNBLOCK_HANDOFF, work_item_id=work_item.id, at=tx.now)
    await tell_blocked(tx, clock, items, work_item, fact_id)


async def hand_over_work_item(
    tx: Transaction,
    clock: PromiseClock,
    *,
    work_item_id: UUID,
    department_id: str,
    reason_code: str,
    asked_customer_again: bool,
    fields: dict[str, str],
    team_id: str | None,
    required_skills: list[str],
    etag: str,
) -> WorkItem:
    """Give the work to another department, with all that waits for it and what was promised on it.

    What a department never saw to is so got back from it, also from one that is not there.
    """
    work_item, items = await unattended_with_its_case(tx, work_item_id, etag)
    work_item.fields = work_item.fields | fields
    await require_fields(tx, department_id, work_item.kind, work_item.fields, "fields")
    await hand_over(
        tx,
        clock,
        work_item,
        items,
        department_id,
        reason_code,
        asked_customer_again=asked_customer_again,
        team_id=team_id,
        required_skills=required_skills,
    )
    return work_item


def promises_follow(work_item: WorkItem) -> dict[str, Any]:
    """What says which team's the promises are that rest on work: of `SET_TEAM`."""
    return {
        "work_item_id": work_item.id,
        "department_id": work_item.department_id,
        "team_id": work_item.team_id,
    }


async def hand_over(
    tx: Transaction,
    clock: PromiseClock,
    work_item: WorkItem,
    items: Sequence[WorkItem],
    department_id: str,
    reason_code: str,
    *,
    asked_customer_again: bool = False,
    team_id: str | None = None,
    required_skills: Sequence[str] = (),
    caused_by: UUID | None = None,
) -> None:
    """The work, which is locked with all of its case, is another department's now."""
    before = work_item.department_id
    (had,) = await handoffs.HAD_BEFORE.one(tx, work_item_id=work_item.id, department_id=department_id)
    said = {"asked_customer_again": asked_customer_again, "returned": had}
    fact = work_item.hand_over(department_id, reason_code, **said)
    await route(tx, work_item, team_id, list(required_skills), work_item.language_code)
    fact_id = await save(tx, store.UPDATE_WORK_ITEM, work_item, fact, caused_by=caused_by)
    await tx.defer(store.SET_TEAM, **promises_follow(work_item))
    await tx.defer(handoffs.END_HANDOFF, work_item_id=work_item.id, at=tx.now)
    line = replace(came(work_item, before, tx.now), reason_code=reason_code, **said)
    await tx.defer(handoffs.INSERT_HANDOFF, **values(line))
    if work_item.block_time:
        await tx.defer(handoffs.BLOCK_HANDOFF, work_item_id=work_item.id, at=tx.now)
    await hand_clocks_over(tx, work_item, fact_id)
    await tell_blocked(tx, clock, items, work_item, fact_id)
