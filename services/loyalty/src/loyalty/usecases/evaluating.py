"""What rules give for purchases: asked, and with nothing posted."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from functools import partial
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.domain.earner import Earner
from loyalty.domain.earning import (
    EVERYBODY,
    Bought,
    Earning,
    Given,
    Holding,
    Holds,
    Item,
    Moved,
    Reason,
    Used,
    by_holding,
    earned,
    nothing,
)
from loyalty.domain.earning_rule import RuleState
from loyalty.domain.membership import Membership, MembershipState
from loyalty.domain.purchase_lines import Line, left_of
from loyalty.domain.value import Band, Purchase
from loyalty.store.earning import RuleInForce
from loyalty.usecases import conditions
from rapport.loyalty.v1.earning_rule_pb2 import EarningCustomer


class Sale(NamedTuple):
    """A purchase that this transaction records or corrects: as it stands, as it stood, and by which event."""

    purchase: Purchase
    before: Purchase | None
    told: UUID | None
    place: int  # of its request


Bands = Mapping[UUID, Band]
Members = Mapping[str, Mapping[UUID, Membership]]  # by program and customer
Earners = Mapping[str, Earner]  # by program
Ask = Callable[[Members, Bands, Used | None], list[Given]]
_NOBODY: Earners = {}


@dataclass(slots=True)
class Reckoning:
    """What a purchase or an event earns its customer: asked of rules, or as it was kept before.

    `place` is that of the request it is posted for, `told` the event that it is told after; `then` when it
    was before it was corrected; `job_id` the job that reckons it by other rules than those of then.
    """

    id: UUID
    customer_id: UUID
    at: datetime
    place: int
    told: UUID | None
    rules: Sequence[RuleInForce] = ()
    ask: Ask | None = None  # None: only what is left of what was given is reckoned
    purchase: Purchase | None = None
    event_type: str = ""
    kept: Earning | None = None
    earners: Earners = field(default_factory=dict)  # of then, where it is reckoned anew
    then: datetime | None = None
    job_id: UUID | None = None
    given: list[Given] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)  # now

    @property
    def purchase_id(self) -> UUID | None:
        """The purchase that transfers are posted for."""
        return self.purchase.id if self.purchase else None

    @property
    def before(self) -> Counter[Holding]:
        """What stood of it before, by where members have it."""
        return by_holding(given for given in self.kept.given if given.may_give) if self.kept else Counter()


def items_of(purchase: Purchase) -> list[Item]:
    """What of a purchase earns: the lines that were bought, or all of it where it has none."""
    if purchase.sold:
        lines = enumerate(purchase.sold, 1)
        return [Item(number, line.paid) for number, line in lines if not line.returned_line]
    return [Item(0, purchase.paid)] if purchase.paid > 0 else []


class Matter(NamedTuple):
    """What rules are asked about, a purchase or an event: when it was, and what they look at."""

    at: datetime
    currency: str
    items: list[Item]
    holds: Callable[[EarningCustomer], Holds]


def matter_of(purchase: Purchase) -> Matter:
    """A purchase, for rules to be asked about it."""
    holds = partial(conditions.of_purchase, purchase)
    return Matter(purchase.purchase_time, purchase.currency_code, items_of(purchase), holds)


def given_for(
    about: Matter,
    customer_id: UUID,
    rules: Sequence[RuleInForce],
    members: Members,
    bands: Bands,
    used: Used | None,
    then: Earners = _NOBODY,
) -> list[Given]:
    """What rules give a customer, each program for itself; `EVERYBODY`, who is no member.

    As who the customer was `then`, and on the membership of then.
    """
    given: list[Given] = []
    of: dict[str, list[RuleInForce]] = defaultdict(list)
    for rule in rules:
        of[rule.program_id].append(rule)
    for program, asked in of.items():
        member = members.get(program, {}).get(customer_id)
        earner = then.get(program) or earner_of(program, customer_id, members, bands)
        known = earner.member if earner.member != EVERYBODY else member.id if member else EVERYBODY
        if member and member.id == known and member.state is not MembershipState.ACTIVE:
            given += nothing(asked, member.id, len(about.items), Reason.CLOSED)
            continue
        bought = Bought(day_of(about.at, asked[0]), about.currency, about.items)
        given += earned(asked, bought, about.holds(conditions.shown(earner)), known, used)
    return given


def earner_of(program: str, customer_id: UUID, members: Members, bands: Bands) -> Earner:
    """Who a customer is in a program now."""
    band, member = bands.get(customer_id, Band.STANDARD), members.get(program, {}).get(customer_id)
    if member is None:
        return Earner(program, EVERYBODY, None, "", band)
    tier = getattr(member, "tier_id", "")  # who has just joined has none
    return Earner(program, member.id, member.create_time, tier, band)


def in_force(versions: Iterable[RuleInForce], at: datetime) -> list[RuleInForce]:
    """Of each rule the latest version that was in force by then, in the order in which they are asked."""
    latest: dict[str, RuleInForce] = {}
    for version in sorted(versions, key=lambda version: version.version):
        if version.effective_time and version.effective_time <= at:
            latest[version.id] = version
    return in_order(version for version in latest.values() if version.state is RuleState.ACTIVE)


def in_order(rules: Iterable[RuleInForce]) -> list[RuleInForce]:
    """Rules in the order in which they are asked."""
    return sorted(rules, key=lambda rule: (rule.position, rule.id))


def rest_of(purchase: Purchase, returned: Iterable[Line] = ()) -> list[Fraction]:
    """How much is left of each item of a purchase, from 0 to 1, by what was paid for it."""
    net = Fraction(purchase.worth) / Fraction(purchase.paid) if purchase.paid else Fraction(1)
    if not purchase.sold:
        return [net for _ in items_of(purchase)]
    left = left_of(purchase.sold, returned)
    return [net * _part(purchase.sold[item.number - 1], left[item.number]) for item in items_of(purchase)]


def _part(whole: Line, left: Line) -> Fraction:
    if whole.paid:
        return min(max(Fraction(left.paid) / Fraction(whole.paid), Fraction(0)), Fraction(1))
    return Fraction(left.quantity) / Fraction(whole.quantity) if whole.quantity else Fraction(1)


def day_of(at: datetime, rule: RuleInForce) -> date:
    """The day of a moment in the zone of a rule's program."""
    return at.astimezone(ZoneInfo(rule.time_zone)).date()
