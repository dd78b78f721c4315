"""Taking an import back: the last line first, each customer whole or not at all."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from chassis.api.entities import found, owned, write
from chassis.context import Principal
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from chassis.errors import Violation
from chassis.facts import fact_of
from customer.domain import provenance
from customer.domain.contact import PROVED
from customer.domain.customers import PROFILE_FIELDS, Customer, DeletedCustomer
from customer.domain.facts import CustomerDeleted, CustomerUpdated, IdentifierDeleted
from customer.domain.identifiers import Identifier
from customer.domain.import_effects import Effect, Left, Outcome, net
from customer.domain.imports import Finding, ImportJob, ImportState
from customer.domain.provenance import Said
from customer.names import IMPORT_JOB
from customer.store import imports as store
from customer.store import reverting as known
from customer.store.tables import DELETE_IDENTIFIER, DELETE_IDENTIFIERS_OF, identifiers_of
from customer.usecases.customers import save
from customer.usecases.people import lock_people
from customer.usecases.taking_back import take_back
from rapport.customer.v1 import customer_events_pb2 as events

REVERT_TIMER, FORGET_TIMER = "revert-import", "forget-import-effects"
CHUNK, FORGOTTEN_AT_ONCE = 500, 10_000
LATER = timedelta(seconds=1)
AFTER_OTHERS = 1000  # where what is told of a line stands, behind what was told when it was applied
_CHANGED_SINCE = "{0} is not as the import left this: all that it changed of them stays"
_SAID_AGAIN = "a later import says of {0} what this one said, or more: all that it changed of them stays"
_IN_USE = "{0} has more by now than the import made: they stay a customer"
# What imports tell of whoever they are about, and is looked at where it is kept.
OWN_TYPES = [
    each.DESCRIPTOR.full_name
    for each in (
        events.CustomerCreated,
        events.CustomerUpdated,
        events.IdentifierCreated,
        events.IdentifierDeleted,
        events.MatchCandidateCreated,
        events.MatchCandidateUpdated,
    )
]


async def revert_job(tx: Transaction, *, import_job_id: UUID) -> ImportJob:
    """Begin to take back what the rows did; asked again, say how far that is.

    NotFound; FailedPrecondition IMPORT_NOT_DONE, IMPORT_TOO_OLD.
    """
    job = await owned(tx, IMPORT_JOB, store.LOCKED_JOB, import_job_id)
    if job.revert(tx.call.principal.subject, tx.id, tx.now):
        await tx.schedule(REVERT_TIMER, str(job.id), tx.now)
        await write(tx, store.SAVE_JOB, job)
    return job


async def forget_effects(tx: Transaction, job_id: UUID) -> None:
    """Forget what the rows of a job did: it cannot be taken back any more."""
    job = await found(tx, IMPORT_JOB, store.LOCKED_JOB, job_id)
    tx.touch(job.name)
    if job.state == ImportState.REVERTING:
        await tx.schedule(FORGET_TIMER, str(job.id), tx.now + timedelta(days=1))
    elif len(await store.FORGET_EFFECTS.all(tx, job_id=job.id, limit=FORGOTTEN_AT_ONCE)) == FORGOTTEN_AT_ONCE:
        await tx.schedule(FORGET_TIMER, str(job.id), tx.now)


async def revert_chunk(tx: Transaction, job_id: UUID, is_complete: Callable[[], bool]) -> None:
    """Take back the next lines of a job, on behalf of who asked for it, and come back for the rest.

    Later, until it is known that no facts of others are on their way: they may be about whom it created.
    """
    job = await found(tx, IMPORT_JOB, store.LOCKED_JOB, job_id)
    act_for(tx, job, job.reverter, job.revert_id)
    if not is_complete():
        await tx.schedule(REVERT_TIMER, str(job.id), tx.now + LATER)
        return
    left = await store.EFFECTS_LEFT.all(tx, job_id=job.id, limit=CHUNK)
    names = sorted({row["customer_id"] for row in left})
    effects = await store.EFFECTS_OF.all(tx, job_id=job.id, customer_ids=names) if names else []
    by_customer: dict[UUID, list[Effect]] = {}
    for effect in effects:
        if effect.customer_id:
            by_customer.setdefault(effect.customer_id, []).append(effect)
    did = {name: {e.outcome for e in some} for name, some in by_customer.items()}
    created = {name: some for name, some in by_customer.items() if Outcome.CREATED in did[name]}
    changed = {
        name: some
        for name, some in by_customer.items()
        if Outcome.CORRECTED in did[name] and name not in created
    }
    others = await store.SAID_BY_OTHERS.all(tx, job_id=job.id, customer_ids=names) if names else ()
    taken = _Taken(job, {row["customer_id"]: row["version"] for row in others})
    for name, some in by_customer.items():
        if did[name] == {Outcome.KNOWN}:
            taken.undo(some)
    await _delete(tx, taken, created)
    await _restore(tx, taken, changed)
    await store.INSERT_FINDINGS.rows(tx, taken.findings)
    await store.SAVE_UNDONE.run(tx, job_id=job.id, lines=list(taken.lines), undone=list(taken.lines.values()))
    last = len(left) < CHUNK
    job.taken_back(taken.reverted, taken.kept, tx.now, last=last)
    if not last:
        await tx.schedule(REVERT_TIMER, str(job.id), tx.now)
    await write(tx, store.SAVE_JOB, job)


def act_for(tx: Transaction, job: ImportJob, subject: str, call_id: UUID | None) -> None:
    """Go on as who asked for it, by that call of theirs."""
    tx.touch(job.name)
    tx.act(replace(tx.call, principal=Principal(subject, job.department_id), cause_id=call_id))
    tx.touch(job.name)


@dataclass(slots=True)
class _Taken:
    """What became of lines: whether each was undone, and why it was not.

    Args:
        others: of whom other imports say something that stands, and as which version these last saw them.
        reverted: how many lines that did something were taken back; `kept` of how many that stays.
    """

    job: ImportJob
    others: Mapping[UUID, int]
    reverted: int = 0
    kept: int = 0
    lines: dict[int, bool] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def undo(self, effects: Sequence[Effect]) -> None:
        """All of a customer is taken back."""
        self.lines |= {each.line: True for each in effects}
        self.reverted += len(_did(effects))

    def keep(self, effects: Sequence[Effect], why: Collection[tuple[int, Violation]]) -> None:
        """Nothing of a customer is."""
        self.lines |= {each.line: False for each in effects}
        self.kept += len(_did(effects))
        self.findings += [
            Finding(self.job.id, line, AFTER_OTHERS + at, v.field, v.reason, v.description, applied=True)
            for at, (line, v) in enumerate(why)
        ]


def _did(effects: Sequence[Effect]) -> Sequence[Effect]:
    """Those that changed something."""
    return [each for each in effects if each.outcome is not Outcome.KNOWN]


async def _delete(tx: Transaction, taken: _Taken, created: Mapping[UUID, Sequence[Effect]]) -> None:
    """Delete customers whom the import created, who have nothing else."""
    if not created:
        return
    ids = sorted(created)
    customers = {each.id: each for each in await known.CUSTOMERS_TO_DELETE.all(tx, ids=ids)}
    rows = await known.IN_USE.all(tx, customer_ids=ids, own_types=OWN_TYPES, origin=taken.job.name)
    identifiers = await identifiers_of(tx, ids)
    in_use = {row["customer_id"] for row in rows} | taken.others.keys()
    gone: list[UUID] = []
    for name, effects in created.items():
        customer = customers.get(name)
        # What they bought is on their row before it is on their timeline.
        is_theirs = customer and not customer.bought and _has_theirs(identifiers[name], effects)
        if customer and (name in in_use or not is_theirs):
            told = Violation("", "CUSTOMER_IN_USE", _IN_USE.format(customer.name))
            taken.keep(effects, [(effects[0].line, told)])
            continue
        taken.undo(effects)
        if customer:
            fact = fact_of(CustomerDeleted, customer, import_job=taken.job.name)
            tx.record(fact, version=customer.version + 1)
            gone.append(name)
    if gone:
        await DELETE_IDENTIFIERS_OF.run(tx, customer_ids=gone)
        await known.DELETE_OBSERVATIONS.run(tx, ids=gone)
        await known.DELETE_CUSTOMERS.run(tx, ids=gone)
        await known.INSERT_DELETED.rows(tx, [DeletedCustomer(each, tx.now) for each in gone])


def _has_theirs(held: Sequence[Identifier], effects: Sequence[Effect]) -> bool:
    """Whether a customer has the identifiers that the import gave them, as it did, and no others."""
    given = {each.identifier_id for effect in effects for each in effect.added}
    return {each.id for each in held} == given and all(each.version == 1 for each in held)


async def _restore(tx: Transaction, taken: _Taken, changed: Mapping[UUID, Sequence[Effect]]) -> None:
    """Have customers be again as they were before the import."""
    if not changed:
        return
    groups, customers = await lock_people(tx, changed.keys())
    identifiers = await identifiers_of(tx, groups.members)
    restored: list[Customer] = []
    for name, effects in changed.items():
        customer = customers.get(name)
        if customer is None:  # an import that created them was taken back before
            taken.undo(effects)
            continue
        if taken.others.get(name, 0) >= _did(effects)[-1].version:
            told = Violation("", "CHANGED_SINCE", _SAID_AGAIN.format(customer.name))
            taken.keep(effects, [(_did(effects)[-1].line, told)])
            continue
        held = {each.id: each for each in identifiers[groups.survivors[name]]}
        if why := _since(customer, held, effects):
            taken.keep(effects, why)
            continue
        taken.undo(effects)
        _put_back(tx, customer, effects)
        await _take_away(tx, held, effects)
        restored.append(customer)
    if restored:
        await save(tx, restored)


def _since(
    customer: Customer, held: Mapping[UUID, Identifier], effects: Sequence[Effect]
) -> list[tuple[int, Violation]]:
    """What is not as the import left it, with its line."""
    changes, left = net(effects), _left(customer, effects)
    told = _CHANGED_SINCE.format(customer.name)
    why = [
        (changes[name].line, Violation(changes[name].path, "CHANGED_SINCE", told))
        for name in left.differing(changes)
    ]
    for effect in effects:
        for added in effect.added:
            identifier = held.get(added.identifier_id)
            if identifier is None or identifier.version > 1 or identifier.customer_id != customer.id:
                where = f"identifiers[{added.position}].value"
                why.append((effect.line, Violation(where, "CHANGED_SINCE", told)))
    return why


def _left(customer: Customer, effects: Sequence[Effect]) -> Left:
    return Left(
        now={name: getattr(customer, name) for name in PROFILE_FIELDS},
        said={name: each.observation for name, each in provenance.sources(customer).items()},
        observations={each.observation for each in effects if each.observation},
    )


def _put_back(tx: Transaction, customer: Customer, effects: Sequence[Effect]) -> None:
    """Set the profile to what it was, with whose word that was, and tell."""
    changes = _left(customer, effects).to_put_back(net(effects))
    fields = customer.restore({name: each.before for name, each in changes.items()}, tx.now)
    said = provenance.sources(customer)
    for name, each in changes.items():
        said.pop(name, None)
        if each.said:
            observation, teller, held = each.said
            said[name] = Said(observation, teller, bool(held))
    provenance.keep(customer, said)
    if fields:
        fact = fact_of(CustomerUpdated, customer, updated_fields=fields)
        tx.record(fact, version=customer.version)
    else:
        customer.touch(tx.now)


async def _take_away(tx: Transaction, held: Mapping[UUID, Identifier], effects: Sequence[Effect]) -> None:
    """Take the handles away that the import gave, and what was sent to them open nothing any more."""
    for identifier in (held[each.identifier_id] for effect in effects for each in effect.added):
        tx.record(fact_of(IdentifierDeleted, identifier), version=identifier.version + 1)
        await DELETE_IDENTIFIER.run(tx, id=identifier.id)
        if identifier.type in PROVED.values():
            await take_back(tx, [identifier.customer_id])


async def deleted_among(on: Executor, names: Collection[UUID]) -> set[UUID]:
    """Which of these are no customers any more."""
    return {row["id"] for row in await known.DELETED_AMONG.all(on, ids=sorted(names))} if names else set()


async def forget_shown(tx: Transaction, names: Sequence[UUID]) -> None:
    """Forget the timelines and views of those who are no customers any more."""
    for statement in known.DELETE_SHOWN:
        await statement.run(tx, ids=names)
