"""What a purchase earns: rule by rule, line by line, in whole units.

Rules are asked in their order. What a rule gives for a purchase is reckoned exactly and rounded half to even;
each line gets its own part, rounded half to even, and what is missing then, or too much, goes to the last
line that earns, or where that has too few to those before it. Caps take from the last lines first. What is
given back takes its part of what each line got, rounded half to even of all that was given back so far, so
that all parts together take all of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

from loyalty.domain.earner import Earner
from loyalty.domain.earning_rule import Basis, Cap, EarningRule, Holder
from loyalty.names import CUSTOMER, EARNING, PURCHASE, REEVALUATION_JOB, TRANSFER

DIGITS = 60  # of what is reckoned exactly: more than a rate and an amount have together
POINTS_MAX = 1_000_000_000  # of one purchase by one rule: what a leg of a transfer moves
EVERYBODY = UUID(int=0)


class Reason(StrEnum):
    """Why a rule gives nothing; short, for it is kept with every line."""

    CONDITION = "c"
    UNDECIDED = "u"
    DATES = "d"
    CURRENCY = "m"
    EXCLUDED = "x"
    NOTHING = "0"
    CAPPED = "k"
    CLOSED = "z"


class Item(NamedTuple):
    """What earns: a line that was bought, by its number, or with the number 0 a purchase without lines."""

    number: int
    paid: Decimal


@dataclass(frozen=True, slots=True)
class Bought:
    """What rules look at: when in the program's zone, in which currency, and what."""

    day: date
    currency: str
    items: list[Item]


class Holding(NamedTuple):
    """Where a member has what they earned: in which unit of which program."""

    program: str
    unit: str
    member: UUID


@dataclass(slots=True)
class Given:
    """What a version of a rule gave a member: for each item so many, or why not. Kept with the purchase.

    `left`: of each, after what was given back; empty while nothing was. `withheld`: by caps.
    """

    rule: str
    version: int
    program: str
    unit: str
    member: UUID
    cells: list[int | str]
    withheld: int = 0
    left: list[int] = field(default_factory=list)

    @property
    def holding(self) -> Holding:
        """Where the member has it."""
        return Holding(self.program, self.unit, self.member)

    @property
    def points(self) -> list[int]:
        """By item, 0 where nothing was given."""
        return [cell if isinstance(cell, int) else 0 for cell in self.cells]

    @property
    def may_give(self) -> bool:
        """Whether it gives something, or would when a cap leaves nothing to the rule that excludes it."""
        return any(self.points) or Reason.EXCLUDED in self.cells

    @property
    def standing(self) -> list[int]:
        """By item, what is left of that."""
        return self.left or self.points


class CapKey(NamedTuple):
    """Of what a cap counts how much was given: the rule, the member or `EVERYBODY`, and the span of time."""

    rule_id: str
    holder: UUID
    span: str


Used = Counter[CapKey]
Holds = Callable[[EarningRule, int | None], bool | None]
"""Whether a rule's condition holds of a line, by its number, or of the whole; None when nobody can say."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A transfer."""

    transfer_id: UUID


@dataclass(slots=True)
class Earning:
    """What a purchase, or an event of the type `event_type`, earned its `earners`. `id` is that of either."""

    id: UUID
    customer_id: UUID
    event_type: str
    given: list[Given]
    moved: list[Moved]
    create_time: datetime
    update_time: datetime
    version: int = 1
    earners: list[Earner] = field(default_factory=list)
    reevaluation_job_id: UUID | None = None  # that reckoned it by other rules than those of then

    name = EARNING.named("id")
    reevaluation_job = REEVALUATION_JOB.named("reevaluation_job_id")
    customer = CUSTOMER.named("customer_id")

    @property
    def purchase(self) -> str:
        """The purchase that earned it."""
        return "" if self.event_type else PURCHASE.format(self.id)

    @property
    def transfers(self) -> list[str]:
        """What moved."""
        return [TRANSFER.format(each.transfer_id) for each in self.moved]


def cap_keys(rule: EarningRule, day: date, member: UUID) -> list[tuple[CapKey, Cap]]:
    """What the caps of a rule that last longer than one purchase count."""
    holders = {Holder.MEMBER: member, Holder.EVERYBODY: EVERYBODY}
    return [
        (CapKey(rule.id, holders[cap.holder], cap.span(day)), cap)
        for cap in rule.caps
        if cap.holder in holders
    ]


def earned(
    rules: Iterable[EarningRule], bought: Bought, holds: Holds, member: UUID, used: Used | None
) -> list[Given]:
    """What rules, in their order, give.

    `used` is what caps have counted, and is added to; None looks at none that lasts longer than a purchase.
    """
    with localcontext(prec=DIGITS):
        return _earned(rules, bought, holds, member, used)


def nothing(rules: Iterable[EarningRule], member: UUID, count: int, why: Reason) -> list[Given]:
    """That rules give nothing of so many items, all for one reason."""
    return [Given(r.id, r.version, r.program_id, r.unit_id, member, [why] * count) for r in rules]


