"""What somebody may do alone: which limits hold, the same wherever it is asked and wherever the act is."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from chassis.context import Principal
from chassis.names import PLATFORM


class Limit(Protocol):
    """How much of an act, for whom, by whom. Bands and harms are enums whose least member is first.

    `least_band` and `least_harm` are None or empty where it is for all, `permission` is empty where by
    everybody.
    """

    @property
    def permission(self) -> str: ...
    @property
    def least_band(self) -> str | None: ...
    @property
    def least_harm(self) -> str | None: ...
    @property
    def amount(self) -> int: ...
    @property
    def rolling_day_amount(self) -> int: ...


class Policy(Protocol):
    """The limits of one act for a department's people, in one version."""

    name: Any
    version: int
    department_id: str

    @property
    def limits(self) -> Sequence[Any]: ...


P = TypeVar("P", bound=Policy)


@dataclass(frozen=True, slots=True)
class Authority(Generic[P]):
    """What may be done alone, by a policy: `amount` of one act, and how much in any 24 hours, 0 for any.

    Without a policy nothing is said. Without a limit that holds, `permission` is None and `amount` 0.
    """

    policy: P | None = None
    permission: str | None = None
    amount: int = 0
    rolling_day_amount: int = 0

    def left(self, used: int) -> int:
        """How much of one more act may be done, of which so much was within the last 24 hours."""
        return (
            min(self.amount, max(0, self.rolling_day_amount - used))
            if self.rolling_day_amount
            else self.amount
        )


def authority(policies: Iterable[P], principal: Principal, band: StrEnum, harm: StrEnum) -> Authority[P]:
    """What somebody may do for a customer in a band who suffers a harm, by the policies of one act.

    Their department's are followed, the platform's where that has none; of all limits that hold the highest
    counts. Who relays the call has to hold the permission, too: rights intersect.
    """
    policies = list(policies)
    own = [each for each in policies if each.department_id == principal.department]
    followed = own or [each for each in policies if each.department_id == PLATFORM]
    holding = [
        (limit.amount, limit.rolling_day_amount or math.inf, limit, policy)
        for policy in followed
        for limit in policy.limits
        if _holds(limit, principal, band, harm)
    ]
    if not holding:
        return Authority(followed[0] if followed else None)
    *_, limit, policy = max(holding, key=lambda each: each[:2])
    return Authority(policy, limit.permission, limit.amount, limit.rolling_day_amount)


def _holds(limit: Limit, principal: Principal, band: StrEnum, harm: StrEnum) -> bool:
    may = not limit.permission or principal.may(limit.permission)
    return may and _reaches(band, limit.least_band) and _reaches(harm, limit.least_harm)


def _reaches(member: StrEnum, least: str | None) -> bool:
    """What is not known here is reached by nobody."""
    ranks = [str(each) for each in type(member)]
    return not least or least in ranks[: ranks.index(member) + 1]
