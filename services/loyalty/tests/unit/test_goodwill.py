"""How much goodwill may be granted."""

from datetime import timedelta

import pytest

from chassis.errors import FailedPrecondition
from loyalty.domain.goodwill import AuthorityPolicy
from loyalty.domain.value import Band

LIMITS = {Band.STANDARD: 500, Band.SILVER: 1000, Band.GOLD: 1500, Band.PLATINUM: 2000}
POLICY = AuthorityPolicy("authorityPolicies/delay-goodwill", "7", points_per_day=100, limits=LIMITS)


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
    assert POLICY.for_delay(delay, Band.STANDARD) == points


def test_a_band_has_its_own_limit() -> None:
    assert [POLICY.for_delay(timedelta(days=400), band) for band in Band] == [500, 1000, 1500, 2000]


def test_a_person_may_grant_up_to_the_limit_and_is_told_it() -> None:
    POLICY.authorise(1000, Band.SILVER)
    with pytest.raises(FailedPrecondition) as refused:
        POLICY.authorise(1001, Band.SILVER)
    assert refused.value.reason == "OVER_AUTHORITY"
    assert refused.value.metadata == {
        "policy": "authorityPolicies/delay-goodwill",
        "policy_version": "7",
        "limit": "1000",
        "band": "SILVER",
        "points": "1001",
    }


def test_a_policy_without_a_limit_for_a_band_is_refused() -> None:
    with pytest.raises(ValueError, match="every band"):
        AuthorityPolicy("authorityPolicies/x", "1", 100, {Band.STANDARD: 500})
