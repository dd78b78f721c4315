"""Reckoning anew what purchases earned, by other rules than those of then."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from chassis.errors import FailedPrecondition
from chassis.facts import fact_of
from loyalty.domain.earning import Given, Holding
from loyalty.domain.earning_rule import Basis, EarningRule, RuleState
from loyalty.domain.facts import ReevaluationJobEnded
from loyalty.names import (
    CUSTOMER,
    DEPARTMENT,
    EARNING,
    EARNING_RULE,
    PROGRAM,
    PURCHASE,
    REEVALUATION_JOB,
    UNIT,
)

PURCHASES_MAX = 10_000
BEGINNING = UUID(int=0)  # before every id


class JobState(StrEnum):
    """Where a job is."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A version of a rule."""

    rule: str
    version: int


@dataclass(slots=True)
class UnitChange:
    """How much was given, and taken back, in a unit."""

    program: str
    unit_id: str
    added_points: int = 0
    taken_points: int = 0

    unit = UNIT.named("program", "unit_id")


@dataclass(frozen=True, slots=True)
class Result:
    """What a purchase earns otherwise, in a unit."""

    reevaluation_job_id: UUID
    purchase_id: UUID
    program_id: str
    unit_id: str
    customer_id: UUID
    earned_points: int
    points: int

    purchase = PURCHASE.named("purchase_id")
    earning = EARNING.named("purchase_id")
    customer = CUSTOMER.named("customer_id")
    unit = UNIT.named("program_id", "unit_id")


@dataclass(slots=True)
class ReevaluationJob:
    """A job, as far as the purchase `last_id`: by one rule, `rule_id`, or by all of a program.

    `rules` are the versions that it reckons by, as they were when it was created.
    """

    id: UUID
    department_id: str
    program_id: str
    rule_id: str
    rules: list[RuleVersion]
    start_time: datetime
    end_time: datetime
    store: str
    customer_id: UUID | None
    purchase_count: int
    create_time: datetime
    update_time: datetime
    cause_id: UUID | None = None  # of whatever it does: the fact that it was created
    last_id: UUID = BEGINNING
    done_count: int = 0
    changed_count: int = 0
    changes: list[UnitChange] = field(default_factory=list)
    state: JobState = JobState.RUNNING
    done_time: datetime | None = None
    version: int = 1

    name = REEVALUATION_JOB.named("id")
    department = DEPARTMENT.named("department_id")
    customer = CUSTOMER.named("customer_id")

    @property
    def program(self) -> str:
        """The program by all of whose rules it is."""
        return "" if self.rule_id else PROGRAM.format(self.program_id)

    @property
    def earning_rule(self) -> str:
        """The version of the one rule that it is by."""
        if not self.rule_id:
            return ""
        (by,) = self.rules
        return EARNING_RULE.version().format(by.rule, by.version)

    @property
    def rules_digest(self) -> str:
        """Names what it reckons by."""
        told = [self.program_id, self.rule_id, *(f"{each.rule}/{each.version}" for each in self.rules)]
        return sha256("\n".join(told).encode()).hexdigest()

    def require_bounded(self) -> None:
        """Refuse more purchases than one job takes (`TOO_MANY_PURCHASES`)."""
        if self.purchase_count > PURCHASES_MAX:
            told = (
                f"A job takes at most {PURCHASES_MAX} purchases: take a shorter time, a store or a customer."
            )
            raise FailedPrecondition(
                "TOO_MANY_PURCHASES", told, {"resource": self.name, "most": PURCHASES_MAX}
            )

    def require_previewed(self, digest: str) -> None:
        """Refuse what would be reckoned by other rules than its preview (`RULES_CHANGED`)."""
        if digest != self.rules_digest:
            told = "Rules changed since this was previewed: look at what it would do now."
            raise FailedPrecondition("RULES_CHANGED", told, {"resource": self.earning_rule or self.program})

    def count(self, seen: int, results: Iterable[Result]) -> None:
        """Count purchases that it has seen, and what they earn otherwise."""
        changed = list(results)
        self.done_count += seen
        self.changed_count += len({each.purchase_id for each in changed})
        self.changes = summed(self.changes, changed)

    def end(self, state: JobState, now: datetime) -> ReevaluationJobEnded:
        """Have seen all, or be given up."""
        self.state, self.done_time, self.version = state, now, self.version + 1
        return fact_of(ReevaluationJobEnded, self, earning_rule_version=self.earning_rule)


def require_reckonable(rule: EarningRule, at: datetime) -> None:
    """Refuse what purchases cannot be reckoned by: `RULE_NOT_IN_FORCE`, `EVENT_RULE`."""
    about = {"resource": rule.name, "version": rule.version}
    if rule.basis is Basis.EVENT:
        raise FailedPrecondition("EVENT_RULE", f"{rule.name} gives nothing for purchases.", about)
    if rule.state is RuleState.DRAFT or not rule.effective_time or rule.effective_time > at:
        told = f"Version {rule.version} of {rule.name} was never in force: activate it first."
        raise FailedPrecondition("RULE_NOT_IN_FORCE", told, about)


def summed(changes: Iterable[UnitChange], results: Iterable[Result]) -> list[UnitChange]:
    """What was given and taken back in all, by unit."""
    of = {(each.program, each.unit_id): each for each in changes}
    for result in results:
        key = result.program_id, result.unit_id
        change = of.setdefault(key, UnitChange(*key))
        more = result.points - result.earned_points
        change.added_points += max(more, 0)
        change.taken_points += max(-more, 0)
    return [of[key] for key in sorted(of)]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a rule, or all of a department's, gives in a unit, and what it gave."""

    rule_id: str
    department_id: str
    program_id: str
    unit_id: str
    earned_points: int
    points: int

    department = DEPARTMENT.named("department_id")
    unit = UNIT.named("program_id", "unit_id")

    @property
    def earning_rule(self) -> str:
        """The rule; empty of all of a department's."""
        return EARNING_RULE.format(self.rule_id) if self.rule_id else ""


Stood = Iterable[tuple[Iterable[Given], Iterable[Given]]]  # of each purchase before and after


def costs_of(stood: Stood, departments: Mapping[str, str]) -> tuple[list[Cost], list[Cost]]:
    """What rules give otherwise than they did; the same by department."""
    was: Counter[tuple[str, str, str]] = Counter()
    now: Counter[tuple[str, str, str]] = Counter()
    for before, after in stood:
        for sums, given in ((was, before), (now, after)):
            for each in given:
                sums[each.rule, each.program, each.unit] += sum(each.standing)
    keys = [key for key in sorted({*was, *now}) if was[key] != now[key]]
    costs = [Cost(key[0], departments[key[0]], *key[1:], was[key], now[key]) for key in keys]
    of: dict[tuple[str, str, str], list[Cost]] = {}
    for cost in costs:
        of.setdefault((cost.department_id, cost.program_id, cost.unit_id), []).append(cost)
    return costs, [
        Cost("", *key, sum(each.earned_points for each in some), sum(each.points for each in some))
        for key, some in sorted(of.items())
    ]


def by_unit(sums: Mapping[Holding, int]) -> Counter[tuple[str, str]]:
    """What stands in each unit of each program."""
    units: Counter[tuple[str, str]] = Counter()
    for holding, points in sums.items():
        units[holding.program, holding.unit] += points
    return units
