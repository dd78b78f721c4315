"""What reckoning purchases anew would change, and what that costs. Nothing is posted or locked."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chassis.context import current_call
from chassis.db.database import Database
from loyalty.domain.earning import EVERYBODY, CapKey, Given, Used
from loyalty.domain.membership import Membership, MembershipState
from loyalty.domain.reevaluation import Cost, Result, UnitChange, costs_of, summed
from loyalty.domain.value import Purchase, ValueFormula
from loyalty.store import earning as store
from loyalty.store.tiers import SOME_MEMBERSHIPS
from loyalty.usecases.bands import bands_of
from loyalty.usecases.earning_caps import counted_in, leave, limited_by, versions_of
from loyalty.usecases.evaluating import Bands, Members, Reckoning
from loyalty.usecases.memberships import earning_memberships
from loyalty.usecases.reevaluating import Reevaluation, holders
from loyalty.usecases.reevaluation import AT_ONCE, Asked, Planned, plan
from loyalty.usecases.reevaluation_debts import Debt, debts_of
from loyalty.usecases.returns import returns_of

SHOWN = 10


@dataclass(slots=True)
class Preview:
    """What a job would change."""

    rules_digest: str
    purchase_count: int
    changed_count: int = 0
    changes: list[UnitChange] = field(default_factory=list)
    rule_costs: list[Cost] = field(default_factory=list)
    department_costs: list[Cost] = field(default_factory=list)
    largest: list[Result] = field(default_factory=list)
    debtor_count: int = 0
    debts: list[Debt] = field(default_factory=list)


async def preview_job(db: Database, formula: ValueFormula, asked: Asked) -> Preview:
    """What a job would change, as far as nobody buys or gives back anything meanwhile. As `plan` refuses."""
    department = asked.department_id or current_call.get().principal.department
    planned = await plan(db, asked, department, db.clock.now())
    reckonings, results, departments = await _reckoned(db, formula, planned)
    preview = Preview(planned.job.rules_digest, planned.job.purchase_count)
    preview.changed_count = len({each.purchase_id for each in results})
    preview.changes = summed([], results)
    preview.rule_costs, preview.department_costs = costs_of(_stood(reckonings), departments)
    results.sort(key=lambda each: (-abs(each.points - each.earned_points), each.purchase_id, each.unit_id))
    preview.largest = results[:SHOWN]
    debts = await debts_of(db, reckonings)
    preview.debtor_count, preview.debts = len(debts), debts[:SHOWN]
    return preview


def _stood(reckonings: Iterable[Reckoning]) -> Iterator[tuple[list[Given], list[Given]]]:
    for each in reckonings:
        yield each.kept.given if each.kept else [], each.given


async def _reckoned(
    db: Database, formula: ValueFormula, planned: Planned
) -> tuple[list[Reckoning], list[Result], Mapping[str, str]]:
    """As the job does it, as many at once: what caps leave to whom depends on that. And whose rules are."""
    used: Used = Counter()
    known: set[CapKey] = set()
    done: list[Reckoning] = []
    results: list[Result] = []
    departments: dict[str, str] = {}
    for first in range(0, len(planned.purchases), AT_ONCE):
        some = planned.purchases[first : first + AT_ONCE]
        anew, reckonings = await _asked(db, planned, some)
        departments |= {rule.id: rule.department_id for rule in anew.of.values()}
        members, bands = await _people(db, formula, reckonings)
        for each in reckonings:
            each.given = each.ask(members, bands, None) if each.ask else each.given
            await asyncio.sleep(0)  # others are answered meanwhile
        of = await versions_of(db, reckonings)
        keys = [key for key in limited_by(reckonings, of) if key not in known]
        used.update(await _counted(db, keys))
        known.update(keys)
        returned = await returns_of(db, [each.id for each in reckonings])
        await leave(reckonings, members, bands, returned, used, of)
        done += reckonings
        results += anew.results(reckonings)
    return done, results, departments


async def _asked(
    db: Database, planned: Planned, some: Sequence[Purchase]
) -> tuple[Reevaluation, list[Reckoning]]:
    program = planned.job.program_id
    kept = {each.id: each for each in await store.SOME_EARNINGS.all(db, ids=[each.id for each in some])}
    held = await SOME_MEMBERSHIPS.all(db, ids=holders(kept.values(), program))
    closed = {each.id for each in held if each.state is MembershipState.CLOSED}
    anew = await Reevaluation.read(db, planned.job, kept.values())
    asked = [anew.reckoning(each, kept.get(each.id), closed, db.clock.now()) for each in some]
    return anew, [each for each in asked if each]


async def _people(
    db: Database, formula: ValueFormula, reckonings: Sequence[Reckoning]
) -> tuple[Members, Bands]:
    """Their memberships, as if who is none yet were a member; and their bands."""
    now = db.clock.now()
    customers = {each.customer_id for each in reckonings}
    members: dict[str, Mapping[UUID, Membership]] = {}
    for program in {rule.program_id for each in reckonings for rule in each.rules}:
        earning = await earning_memberships(db, program, customers)
        new = {each: Membership(each, program, each, now, now) for each in customers - earning.keys()}
        members[program] = {**new, **earning}
    return members, await bands_of(db, formula, customers, now)


async def _counted(db: Database, keys: Sequence[CapKey]) -> Used:
    """What caps have counted by now."""
    if not keys:
        return Counter()
    wanted = sorted({key.holder for key in keys})
    rows = list(await store.SOME_CAPS.all(db, holders=wanted))
    rule_ids = sorted({key.rule_id for key in keys})
    members = [each for each in wanted if each != EVERYBODY]
    rows += await store.CAPS_OF_PARTS.all(db, holders=members, rule_ids=rule_ids)
    counted = counted_in(rows)
    return Counter({key: counted[key] for key in keys})
