"""What earning rules give, as metrics."""

from collections import Counter as Sums
from collections.abc import Iterable
from functools import partial

from prometheus_client import Counter

from chassis.db.transaction import Transaction
from loyalty.domain.earning import Given
from loyalty.usecases.evaluating import Reckoning

# By rule: people write some dozens of them, and one that gives nothing has no series.
POINTS = Counter(
    "rapport_earning_points",
    "Points by earning rule, of all its versions, and kind: `given`, or `taken` back with what was given "
    "back or corrected.",
    ["earning_rule", "kind"],
)
CAPPED = Counter(
    "rapport_earning_capped",
    "Purchases and events of which an earning rule gave less than it says, for its caps were reached.",
    ["earning_rule"],
)


def count_given(tx: Transaction, reckonings: Iterable[Reckoning]) -> None:
    """Count what each earns more or less than before, once the transaction commits."""
    for each in reckonings:
        before = each.kept.given if each.kept else []
        for rule, more in _by_rule(each.given, before).items():
            if more:
                counted = POINTS.labels(rule, "given" if more > 0 else "taken")
                tx.after_commit(partial(counted.inc, abs(more)))
        for rule in _capped(each.given) - _capped(before):
            tx.after_commit(CAPPED.labels(rule).inc)


def _by_rule(now: Iterable[Given], before: Iterable[Given]) -> Sums[str]:
    sums: Sums[str] = Sums()
    for sign, given in ((1, now), (-1, before)):
        for each in given:
            sums[each.rule] += sign * sum(each.standing)
    return sums


def _capped(given: Iterable[Given]) -> set[str]:
    return {each.rule for each in given if each.withheld > 0}
