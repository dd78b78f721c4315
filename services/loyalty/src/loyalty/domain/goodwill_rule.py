"""How much goodwill may be granted: limits for one harm, and budgets."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from chassis.authority import Authority
from chassis.errors import FailedPrecondition
from chassis.money import Currency, Money
from loyalty.domain.front_line import FrontLinePolicy
from loyalty.domain.value import Band

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class GoodwillRule:
    """Who may grant how much: points for each day of delay, the most for one harm, and budgets.

    With a `currency_code` all amounts are money, in its smallest unit. ValueError unless each budget allows
    the highest limit.
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
    currency_code: str = ""

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

    def allows(self, amount: int, band: Band, spent: "Spent") -> bool:
        """Whether somebody may grant so much."""
        return amount <= self.allowance(band, spent).amount

    def shown(self, amount: int) -> str:
        """An amount as people read it."""
        return f"{self._number(amount)} {self.currency_code}".strip()

    def _number(self, amount: int) -> str:
        if not self.currency_code:
            return str(amount)
        currency = Currency.of(self.currency_code)
        return f"{currency.amount(amount):.{currency.decimals}f}"

    @property
    def _unit(self) -> dict[str, str]:
        """What amounts in metadata are of that are no points."""
        return {"unit": "money", "currency": self.currency_code} if self.currency_code else {}

    def _left(self, spent: "Spent") -> int:
        left = self.grantor_budget - spent.by_grantor
        return max(
            0, min(left, self.rolling_day_budget - spent.in_a_day) if self.rolling_day_budget else left
        )

    def authorize(self, amount: int, band: Band) -> None:
        """FailedPrecondition `OVER_AUTHORITY` above the band's limit, with the limit in the metadata."""
        limit = self.limits[band]
        if amount > limit:
            told = f"{self.name} allows at most {self.shown(limit)} for a customer in the band {band}."
            by = {"resource": self.name, "policy_version": self.version, "band": band}
            by |= {"limit": self._number(limit), "amount": self._number(amount)} | self._unit
            raise FailedPrecondition("OVER_AUTHORITY", told, by)

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
                most, rest = self.shown(budget), self.shown(left)
                told = f"{self.name} allows at most {most} for one {whose} in {time}; {rest} are left."
                by = {"resource": self.name, "whose": whose}
                by |= {"budget": self._number(budget), "left": self._number(left)} | self._unit
                raise FailedPrecondition("OVER_BUDGET", told, by)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was granted within the budget period: to one customer, by one grantor, and by them in 24 hours.

    Of money and of what is given in kind: what both cost, and in 24 hours what one of them did.
    """

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

    def in_money(self, currency_code: str) -> "MoneyAllowance":
        """As money; the amounts are in the smallest unit of that currency."""

        def money(amount: int) -> Money:
            return Money(Currency.of(currency_code).amount(amount), currency_code)

        return MoneyAllowance(
            money(self.amount),
            money(self.limit),
            money(self.customer_left),
            money(self.grantor_left),
            self.authority_policy,
            self.policy_version,
        )


@dataclass(frozen=True, slots=True)
class MoneyAllowance:
    """What one grantor may grant one customer in money, or in kind by what it costs."""

    amount: Money
    limit: Money
    customer_left: Money
    grantor_left: Money
    authority_policy: str
    policy_version: int
