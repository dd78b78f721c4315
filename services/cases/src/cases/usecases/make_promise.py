"""Making promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, cast
from uuid import UUID

from cases.domain.basis import Basis
from cases.domain.case import Case
from cases.domain.due import Due
from cases.domain.promise import Promise
from cases.domain.promise_clock import Facts, PromiseClock, compared, team_of
from cases.domain.promise_state import KEPT
from cases.domain.work_item import WorkItem
from cases.names import CASE, CUSTOMER, DEPARTMENT
from cases.store import tables as store
from cases.usecases.announcing import announce
from chassis import ids
from chassis.api.actors import actor_name
from chassis.db.aliases import groups_of
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, invalid
from chassis.overlap import Outcome


@dataclass(slots=True, kw_only=True)
class MakePromise:
    """A promise to make. Of past ones: `keep_time`, when kept, and `import_key`, where it comes from."""

    customer_id: UUID
    department_id: str
    kind: str
    reference: str
    display_name: str
    due_time: datetime | None
    due_date: date | None
    time_zone: str
    case_id: UUID | None
    work_item_id: UUID | None
    make_time: datetime | None
    keep_time: datetime | None
    basis: Basis | None = None
    import_key: str | None = None

    @property
    def due(self) -> Due:
        """By when: one of both is given."""
        if self.due_date:
            return Due.of_day(self.due_date, self.time_zone)
        return Due(cast(datetime, self.due_time))


@dataclass(frozen=True, slots=True)
class _Foundations:
    """What promises rest on, by id."""

    work_items: dict[UUID, WorkItem]
    known: dict[str, Promise]  # what was made before under the import keys that are asked for
    cases: dict[UUID, Case] = field(default_factory=dict)
    # The first promise that was ever made on each work item.
    roots: dict[UUID, UUID] = field(default_factory=dict)
    # The promise on each work item that its customer waits for; empty: one of these commands.
    awaited: dict[UUID, str] = field(default_factory=dict)
    # When what was last promised on each work item, and not kept, is due.
    due: dict[UUID, datetime] = field(default_factory=dict)

    def remember(self, promise: Promise, name: str) -> None:
        """That a promise was made, whose name is empty as long as it is not stored."""
        if promise.work_item_id:
            self.roots.setdefault(promise.work_item_id, promise.root_id or promise.id)
            if promise.awaited:
                self.awaited[promise.work_item_id] = name
            if promise.state not in KEPT:
                self.due[promise.work_item_id] = promise.due_time

    def is_sooner(self, promise: Promise) -> bool:
        """Whether it is due sooner than what was promised on its work item before."""
        before = self.due.get(promise.work_item_id) if promise.work_item_id else None
        return before is not None and promise.due_time < before

    def require_alone(self, promise: Promise) -> None:
        """One promise on a work item at a time: else one harm is told and made up for many times."""
        other = self.awaited.get(promise.work_item_id) if promise.work_item_id else None
        if promise.awaited and other is not None:
            raise AlreadyExists(
                "PROMISE_EXISTS",
                f"On {promise.work_item} the customer waits for {other or 'another of these requests'}:"
                " renegotiate that, or withdraw it first.",
                {"resource": promise.work_item, "promise": other},
            )


class Made(NamedTuple):
    """A promise that a batch asked for, and whether it was made now; None where it was only checked."""

    promise: Promise | None
    outcome: Outcome


async def make_promise(tx: Transaction, clock: PromiseClock, *, promise: MakePromise) -> Promise:
    """Make one promise. InvalidArgument INVALID_TIME for one that is over and has no keep time."""
    if promise.due.missed_by(tx.now) and not promise.keep_time:
        field = f"promise.{'due_date' if promise.due_date else 'due_time'}"
        raise invalid(field, "INVALID_TIME", "must be in the future, or keep_time be given")
    foundations = await _foundations(tx, [promise])
    made, facts = _make(tx, clock, promise, foundations)
    await tx.defer(store.INSERT_PROMISE, **values(made))
    await announce(tx, clock, made, facts)
    return made


async def make_promises(
    tx: Transaction, clock: PromiseClock, commands: Sequence[MakePromise], *, validate_only: bool
) -> list[Made]:
    """Make many promises, each import key once ever; for a known one, the promise made then.

    `validate_only`: refuse what would be refused, and make none: those that would be made are not there.
    """
    foundations = await _foundations(tx, commands)
    known: dict[str | None, Promise | None] = dict(foundations.known.items())
    made: list[tuple[Promise, Facts]] = []
    results: list[Made] = []
    for command in commands:
        if command.import_key in known:
            results.append(Made(known[command.import_key], Outcome.KNOWN))
            continue
        made.append(_make(tx, clock, command, foundations))
        promise = None if validate_only else made[-1][0]
        results.append(Made(promise, Outcome.CREATED))
        if command.import_key:
            known[command.import_key] = promise
    if validate_only:
        return results
    new = {promise_id for (promise_id,) in await store.INSERT_NEW_PROMISES.rows(tx, [p for p, _ in made])}
    for promise, facts in made:
        if promise.id in new:
            await announce(tx, clock, promise, facts)
    taken = [promise.import_key for promise, _ in made if promise.id not in new]  # somebody else was faster
    if not taken:
        return results
    found = await store.PROMISES_BY_IMPORT_KEY.all(tx, import_keys=taken)
    for promise in found:
        _require_owner(tx, promise, foundations, lent=True)
    faster = {promise.import_key: promise for promise in found}
    return [
        Made(faster[p.import_key], Outcome.KNOWN) if p and p.import_key in faster else Made(p, outcome)
        for p, outcome in results
    ]


async def _foundations(tx: Transaction, commands: Sequence[MakePromise]) -> _Foundations:
    """Check what new promises are about, and lock the work they rest on so that its forecast stands still."""
    work_item_ids = {command.work_item_id for command in commands if command.work_item_id}
    keys = {command.import_key for command in commands if command.import_key}
    locked = await store.LOCK_WORK_ITEMS.all(tx, ids=list(work_item_ids)) if work_item_ids else []
    before: Sequence[Promise] = []
    if work_item_ids or keys:  # read once work is locked, so that nobody promises on it meanwhile
        before = await store.PROMISED_BEFORE.all(
            tx, work_item_ids=list(work_item_ids), import_keys=list(keys)
        )
    foundations = _Foundations(
        work_items={work_item.id: work_item for work_item in locked},
        known={p.import_key: p for p in before if p.import_key and p.import_key in keys},
    )
    new = [command for command in commands if command.import_key not in foundations.known]
    for command in new:
        if command.work_item_id:
            _put_on(command, foundations.work_items.get(command.work_item_id))
    about = [each.case_id for each in new] + [each.case_id for each in foundations.known.values()]
    if case_ids := set(about) - {None}:
        foundations.cases.update(
            {case.id: case for case in await store.CASES_BY_ID.all(tx, ids=list(case_ids))}
        )
    whose = await _groups(tx, new, foundations.cases)
    for command in new:
        if command.case_id:
            _require_case(command, foundations.cases.get(command.case_id), whose)
    for promise in before:
        foundations.remember(promise, promise.name)
    for promise in foundations.known.values():
        _require_owner(tx, promise, foundations, lent=True)
    return foundations


async def _groups(
    tx: Transaction, commands: Sequence[MakePromise], cases: Mapping[UUID, Case]
) -> Mapping[UUID, UUID]:
    """The name that survives, of each that is promised to on a case of another name."""
    pairs = [
        (command.customer_id, case.customer_id)
        for command in commands
        if command.case_id
        and (case := cases.get(command.case_id))
        and case.customer_id != command.customer_id
    ]
    return (await groups_of(tx, {name for pair in pairs for name in pair})).survivors if pairs else {}


def _require_case(command: MakePromise, case: Case | None, whose: Mapping[UUID, UUID]) -> None:
    """The case is there, and of the promise's customer, by whichever of their names."""
    if case is None:
        raise NotFound(CASE.format(command.case_id))
    one, other = case.customer_id, command.customer_id
    if whose.get(one, one) != whose.get(other, other):
        raise FailedPrecondition(
            "CUSTOMER_MISMATCH",
            f"{case.name} is of another customer: promise to the case's customer.",
            {"resource": case.name, "customer": CUSTOMER.format(command.customer_id)},
        )


