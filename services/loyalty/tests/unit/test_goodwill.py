"""How much goodwill may be granted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from chassis.errors import FailedPrecondition, Refusal
from loyalty.domain.goodwill import Given, KnownPromise
from loyalty.domain.goodwill_rule import GoodwillRule, Spent
from loyalty.domain.value import Band

LIMITS = {Band.STANDARD: 500, Band.SILVER: 1000, Band.GOLD: 1500, Band.PLATINUM: 2000}
POLICY = GoodwillRule(
    "goodwillRules/delay",
    7,
    reasons={"carrier-delay"},
    points_per_day=100,
    limits=LIMITS,
    budget_period=timedelta(days=30),
    customer_budget=3000,
    grantor_budget=5000,
)
DUE = datetime(2026, 3, 2, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("delay", "points"),
    [
        (timedelta(0), 0),
        (-timedelta(days=3), 0),
        (timedelta(microseconds=1), 100),
        (timedelta(days=1), 100),
        (timedelta(days=1, seconds=1), 200),
        (timedelta(days=400), 500),
    ],
)
def test_every_day_begun_earns_points_up_to_the_limit(delay: timedelta, points: int) -> None:
    assert POLICY.for_delay(DUE, DUE + delay, UTC, "carrier-delay", Band.STANDARD) == points


@pytest.mark.parametrize(("month", "day"), [(3, 28), (10, 24)])
def test_noon_to_noon_is_one_day_also_when_the_clocks_change(month: int, day: int) -> None:
    due = datetime(2026, month, day, 12, tzinfo=BERLIN)
    next_noon = datetime(2026, month, day + 1, 12, tzinfo=BERLIN)
    assert POLICY.for_delay(due, next_noon, BERLIN, "carrier-delay", Band.STANDARD) == 100


def test_a_delay_for_another_reason_earns_nothing_and_without_reasons_every_delay_earns() -> None:
    later = DUE + timedelta(days=3)
    assert POLICY.for_delay(DUE, later, UTC, "strike", Band.STANDARD) == 0
    every = replace(POLICY, reasons=frozenset())
    assert every.for_delay(DUE, later, UTC, "strike", Band.STANDARD) == 300


def test_a_band_has_its_own_limit() -> None:
    later = DUE + timedelta(days=400)
    earned = [POLICY.for_delay(DUE, later, UTC, "carrier-delay", band) for band in Band]
    assert earned == [500, 1000, 1500, 2000]


def test_a_person_may_grant_up_to_the_limit_and_is_told_it() -> None:
    POLICY.authorize(1000, Band.SILVER)
    with pytest.raises(FailedPrecondition) as refused:
        POLICY.authorize(1001, Band.SILVER)
    assert refused.value.reason == "OVER_AUTHORITY"
    assert refused.value.metadata == {
        "resource": "goodwillRules/delay",
        "policy_version": "7",
        "limit": "1000",
        "band": "SILVER",
        "amount": "1001",
    }


@pytest.mark.parametrize(
    ("spent", "whose", "left"),
    [
        (Spent(2900, 0), "customer", "100"),
        (Spent(0, 4900), "grantor", "100"),
        (Spent(0, 6000), "grantor", "0"),
    ],
)
def test_a_budget_is_used_up_to_its_end_and_what_is_left_is_told(spent: Spent, whose: str, left: str) -> None:
    POLICY.within_budget(int(left), replace(spent, by_grantor=min(spent.by_grantor, 5000)))
    with pytest.raises(FailedPrecondition) as refused:
        POLICY.within_budget(101, spent)
    assert refused.value.reason == "OVER_BUDGET"
    budget = {"customer": "3000", "grantor": "5000"}[whose]
    assert refused.value.metadata == {"resource": POLICY.name, "whose": whose, "budget": budget, "left": left}


def test_the_least_policy_gives_one_point_for_a_day() -> None:
    least = replace(POLICY, points_per_day=1, limits=dict.fromkeys(Band, 1))
    assert least.for_delay(DUE, DUE + timedelta(days=3), UTC, "carrier-delay", Band.STANDARD) == 1


@pytest.mark.parametrize(
    ("harmed", "customer", "given", "reason"),
    [
        (True, 3, Given(0, 0), "CUSTOMER_MISMATCH"),
        (False, 2, Given(0, 0), "PROMISE_NOT_AT_RISK"),
        (True, 2, Given(1, 0), "GOODWILL_EXISTS"),
        (True, 2, Given(0, 1), "GOODWILL_EXISTS"),
    ],
)
def test_what_may_not_be_made_up_for_is_named(harmed: bool, customer: int, given: Given, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        KnownPromise(UUID(int=1), UUID(int=2), UUID(int=1), None, None, harmed).check(
            [UUID(int=customer)], given
        )
    assert refused.value.reason == reason
    assert refused.value.metadata["resource"] == f"promises/{UUID(int=1)}"


@pytest.mark.parametrize("budget", ["customer_budget", "grantor_budget"])
def test_a_budget_below_the_limit_for_one_harm_is_refused(budget: str) -> None:
    replace(POLICY, **{budget: 2000})
    with pytest.raises(ValueError, match="at least the highest limit"):
        replace(POLICY, **{budget: 1999})
