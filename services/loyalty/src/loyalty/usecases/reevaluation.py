"""Reckoning anew what purchases earned: some at a time, each once, with how far it is in the same commit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis import ids
from chassis.api.entities import found, own_department, save, write
from chassis.db.aliases import groups_of
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import fact_of
from loyalty.domain.earning_rule import EarningRule
from loyalty.domain.facts import ReevaluationJobCreated
from loyalty.domain.membership import MembershipState
from loyalty.domain.reevaluation import JobState, ReevaluationJob, RuleVersion, require_reckonable
from loyalty.domain.value import Purchase, ValueFormula
from loyalty.names import EARNING_RULE, PROGRAM, REEVALUATION_JOB
from loyalty.store import earning as rules
from loyalty.store import reevaluation as store
from loyalty.store.earning import RuleInForce
from loyalty.store.memberships import LOCK_MEMBERSHIPS
from loyalty.store.tables import GET_PROGRAM
from loyalty.usecases.bands import bands_of
from loyalty.usecases.earning_posting import post_all
from loyalty.usecases.reevaluating import Reevaluation, holders
from loyalty.usecases.returns import lock_bought, returns_of

REEVALUATION_TIMER = "reevaluation"
AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which purchases are to be reckoned anew, and by what."""

    department_id: str | None
    program_id: str | None
    earning_rule: str
    start_time: datetime
    end_time: datetime
    store: str
    customer_id: UUID | None


@dataclass(frozen=True, slots=True)
class Planned:
    """A job, the rules that it is about, and its purchases in the order in which they were recorded."""

    job: ReevaluationJob
    about: Sequence[EarningRule]
    purchases: list[Purchase]


async def create_job(tx: Transaction, *, reevaluation_job: Asked, rules_digest: str) -> ReevaluationJob:
    """Begin a job. What `plan` refuses; FailedPrecondition `RULES_CHANGED`; PermissionDenied `NOT_OWNER`."""
    owner = own_department(tx, reevaluation_job.department_id, "reevaluation_job.department")
    planned = await plan(tx, reevaluation_job, owner, tx.now)
    job = planned.job
    for each in (job, *planned.about):
        tx.require_owner(each)
    job.require_previewed(rules_digest)
    created = fact_of(ReevaluationJobCreated, job, earning_rule_version=job.earning_rule)
    job.cause_id = tx.record(created, version=job.version)
    await tx.defer(store.INSERT_JOB, **values(job))
    await store.INSERT_CHOSEN.rows(tx, [store.Chosen(job.id, each.id) for each in planned.purchases])
    await tx.schedule(REEVALUATION_TIMER, str(job.id), tx.now)
    return job


async def cancel_job(tx: Transaction, *, reevaluation_job_id: UUID) -> ReevaluationJob:
    """Give up a job; one that has ended stays as it is. NotFound."""
    job = await found(tx, REEVALUATION_JOB, store.LOCK_JOB, reevaluation_job_id)
    tx.require_owner(job)
    if job.state is JobState.RUNNING:
        await tx.cancel(REEVALUATION_TIMER, str(job.id))
        await save(tx, store.UPDATE_JOB, job, job.end(JobState.CANCELLED, tx.now))
    return job


async def go_on(tx: Transaction, formula: ValueFormula, key: str) -> None:
    """Reckon some purchases more, and come back for the rest."""
    job = await found(tx, REEVALUATION_JOB, store.LOCK_JOB, UUID(key))
    if job.state is not JobState.RUNNING:
        return
    tx.act(replace(tx.call, cause_id=job.cause_id))
    rows = await store.NEXT_CHOSEN.all(tx, job_id=job.id, after=job.last_id, limit=AT_ONCE)
    chosen = [row["purchase_id"] for row in rows]
    await _reckon(tx, formula, job, chosen)
    if len(chosen) == AT_ONCE:
        job.last_id = chosen[-1]
        await tx.schedule(REEVALUATION_TIMER, key, tx.now)
        await write(tx, store.UPDATE_JOB, job)
    else:
        await save(tx, store.UPDATE_JOB, job, job.end(JobState.DONE, tx.now))


