"""Goodwill: what is granted to put something right, within what the policy allows."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from uuid import UUID

from chassis.authority import Authority
from chassis.errors import AlreadyExists, FailedPrecondition
from chassis.facts import Told, Why, shown
from loyalty.domain.front_line import FrontLinePolicy
from loyalty.domain.value import Band
from loyalty.names import CUSTOMER, DEPARTMENT, GOODWILL, MEMBERSHIP, PROMISE, TRANSFER, UNIT

_DAY = timedelta(days=1)


class State(StrEnum):
    """What became of a grant."""

    GRANTED = "GRANTED"
    REVERSED = "REVERSED"


@dataclass(slots=True)
class Points:
    """Units of a program, by the unit's name."""

    unit: str
    amount: int


@dataclass(slots=True)
class Goodwill:
    """What one customer was granted for one harm. `policy_version` tells which limits applied.

    A chain is the promises that replaced each other or were made on one work item; `root_id` is the first of
    them. A harm is what a chain does to its customer, once, however many of its promises are moved. A person
    makes up for it once; the policy gives what the whole delay earns, a part with each move, less that.
    """

    id: UUID
    customer_id: UUID
    membership_id: UUID
    program_id: str
    unit_id: str
    amount: int
    reason_code: str
    promise_id: UUID | None
    root_id: UUID | None
    department_id: str | None
    transfer_id: UUID
    authority_policy: str
    policy_version: int
    grantor: str
    create_time: datetime
    update_time: datetime
    state: State = State.GRANTED
    version: int = 1

    name = GOODWILL.named("id")
    customer = CUSTOMER.named("customer_id")
    membership = MEMBERSHIP.named("program_id", "membership_id")
    unit = UNIT.named("program_id", "unit_id")
    promise = PROMISE.named("promise_id")
    root = PROMISE.named("root_id")
    department = DEPARTMENT.named("department_id")
    transfer = TRANSFER.named("transfer_id")

    @property
    def points(self) -> Points:
        """What was given."""
        return Points(self.unit, self.amount)


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise that cases told of: whose, the first of its chain, its case, and who has to keep it."""

    id: UUID
    customer_id: UUID
    root_id: UUID
    case_id: UUID | None
    department_id: str | None

    name = PROMISE.named("id")


@dataclass(frozen=True, slots=True)
class KnownPromise(Promised):
    """A promise, and whether its chain did harm."""

    harmed: bool

    def check(self, names: Sequence[UUID], given: "Given") -> None:
        """Refuse that a person makes up for it to who has these names; its chain was `given` so much before.

        FailedPrecondition `CUSTOMER_MISMATCH`, `PROMISE_NOT_AT_RISK`; AlreadyExists `GOODWILL_EXISTS`.
        """
        resource = {"resource": self.name}
        if self.customer_id not in names:
            told = f"{self.name} was made to another customer: grant to the one it was made to."
            named = {"customer": CUSTOMER.format(names[0])}
            raise FailedPrecondition("CUSTOMER_MISMATCH", told, resource | named)
        if not self.harmed:
            told = (
                f"{self.name} was not at risk, broken, late or put off, as far as is known here; news takes a"
                " moment. A grant that is not for it names no promise."
            )
            raise FailedPrecondition("PROMISE_NOT_AT_RISK", told, resource)
        if given != Given(0, 0):
            told = (
                f"Goodwill was granted for {self.name}, or for a promise it replaced; one harm has one grant."
            )
            raise AlreadyExists("GOODWILL_EXISTS", told, resource)


@dataclass(frozen=True, slots=True)
class GoodwillRule:
    """Who may grant how much: points for each day of delay, the most for one harm, and budgets.

    ValueError unless each budget allows the highest limit.
    """

    name: str
    version: int
    reasons: Set[str]  # the reasons of a delay that earn points; none: every reason does
    points_per_day: int
    limits: Mapping[Band, int]  # the most for one harm, by value band
    budget_period: timedelta  # what counts against the budgets: grants of so long ago at most
    customer_budget: int  # the most for one customer within it, by people and by the policy
    grantor_budget: int  # the most by one person within it
    rolling_day_budget: int = 0  # the most by one person in 24 hours; 0: as much as the others allow

    def __post_init__(self) -> None:
        if min(self.customer_budget, self.grantor_budget) < max(self.limits.values()):
            raise ValueError("each budget must be at least the highest limit for one harm")

    def told_by(self, may: Authority[FrontLinePolicy]) -> "GoodwillRule":
        """What a person may grant by the policy of their department; without one, by this.

        Its budgets hold beside it: a limit above one of them is that budget.
        """
        if may.policy is None:
            return self
        limit = min(may.amount, self.customer_budget, self.grantor_budget)
        return replace(
            self,
            name=str(may.policy.name),
            version=may.policy.version,
            limits=dict.fromkeys(Band, limit),
            rolling_day_budget=may.rolling_day_amount,
        )

    def for_delay(self, due: datetime, new_due: datetime, zone: tzinfo, reason_code: str, band: Band) -> int:
        """The points that a delay earns: for every day begun, up to the band's limit; 0 without a harm.

        Days are counted on the customer's clock: noon to noon is one day, of 23, 24 or 25 hours.
        """
        if self.reasons and reason_code not in self.reasons:
            return 0
        delay = new_due.astimezone(zone).replace(tzinfo=None) - due.astimezone(zone).replace(tzinfo=None)
        days_begun = max(0, -(-delay // _DAY))
        return min(days_begun * self.points_per_day, self.limits[band])

    def allowance(self, band: Band, spent: "Spent") -> "Allowance":
        """What may be granted for one more harm."""
        return Allowance(
            limit=self.limits[band],
            customer_left=max(0, self.customer_budget - spent.on_customer),
            grantor_left=self._left(spent),
            authority_policy=self.name,
            policy_version=self.version,
        )

    def _left(self, spent: "Spent") -> int:
        left = self.grantor_budget - spent.by_grantor
        return max(
            0, min(left, self.rolling_day_budget - spent.in_a_day) if self.rolling_day_budget else left
        )

    def authorize(self, amount: int, band: Band) -> None:
        """FailedPrecondition `OVER_AUTHORITY` above the band's limit, with the limit in the metadata."""
        limit = self.limits[band]
        if amount > limit:
            told = f"{self.name} allows at most {limit} for a customer in the band {band}."
            by = {"resource": self.name, "policy_version": self.version, "limit": limit, "band": band}
            raise FailedPrecondition("OVER_AUTHORITY", told, by | {"amount": amount})

    def within_budget(self, amount: int, spent: "Spent") -> None:
        """FailedPrecondition `OVER_BUDGET` when the customer's or the grantor's budget does not allow it."""
        period = f"{self.budget_period.days} days"
        for whose, budget, used, time in (
            ("customer", self.customer_budget, spent.on_customer, period),
            ("grantor", self.grantor_budget, spent.by_grantor, period),
            ("grantor", self.rolling_day_budget or self.grantor_budget, spent.in_a_day, "24 hours"),
        ):
            if used + amount > budget:
                left = max(0, budget - used)
                told = f"{self.name} allows at most {budget} for one {whose} in {time}; {left} are left."
                by = {"resource": self.name, "whose": whose, "budget": budget, "left": left}
                raise FailedPrecondition("OVER_BUDGET", told, by)


