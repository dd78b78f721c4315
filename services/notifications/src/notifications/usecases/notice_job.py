"""Sending to many customers: some at a time, to each once, with how far it is in the same commit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

from prometheus_client import Counter

from chassis import ids, work
from chassis.api.actors import actor_name
from chassis.api.entities import found, own_department, save, write
from chassis.db.aliases import lock_people
from chassis.db.database import Database
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExhausted
from chassis.facts import fact_of
from chassis.telemetry.metrics import Snapshot
from notifications.domain.facts import NoticeJobCreated
from notifications.domain.notice_job import PER_MINUTE, Asked, JobState, NoticeJob
from notifications.domain.template import Template
from notifications.names import CUSTOMER, JOB
from notifications.store import notice_jobs as store
from notifications.usecases.notice import request_by_hand, require_words
from notifications.usecases.partials import Whole
from notifications.usecases.reading import require_reads_customers

NOTICE_JOB = "notice-job"  # the kind of work that one step is
_PATIENCE = timedelta(days=30)  # with customers who cannot be asked
_MINUTE = timedelta(minutes=1)
LIVE = Snapshot(
    "rapport_notice_jobs",
    "Jobs that send to many customers and are not over: `running`, `paused` by somebody, or `blocked`, which"
    " cannot go on until somebody mends them. The same in every replica.",
    ("state",),
)
CUSTOMERS = Counter(
    "rapport_notice_job_customers",
    "Customers whom jobs came to: a notice was `requested` for them, or `refused`.",
    ["outcome"],
)


class Page(NamedTuple):
    """Some customers, by name, and where those after them begin; empty when there are none."""

    customers: Sequence[str]
    next_token: str


async def create_notice_job(tx: Transaction, *, notice_job: Asked) -> NoticeJob:
    """Begin a job. What `require_reads_customers` and `require_askable` find."""
    require_reads_customers(tx)
    principal = tx.call.principal
    terms = values(notice_job) | {
        "department_id": own_department(tx, notice_job.department_id, "notice_job.department"),
        "rate_per_minute": notice_job.rate_per_minute or PER_MINUTE,
    }
    author = actor_name(principal.subject, tx.db.service)
    job = NoticeJob(**terms, id=ids.uuid7(tx.now), author=author, create_time=tx.now, update_time=tx.now)
    tx.require_owner(job)
    await require_askable(tx, notice_job)
    job.cause_id = tx.record(fact_of(NoticeJobCreated, job), version=job.version)
    await tx.defer(store.INSERT_JOB, **values(job))
    await _next_step(tx, job, job.begins - tx.now)
    return job


async def require_askable(on: Executor, asked: Asked) -> tuple[Template, Sequence[Whole]]:
    """The template and its texts. What `require_words` finds."""
    return await require_words(on, asked.template_id, asked.variables, "notice_job")


async def pause_notice_job(tx: Transaction, *, notice_job_id: UUID) -> NoticeJob:
    """Have a job go no further for now; one that does not run stays as it is. NotFound."""
    job = await _own(tx, notice_job_id)
    if job.state is JobState.RUNNING:
        await work.cancel(tx, NOTICE_JOB, job.work_key)
        job.pause()
        await write(tx, store.UPDATE_JOB, job)
    return job


async def resume_notice_job(tx: Transaction, *, notice_job_id: UUID) -> NoticeJob:
    """Have a job go on that is paused or blocked; any other stays as it is. NotFound."""
    job = await _own(tx, notice_job_id)
    if job.state in (JobState.PAUSED, JobState.BLOCKED):
        job.resume()
        await write(tx, store.UPDATE_JOB, job)
        await _next_step(tx, job, job.begins - tx.now)
    return job


async def cancel_notice_job(tx: Transaction, *, notice_job_id: UUID) -> NoticeJob:
    """Give up a job; one that has ended stays as it is. NotFound."""
    job = await _own(tx, notice_job_id)
    if job.end_time is None:
        await work.cancel(tx, NOTICE_JOB, job.work_key)
        await save(tx, store.UPDATE_JOB, job, job.end(JobState.CANCELLED, tx.now))
    return job


async def _own(tx: Transaction, notice_job_id: UUID) -> NoticeJob:
    job = await found(tx, JOB, store.LOCK_JOB, notice_job_id)
    tx.require_owner(job)
    return job


async def request_some(
    tx: Transaction, per_customer: int, job: NoticeJob, template: Template, page: Page
) -> None:
    """Request the notices of a page of customers, for a locked job, and come back for the next.

    What the template says with the job's values was found to be sendable. As the department whose job it is,
    caused by the job.
    """
    department = replace(tx.call.principal, department=job.department_id)
    tx.act(replace(tx.call, principal=department, cause_id=job.cause_id))
    tx.touch(job.name)
    if job.over(tx.now):
        await save(tx, store.UPDATE_JOB, job, job.end(JobState.DONE, tx.now), caused_by=job.cause_id)
        return
    unseen = await _unseen(tx, job, page.customers)
    results = [await _request(tx, per_customer, job, template, each) for each in unseen]
    await store.INSERT_RESULTS.rows(tx, results)
    refused = sum(each.notice_id is None for each in results)
    job.requested_count += len(results) - refused
    job.refused_count += refused
    for outcome, count in (("requested", len(results) - refused), ("refused", refused)):
        tx.after_commit(partial(CUSTOMERS.labels(outcome).inc, count))
    job.go_on(page.next_token)
    if not page.next_token:
        await save(tx, store.UPDATE_JOB, job, job.end(JobState.DONE, tx.now), caused_by=job.cause_id)
        return
    await write(tx, store.UPDATE_JOB, job)
    await _next_step(tx, job, _MINUTE * len(page.customers) / job.rate_per_minute)


async def measure_jobs(db: Database) -> None:
    """Tell how many jobs go on, or do not."""
    rows = await store.COUNT_OPEN_JOBS.all(db)
    none = {(each,): 0 for each in ("running", "paused", "blocked")}
    LIVE.replace(none | {(row["state"].lower(),): row["count"] for row in rows})


async def _unseen(tx: Transaction, job: NoticeJob, customers: Sequence[str]) -> list[UUID]:
    """Those whom the job has not told by any of their names: one name of each."""
    asked = [customer_id for each in customers for customer_id in CUSTOMER.ids(each)]
    people = await lock_people(tx, asked)
    seen = {
        people.whose[row["customer_id"]]
        for row in await store.SEEN.all(tx, notice_job_id=job.id, ids=people.everybody)
    }
    return [each for each in dict.fromkeys(people.survivors[each] for each in asked) if each not in seen]


async def _request(
    tx: Transaction, per_customer: int, job: NoticeJob, template: Template, customer_id: UUID
) -> store.NoticeJobResult:
    try:
        notice = await request_by_hand(
            tx,
            per_customer,
            template,
            customer=CUSTOMER.format(customer_id),
            kind=job.kind,
            variables=job.variables,
            delivery=job.delivery,
            expire_time=job.expire_time,
            of_many=True,
        )
    except ResourceExhausted as refusal:  # too many for this customer
        return store.NoticeJobResult(job.id, customer_id, None, refusal.reason)
    return store.NoticeJobResult(job.id, customer_id, notice.id, "")


async def _next_step(tx: Transaction, job: NoticeJob, after: timedelta) -> None:
    due = tx.now + max(after, timedelta())
    await work.enqueue(tx, NOTICE_JOB, job.work_key, due_at=due, expire_at=due + _PATIENCE)
