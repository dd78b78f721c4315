"""What a department's people may do for a customer alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from cases.domain.facts import AuthorityPolicyUpdated
from cases.domain.priority import Band, Harm
from cases.names import AUTHORITY_POLICY, DEPARTMENT
from chassis.authority import Authority
from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from chassis.facts import changed, fact_of


class AuthorityAct(StrEnum):
    """What is done for a customer within somebody's authority."""

    GOODWILL = "GOODWILL"
    EXTENSION = "EXTENSION"


UNITS = {AuthorityAct.GOODWILL: "points", AuthorityAct.EXTENSION: "days"}


@dataclass(frozen=True, slots=True)
class Limit:
    """How much, for whom, by whom: see `chassis.authority`. What is not of its policy's act is 0."""

    permission: str
    least_band: Band | None
    least_harm: Harm | None
    points: int = 0
    rolling_day_points: int = 0
    days: int = 0
    rolling_day_days: int = 0

    @property
    def amount(self) -> int:
        """The most of one act."""
        return self.points or self.days

    @property
    def rolling_day_amount(self) -> int:
        """The most within any 24 hours, 0 for any."""
        return self.rolling_day_points or self.rolling_day_days

    def violations(self, act: AuthorityAct, path: str) -> list[Violation]:
        """What is wrong of it in a policy of that act."""
        unit = UNITS[act]
        found = [
            Violation(
                f"{path}.{field}",
                "INVALID_NUMBER",
                f"must be left out: {unit} are what the act is counted in",
            )
            for other in UNITS.values()
            for field in (other, f"rolling_day_{other}")
            if other != unit and getattr(self, field)
        ]
        if not getattr(self, unit):
            found.append(Violation(f"{path}.{unit}", "REQUIRED", "must be at least 1"))
        if 0 < self.rolling_day_amount < self.amount:
            told = f"must be 0 or at least {unit}"
            found.append(Violation(f"{path}.rolling_day_{unit}", "INVALID_NUMBER", told))
        return found


class AuthorityPolicyChanges(TypedDict, total=False):
    """What of a policy can change."""

    display_name: str
    limits: list[Limit]
    disabled: bool


@dataclass(slots=True)
class AuthorityPolicy:
    """The limits of one act. Every change is a new version, a row of its own."""

    id: str
    version: int
    display_name: str
    department_id: str
    act: AuthorityAct
    disabled: bool
    create_time: datetime
    update_time: datetime
    limits: list[Limit]

    name = AUTHORITY_POLICY.named("id")
    department = DEPARTMENT.named("department_id")

    def require_limits(self) -> None:
        """Refuse limits that are not of its act: InvalidArgument with all that is wrong."""
        path = "authority_policy.limits[{}]".format
        limits = enumerate(self.limits)
        if wrong := [each for i, limit in limits for each in limit.violations(self.act, path(i))]:
            raise InvalidArgument(wrong)

    def update(self, changes: AuthorityPolicyChanges) -> AuthorityPolicyUpdated | None:
        """Take over `changes`, as the next version. Nothing when it is so already. As `require_limits`."""
        fields = changed(self, changes)
        self.require_limits()
        return fact_of(AuthorityPolicyUpdated, self, updated_fields=fields) if fields else None


@dataclass(frozen=True, slots=True)
class AuthorityUse:
    """What somebody did alone of an act, for their budget of 24 hours."""

    id: UUID  # of what was done: the grant, or the promise that was put off
    act: AuthorityAct
    agent: str
    amount: int
    use_time: datetime


def require_within(may: Authority[AuthorityPolicy], amount: int, used: int) -> None:
    """Refuse more of an act than somebody may do alone, who did so much of it within 24 hours.

    FailedPrecondition `OVER_AUTHORITY`, `OVER_BUDGET`; nothing without a policy.
    """
    if may.policy is None:
        return
    unit = UNITS[may.policy.act]
    by = {"resource": may.policy.name, "policy_version": may.policy.version, "unit": unit}
    if amount > may.amount:
        told = f"{may.policy.name} allows at most {may.amount} {unit} at once, and this is {amount}."
        raise FailedPrecondition("OVER_AUTHORITY", told, by | {"limit": may.amount, "amount": amount})
    if amount > (left := may.left(used)):
        told = f"{may.policy.name} allows {may.rolling_day_amount} {unit} in 24 hours; {left} are left."
        budget = {"budget": may.rolling_day_amount, "left": left}
        raise FailedPrecondition("OVER_BUDGET", told, by | budget)