async def _reckon(
    tx: Transaction, formula: ValueFormula, job: ReevaluationJob, chosen: Sequence[UUID]
) -> None:
    """Have purchases earn by the rules of the job.

    Locked as they are by those who give back, correct and claim: purchases, what they earned, memberships,
    accounts, caps. So whoever comes first is seen by the other.
    """
    await lock_bought(tx, sorted(chosen))
    purchases = {each.id: each for each in await store.LOCK_PURCHASES.all(tx, ids=list(chosen))}
    kept = {each.id: each for each in await rules.LOCK_EARNINGS.all(tx, ids=list(chosen))}
    held = await LOCK_MEMBERSHIPS.all(
        tx, program_id=job.program_id, ids=holders(kept.values(), job.program_id)
    )
    closed = {each.id for each in held if each.state is MembershipState.CLOSED}
    anew = await Reevaluation.read(tx, job, kept.values())
    asked = [anew.reckoning(purchases[each], kept.get(each), closed, tx.now) for each in chosen]
    reckonings = [each for each in asked if each]
    if reckonings:
        customers = {each.customer_id for each in reckonings}
        bands = await bands_of(tx, formula, customers, tx.now)
        await post_all(tx, reckonings, bands, await returns_of(tx, [each.id for each in reckonings]))
    results = anew.results(reckonings)
    await store.INSERT_RESULTS.rows(tx, results)
    job.count(len(chosen), results)
    job.update_time = tx.now


async def plan(on: Executor, asked: Asked, department_id: str, at: datetime) -> Planned:
    """A job as it would be. NotFound; `TOO_MANY_PURCHASES`, and what `require_reckonable` refuses."""
    about, by = await _rules(on, asked, at)
    program_id = about[0].program_id if asked.earning_rule else asked.program_id
    assert program_id is not None, "a program or a rule is given"
    bought = await _bought(on, asked)
    job = ReevaluationJob(
        id=ids.uuid7(at),
        department_id=department_id,
        program_id=program_id,
        rule_id=by[0].id if asked.earning_rule else "",
        rules=[RuleVersion(each.id, each.version) for each in by],
        start_time=asked.start_time,
        end_time=asked.end_time,
        store=asked.store,
        customer_id=asked.customer_id,
        purchase_count=len(bought),
        create_time=at,
        update_time=at,
    )
    job.require_bounded()
    return Planned(job, about, sorted(bought, key=lambda each: each.id))


async def _rules(
    on: Executor, asked: Asked, at: datetime
) -> tuple[Sequence[EarningRule], Sequence[RuleInForce]]:
    """The rules that a job is about, and the versions that it reckons by."""
    if not asked.earning_rule:
        assert asked.program_id is not None, "a program or a rule is given"
        await found(on, PROGRAM, GET_PROGRAM, asked.program_id)
        about = await rules.RULES_OF_PROGRAM.all(on, program_id=asked.program_id)
        in_force = await rules.RULES_IN_FORCE.all(on, at=at)
        return about, [each for each in in_force if each.program_id == asked.program_id]
    name, _, version = asked.earning_rule.partition("/versions/")
    (rule_id,) = EARNING_RULE.parse(name, "reevaluation_job.earning_rule")
    latest = await found(on, EARNING_RULE, rules.EARNING_RULE, rule_id)
    if version:
        keys = {"ids": [rule_id], "versions": [int(version)]}
        by = await rules.RULES_BY_VERSION.maybe(on, **keys)
        if by is None:
            raise NotFound(asked.earning_rule)
    else:
        by = await rules.RULE_BY_THEN.maybe(on, id=rule_id, at=at)
    require_reckonable(by or latest, at)
    assert by is not None, "what was in force was found"
    return [latest], [by]


async def _bought(on: Executor, asked: Asked) -> list[Purchase]:
    """What was bought: of more than a job takes, one more."""
    span = {"start": asked.start_time, "end": asked.end_time, "store": asked.store}
    if asked.customer_id is None:
        found = await store.BOUGHT.all(on, **span)
    else:
        names = (await groups_of(on, [asked.customer_id])).everybody
        found = await store.BOUGHT_BY.all(on, **span, customer_ids=names)
    return list(found)
