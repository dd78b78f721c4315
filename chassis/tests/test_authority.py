"""What somebody may do alone, by the policies of their department and of the platform."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from chassis.authority import authority
from chassis.context import Principal


class Band(StrEnum):
    LOW = "LOW"
    HIGH = "HIGH"


class Harm(StrEnum):
    NONE = "NONE"
    LOSS = "LOSS"


@dataclass(frozen=True)
class Limit:
    amount: int
    permission: str = ""
    least_band: Band | None = None
    least_harm: Harm | None = None
    rolling_day_amount: int = 0


@dataclass
class Policy:
    name: str
    department_id: str
    limits: list[Limit]
    version: int = 1


LADDER = Policy(
    "own",
    "billing",
    [
        Limit(1),
        Limit(2, least_band=Band.HIGH),
        Limit(3, least_harm=Harm.LOSS),
        Limit(4, permission="loyalty.programs.write"),
        Limit(5, permission="loyalty.programs.write", least_band=Band.HIGH, least_harm=Harm.LOSS),
    ],
)
PLATFORM = Policy("platform", "platform", [Limit(100)])


def clerk(*permissions: str, department: str = "billing", via: Principal | None = None) -> Principal:
    return Principal("agent:ada", department, frozenset(permissions), via=via)


@pytest.mark.parametrize(
    ("who", "band", "harm", "amount"),
    [
        (clerk(), Band.LOW, Harm.NONE, 1),
        (clerk(), Band.HIGH, Harm.NONE, 2),
        (clerk(), Band.LOW, Harm.LOSS, 3),
        (clerk("loyalty.programs.write"), Band.LOW, Harm.NONE, 4),
        (clerk("loyalty.programs.write"), Band.HIGH, Harm.LOSS, 5),
        (clerk("loyalty.programs.write", via=clerk()), Band.HIGH, Harm.LOSS, 3),
        (clerk(department="delivery"), Band.LOW, Harm.NONE, 100),
    ],
)
def test_the_highest_limit_that_holds_counts(who: Principal, band: Band, harm: Harm, amount: int) -> None:
    assert authority([PLATFORM, LADDER], who, band, harm).amount == amount


def test_without_a_policy_nothing_is_said_and_without_a_limit_that_holds_nothing_is_allowed() -> None:
    assert authority([], clerk(), Band.LOW, Harm.NONE).policy is None
    strict = Policy("strict", "billing", [Limit(5, least_harm=Harm.LOSS)])
    none = authority([strict, PLATFORM], clerk(), Band.HIGH, Harm.NONE)
    assert (none.policy, none.permission, none.amount) == (strict, None, 0)


def test_of_two_limits_of_one_amount_the_one_with_more_for_the_day_counts() -> None:
    limits: Any = [
        Limit(5, rolling_day_amount=6),
        Limit(5, rolling_day_amount=9),
        Limit(5, rolling_day_amount=7),
    ]
    assert authority([Policy("p", "billing", limits)], clerk(), Band.LOW, Harm.NONE).rolling_day_amount == 9
    unlimited: Any = [*limits, Limit(5)]
    assert (
        authority([Policy("p", "billing", unlimited)], clerk(), Band.LOW, Harm.NONE).rolling_day_amount == 0
    )