def _earned(
    rules: Iterable[EarningRule], bought: Bought, holds: Holds, member: UUID, used: Used | None
) -> list[Given]:
    given: list[Given] = []
    served: set[tuple[str, int]] = set()  # of which exclusive group which item has something
    for rule in rules:
        parts, total = _reckoned(rule, bought, holds, _below(rule, bought, given), served)
        whole = _rounded(parts, total)
        points = _capped(whole, _limit(rule, bought.day, member, used))
        if used is not None:
            used.update({key: sum(points) for key, _ in cap_keys(rule, bought.day, member)})
        cells: list[int | str] = [
            part if isinstance(part, Reason) else n or (Reason.CAPPED if was else Reason.NOTHING)
            for part, n, was in zip(parts, points, whole, strict=True)
        ]
        withheld = sum(whole) - sum(points)
        given.append(Given(rule.id, rule.version, rule.program_id, rule.unit_id, member, cells, withheld))
        if rule.exclusive_group:
            served |= {(rule.exclusive_group, i) for i, n in enumerate(points) if n > 0}
    return given


def _below(rule: EarningRule, bought: Bought, given: Iterable[Given]) -> list[int]:
    """What the rules before it gave each item in its unit."""
    below = [0] * len(bought.items)
    for other in given:
        if (other.program, other.unit) == (rule.program_id, rule.unit_id):
            below = [a + b for a, b in zip(below, other.points, strict=True)]
    return below


def _limit(rule: EarningRule, day: date, member: UUID, used: Used | None) -> int:
    """How much a rule may give at most, as far as its caps have counted."""
    limits = [cap.points for cap in rule.caps if cap.holder is Holder.PURCHASE]
    if used is not None:
        limits += [cap.points - used[key] for key, cap in cap_keys(rule, day, member)]
    return max(0, min([POINTS_MAX, *limits]))


Parts = list[Decimal | Reason]


def _reckoned(
    rule: EarningRule, bought: Bought, holds: Holds, below: Sequence[int], served: set[tuple[str, int]]
) -> tuple[Parts, Decimal]:
    """What a rule gives exactly: for each item, or why not, and in all."""
    count = len(bought.items)
    if not rule.is_on(bought.day):
        return [Reason.DATES] * count, Decimal(0)
    if rule.currency_code and rule.currency_code != bought.currency:
        return [Reason.CURRENCY] * count, Decimal(0)
    taken = [(rule.exclusive_group, i) in served for i in range(count)]
    if rule.basis is Basis.LINE:
        parts: Parts = [
            Reason.EXCLUDED
            if taken[i]
            else _unless(rule, holds, item.number) or _exact(rule, item.paid, below[i])
            for i, item in enumerate(bought.items)
        ]
        return parts, sum((part for part in parts if isinstance(part, Decimal)), Decimal(0))
    if any(taken):
        return [Reason.EXCLUDED] * count, Decimal(0)
    if why := _unless(rule, holds, None):
        return [why] * count, Decimal(0)
    paid = sum((item.paid for item in bought.items), Decimal(0))
    total = _exact(rule, paid, sum(below))
    if paid <= 0:
        return [*[Decimal(0)] * (count - 1), total], total
    return [total * item.paid / paid for item in bought.items], total


def _unless(rule: EarningRule, holds: Holds, number: int | None) -> Reason | None:
    held = holds(rule, number)
    return None if held else Reason.UNDECIDED if held is None else Reason.CONDITION


def _exact(rule: EarningRule, paid: Decimal, below: int) -> Decimal:
    if rule.points_per_currency_unit is not None:
        return rule.points_per_currency_unit * paid
    if rule.multiplier is not None:
        return (rule.multiplier - 1) * below
    return Decimal(rule.fixed_points if paid >= 0 else 0)  # nothing for what is brought back


def _rounded(parts: Parts, total: Decimal) -> list[int]:
    """Each part half to even; the last ones such that all are the total, half to even, or nothing."""
    exact = [part if isinstance(part, Decimal) else Decimal(0) for part in parts]
    target = round(total)
    if target <= 0:
        return [0] * len(parts)
    points = [round(part) for part in exact]
    missing = target - sum(points)
    earning = [i for i, part in enumerate(parts) if isinstance(part, Decimal) and part > 0]
    for i in reversed(earning):
        change = max(missing, -points[i])
        points[i] += change
        missing -= change
    return points


def _capped(points: Sequence[int], limit: int) -> list[int]:
    """So many at most, taken from the last."""
    capped, over = list(points), sum(points) - limit
    for i in reversed(range(len(capped))):
        cut = min(max(capped[i], 0), max(over, 0))
        capped[i] -= cut
        over -= cut
    return capped


def standing(points: Sequence[int], rest: Sequence[Fraction]) -> list[int]:
    """What is left of items when so much of each is, from 0 to 1; in all from nothing to what was earned."""
    left = [n - round(n * (1 - part)) for n, part in zip(points, rest, strict=True)]
    return _capped(left, sum(points)) if sum(left) > 0 else [0] * len(left)


def by_holding(given: Iterable[Given]) -> Counter[Holding]:
    """What stands, by where members have it."""
    sums: Counter[Holding] = Counter()
    for each in given:
        sums[each.holding] += sum(each.standing)
    return sums