def _put_on(command: MakePromise, work_item: WorkItem | None) -> None:
    """The work item says which case the promise belongs to, and must not be finished for what is to come.

    It is of the promise's department: nobody else's work says what becomes of a promise.
    """
    if work_item is None:
        raise NotFound(f"workItems/{command.work_item_id}")
    if command.case_id not in (None, work_item.case_id):
        raise FailedPrecondition(
            "CASE_MISMATCH",
            f"{work_item.name} is of another case: leave the case out, or name {work_item.case}.",
            {"resource": work_item.name, "case": f"cases/{command.case_id}"},
        )
    if command.department_id != work_item.department_id:  # whose forecasts and end would be its verdict
        raise FailedPrecondition(
            "DEPARTMENT_MISMATCH",
            f"{work_item.name} is of {work_item.department}: promise in that department's name,"
            " or on a work item of the promise's own.",
            {"resource": work_item.name, "department": DEPARTMENT.format(command.department_id)},
        )
    command.case_id = work_item.case_id
    if command.keep_time is None:
        work_item.require_unfinished()


def _make(
    tx: Transaction, clock: PromiseClock, command: MakePromise, foundations: _Foundations
) -> tuple[Promise, Facts]:
    """A new promise as it stands now, and its facts so far: a past one has been kept or broken since."""
    due = command.due
    promise = Promise(
        id=ids.uuid7(tx.now),
        customer_id=command.customer_id,
        department_id=command.department_id,
        kind=command.kind,
        due_time=due.time,
        # Of the past nobody may know when it was promised; before it was due, and before it was done.
        make_time=min(tx.now, command.make_time or min(due.time, command.keep_time or due.time)),
        create_time=tx.now,
        update_time=tx.now,
        due_date=due.day,
        time_zone=due.time_zone,
        case_id=command.case_id,
        work_item_id=command.work_item_id,
        reference=command.reference,
        display_name=command.display_name,
        import_key=command.import_key,
        basis=command.basis or Basis.EXPLICIT,
    )
    lent = not command.keep_time and due.is_ahead(tx.now) and not foundations.is_sooner(promise)
    _require_owner(tx, promise, foundations, lent=lent)
    if command.work_item_id:
        promise.root_id = foundations.roots.get(command.work_item_id)
        promise.team_id = team_of(promise, foundations.work_items[command.work_item_id])
    facts: Facts = [(promise.made(), promise.version)]
    if command.keep_time:
        keeper = actor_name(tx.call.principal.subject, tx.db.service)
        facts.append((promise.keep(min(command.keep_time, tx.now), tx.now, keeper), promise.version))
    elif clock.broken_at(promise) <= tx.now:
        facts.append((promise.break_(), promise.version))
    elif command.work_item_id:
        facts += compared(promise, foundations.work_items[command.work_item_id], clock, tx.now)
    foundations.require_alone(promise)
    foundations.remember(promise, "")
    return promise, facts


def _require_owner(tx: Transaction, promise: Promise, foundations: _Foundations, *, lent: bool) -> None:
    """The promise's department. `lent`: or the case's, for Alice takes an order that delivery keeps.

    What was kept or broken is said by nobody but the department that should have kept it, and so is what is
    due sooner than was promised: to take a promise back and make it again is to renegotiate it.
    """
    case = foundations.cases.get(promise.case_id) if lent and promise.case_id else None
    tx.require_owner(promise, *([case] if case else []))
