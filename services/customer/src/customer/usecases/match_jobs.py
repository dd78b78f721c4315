"""The job that matches everybody: keys first, then parameters if they are to be learned, then all pairs."""

from datetime import timedelta
from uuid import UUID

from chassis import ids, work
from chassis.api.entities import found, write
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import Aborted, AlreadyExists
from chassis.facts import fact_of
from customer.domain.facts import MatchJobCreated, MatchJobEnded
from customer.domain.match_jobs import JobState, MatchJob, NotLearned, Phase, too_few
from customer.names import MATCH_JOB
from customer.store import matches as store
from customer.usecases.match_records import index
from customer.usecases.match_step import Matcher
from customer.usecases.match_training import LEARN_FROM_MIN, Learned, put_in_force

JOB_TIMER = "match-everybody"
LEARN = "match-learn"
LEARN_TIME = timedelta(hours=1)  # after it a job goes on by the parameters that there are
INDEXED_AT_ONCE, MATCHED_AT_ONCE = 500, 100
_START = UUID(int=0)


async def create_match_job(tx: Transaction, *, retrain: bool) -> MatchJob:
    """Begin to match everybody. AlreadyExists MATCH_JOB_UNDER_WAY; FailedPrecondition TOO_FEW_CUSTOMERS."""
    count = (await store.COUNT_CUSTOMERS.one(tx, limit=LEARN_FROM_MIN))["customers"]
    if retrain and count < LEARN_FROM_MIN:
        too_few(count, LEARN_FROM_MIN)
    job = MatchJob(
        id=ids.uuid7(tx.now),
        retrain=retrain,
        state=JobState.RUNNING,
        phase=Phase.INDEX,
        last_id=_START,
        match_parameters_id=None,
        customer_count=count,
        matched_count=0,
        candidate_count=0,
        linked_count=0,
        skipped_key_count=0,
        create_time=tx.now,
        update_time=tx.now,
        end_time=None,
        reason_code="",
        version=1,
    )
    if not await store.INSERT_JOB.all(tx, **values(job)):
        other = await store.JOB_UNDER_WAY.maybe(tx)
        if other is None:
            raise Aborted("REQUEST_IN_FLIGHT", "A job ended meanwhile: try again.", retry_after_s=1)
        name = MATCH_JOB.format(other["id"])
        told = f"{name} is not done yet: wait for it, or cancel it."
        raise AlreadyExists("MATCH_JOB_UNDER_WAY", told, {"resource": name})
    tx.record(fact_of(MatchJobCreated, job), version=job.version)
    await tx.schedule(JOB_TIMER, str(job.id), tx.now)
    return job


async def cancel_match_job(tx: Transaction, *, match_job_id: UUID) -> MatchJob:
    """Give up a job; one that has ended stays as it is. NotFound."""
    job = await found(tx, MATCH_JOB, store.LOCKED_JOB, match_job_id)
    if job.state is JobState.RUNNING:
        await tx.cancel(JOB_TIMER, str(job.id))
        await work.cancel(tx, LEARN, str(job.id))
        await _end(tx, job, JobState.CANCELLED)
    return job


async def match_everybody(tx: Transaction, matcher: Matcher, job_id: UUID, attempts: int = 0) -> None:
    """Go on with a job by some customers, and come back for the rest.

    By fewer after each of the `attempts` that failed: what takes longer than a transaction may, gets through.
    """
    job = await found(tx, MATCH_JOB, store.LOCKED_JOB, job_id)
    tx.touch(job.name)
    if job.state is not JobState.RUNNING or job.phase is Phase.LEARN:  # which is not done by the clock
        return
    await store.LOCK.run(tx)  # as whoever compares those that changed
    if job.phase is Phase.INDEX:
        await _index(tx, job, max(1, INDEXED_AT_ONCE >> attempts))
    else:
        await _match(tx, matcher, job, max(1, MATCHED_AT_ONCE >> attempts))
    if job.state is JobState.RUNNING:
        await _go_on(tx, job)


async def learned(tx: Transaction, job: MatchJob, found: Learned | NotLearned) -> None:
    """Go on with a job that is RUNNING by what was learned for it, or why nothing was."""
    if job.phase is not Phase.LEARN:
        return
    if isinstance(found, Learned):
        await put_in_force(tx, found, job.name)
    else:
        job.reason_code = found
    job.phase = Phase.MATCH
    await _go_on(tx, job)


async def _go_on(tx: Transaction, job: MatchJob) -> None:
    """Have the next step be made: by a worker, outside of any transaction, if it is learning."""
    if job.phase is Phase.LEARN:
        await work.enqueue(tx, LEARN, str(job.id), due_at=tx.now, expire_at=tx.now + LEARN_TIME)
    else:
        await tx.schedule(JOB_TIMER, str(job.id), tx.now)
    await write(tx, store.SAVE_JOB, job)


async def _index(tx: Transaction, job: MatchJob, most: int) -> None:
    if some := await _next(tx, job, most):
        await index(tx, some)
    else:
        job.phase, job.last_id = (Phase.LEARN if job.retrain else Phase.MATCH), _START


async def _match(tx: Transaction, matcher: Matcher, job: MatchJob, most: int) -> None:
    job.match_parameters_id = (await matcher.judge(tx)).parameters_id
    if some := await _next(tx, job, most):
        matched = await matcher.match(tx, some, everybody=True)
        job.matched_count += len(some)
        job.candidate_count += matched.asked
        job.linked_count += matched.linked
        job.skipped_key_count += matched.skipped
        job.customer_count = max(job.customer_count, job.matched_count)
    else:
        job.customer_count = job.matched_count
        await _end(tx, job, JobState.DONE)


async def _next(tx: Transaction, job: MatchJob, most: int) -> list[UUID]:
    some = [row["id"] for row in await store.NEXT_CUSTOMERS.all(tx, last_id=job.last_id, limit=most)]
    job.last_id = some[-1] if some else job.last_id
    return some


async def _end(tx: Transaction, job: MatchJob, state: JobState) -> None:
    job.end(state, tx.now)
    tx.record(fact_of(MatchJobEnded, job), version=job.version)
    await write(tx, store.SAVE_JOB, job)