@dataclass(frozen=True, slots=True)
class Given:
    """What was granted for one harm so far, without what was reversed: by people, and by the policy."""

    by_people: int
    by_policy: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was granted within the budget period: to one customer, by one grantor, and by them in 24 hours."""

    on_customer: int
    by_grantor: int
    in_a_day: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one grantor may grant one customer: for one harm, and what is left of both budgets."""

    limit: int
    customer_left: int
    grantor_left: int
    authority_policy: str
    policy_version: int

    @property
    def amount(self) -> int:
        """The most that a grant may be of."""
        return min(self.limit, self.customer_left, self.grantor_left)


def why_granted(goodwill: Goodwill, _: Told) -> Why:
    """Why goodwill was granted."""
    made_up = f", for promises/{goodwill.promise_id}" if goodwill.promise_id else ""
    by = goodwill.grantor if goodwill.grantor.startswith("agents/") else "policy"
    points, unit = goodwill.points.amount, goodwill.points.unit.rpartition("/")[2]
    granted = f"{points} {unit} given {shown(goodwill.create_time)}, by {by}"
    taken_back = f" Reversed on {shown(goodwill.update_time)}." if goodwill.state is State.REVERSED else ""
    summary = f"{granted}{made_up} ({goodwill.reason_code}).{taken_back}"
    return Why(summary, goodwill.authority_policy, str(goodwill.policy_version))
