"""Doing one thing to many cases: some at a time, to each once, with how far it is in the same commit."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from cases.domain.agent import Agent
from cases.domain.case import Case, CaseKind, Visibility
from cases.domain.case_job import BEGINNING, CASES_MAX, Asked, CaseJob, JobState
from cases.domain.case_link import require_kind
from cases.domain.facts import CaseJobCreated
from cases.names import AGENT, CASE, CASE_JOB
from cases.store import case_jobs as store
from cases.store import tables
from cases.store.case_links import LOCK_CASES
from cases.usecases.agent import owner_to_be
from cases.usecases.case import give, settle, write_note
from chassis import ids
from chassis.api.actors import actor_name
from chassis.api.entities import found, own_department, save, write
from chassis.context import Principal, current_call
from chassis.db.database import Database
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import Refusal
from chassis.facts import fact_of

CASE_JOB_TIMER = "case-job"
AT_ONCE, CHECKED, SHOWN = 50, 1000, 20


class Step(NamedTuple):
    """The next cases of a job: where it is after them, which they are, and whether there may be more."""

    last_id: UUID
    case_ids: list[UUID]
    more: bool


@dataclass(slots=True)
class Preview:
    """What a job would do."""

    case_count: int
    case_ids: Sequence[UUID]
    checked_count: int
    refused: list[store.CaseJobResult] = field(default_factory=list)


async def create_case_job(tx: Transaction, *, case_job: Asked) -> CaseJob:
    """Begin a job. NotFound; FailedPrecondition TOO_MANY_CASES, NOT_A_PROBLEM, AGENT_INACTIVE."""
    department = own_department(tx, case_job.department_id, "case_job.department")
    job = _job(case_job, department, tx.call.principal, tx.db.service, tx.now)
    tx.require_owner(job)
    if job.owner_id:
        await owner_to_be(tx, job.owner_id)
    job.case_count = await _count(tx, job)
    job.require_bounded()
    job.cause_id = tx.record(fact_of(CaseJobCreated, job), version=job.version)
    await tx.defer(store.INSERT_CASE_JOB, **values(job))
    await tx.schedule(CASE_JOB_TIMER, str(job.id), tx.now)
    return job


async def preview_case_job(db: Database, asked: Asked) -> Preview:
    """What a job would do to the first of its cases. What `create_case_job` refuses, but too many."""
    principal = current_call.get().principal
    job = _job(asked, asked.department_id or principal.department, principal, db.service, db.clock.now())
    if job.owner_id:
        (await found(db, AGENT, tables.AGENT, job.owner_id)).require_active()
    count = await _count(db, job)
    step = await _next(db, job, CHECKED)
    case_ids = list(dict.fromkeys(step.case_ids))
    preview = Preview(count, case_ids[:SHOWN], len(case_ids))
    unfinished = await _unfinished(db, case_ids)
    for case in await tables.CASES_BY_ID.all(db, ids=case_ids):
        try:
            job.require_doable(case, unfinished[case.id])
        except Refusal as refusal:
            preview.refused.append(store.CaseJobResult(job.id, case.id, refusal.reason))
    return preview


async def cancel_case_job(tx: Transaction, *, case_job_id: UUID) -> CaseJob:
    """Give up a job; one that has ended stays as it is. NotFound."""
    job = await found(tx, CASE_JOB, store.LOCK_CASE_JOB, case_job_id)
    tx.require_owner(job)
    if job.state is JobState.RUNNING:
        await tx.cancel(CASE_JOB_TIMER, str(job.id))
        await save(tx, store.UPDATE_CASE_JOB, job, job.end(JobState.CANCELLED, tx.now))
    return job


async def go_on(tx: Transaction, key: str) -> None:
    """Do it to some cases more, and come back for the rest.

    The problem comes last, locked: who links a case to it locks it too, so that either is seen by the other.
    """
    job = await found(tx, CASE_JOB, store.LOCK_CASE_JOB, UUID(key))
    if job.state is not JobState.RUNNING:
        return
    tx.act(replace(tx.call, cause_id=job.cause_id))
    step = await _next(tx, job, AT_ONCE)
    if not step.more and job.problem_id:
        await found(tx, CASE, tables.LOCK_CASE, job.problem_id)
        step = await _next(tx, job, AT_ONCE)
        if not step.more:
            step.case_ids.append(job.problem_id)
    await _do(tx, job, step.case_ids)
    job.last_id = step.last_id
    if step.more:
        await tx.schedule(CASE_JOB_TIMER, key, tx.now)
        await write(tx, store.UPDATE_CASE_JOB, job)
    else:
        await save(tx, store.UPDATE_CASE_JOB, job, job.end(JobState.DONE, tx.now))


async def _do(tx: Transaction, job: CaseJob, case_ids: Sequence[UUID]) -> None:
    """Do it to cases that the job has not seen to."""
    seen = {row["case_id"] for row in await store.SEEN.all(tx, case_job_id=job.id, ids=list(case_ids))}
    new = sorted(set(case_ids) - seen)
    cases = await LOCK_CASES.all(tx, ids=new)
    owner: Agent | None = None
    if job.owner_id:
        owner = await found(tx, AGENT, tables.HOLD_AGENT, job.owner_id)
    unfinished = await _unfinished(tx, new)
    results = []
    for case in cases:
        reason = ""
        try:
            job.require_doable(case, unfinished[case.id])
            if owner:
                owner.require_active()
        except Refusal as refusal:
            reason = refusal.reason
        else:
            await _do_to(tx, job, case, owner)
        job.count(reason)
        results.append(store.CaseJobResult(job.id, case.id, reason))
    await store.INSERT_RESULTS.rows(tx, results)


async def _do_to(tx: Transaction, job: CaseJob, case: Case, owner: Agent | None) -> None:
    """Do to one case what was found to be doable."""
    if owner:
        await give(tx, case, owner)
    if job.topic and (updated := case.update({"topic": job.topic})):
        await save(tx, tables.UPDATE_CASE, case, updated)
    if job.note_text:
        await write_note(tx, case, job.note_text, job.author, job.note_visibility, job.department_id)
    if job.resolution:
        await settle(tx, case, job.resolution, unfinished=0)


async def _next(on: Executor, job: CaseJob, limit: int) -> Step:
    """The next cases; those that were opened after the job are left."""
    if job.problem_id:
        rows = await store.CAUSED_BY.all(on, problem_id=job.problem_id, after=job.last_id, limit=limit)
        last_id = rows[-1]["id"] if rows else job.last_id
        return Step(last_id, [row["case_id"] for row in rows], len(rows) == limit)
    case_ids = await store.selected(on, job.filter, after=job.last_id, before=job.id, limit=limit)
    return Step(case_ids[-1] if case_ids else job.last_id, case_ids, len(case_ids) == limit)


async def _count(on: Executor, job: CaseJob) -> int:
    """How many cases there are; of more than a job takes, one more."""
    if job.problem_id:
        problem = await found(on, CASE, tables.CASE, job.problem_id)
        require_kind(problem, CaseKind.PROBLEM)
        return int((await store.COUNT_CAUSED.one(on, problem_id=job.problem_id))["cases"]) + 1
    return len(await store.selected(on, job.filter, after=BEGINNING, before=job.id, limit=CASES_MAX + 1))


async def _unfinished(on: Executor, case_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = await store.UNFINISHED.all(on, ids=list(case_ids))
    return {row["id"]: row["unfinished"] for row in rows}


def _job(asked: Asked, department_id: str, principal: Principal, service: str, now: datetime) -> CaseJob:
    change = asked.change
    return CaseJob(
        id=ids.uuid7(now),
        department_id=department_id,
        all_departments=principal.administers(service),
        filter=asked.filter,
        problem_id=asked.problem_id,
        owner_id=change.owner_id,
        topic=change.topic,
        note_text=change.note_text,
        note_visibility=change.note_visibility or Visibility.INTERNAL,
        resolution=change.resolution,
        author=actor_name(principal.subject, service),
        case_count=0,
        create_time=now,
        update_time=now,
    )
