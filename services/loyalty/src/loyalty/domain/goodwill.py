"""Goodwill: points granted to put something right, within what the policy allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis.errors import AlreadyExists, FailedPrecondition
from loyalty.domain.value import Band

_DAY = timedelta(days=1)


@dataclass(slots=True)
class Goodwill:
    """Points granted to one customer for one harm. `policy_version` tells which limits applied."""

    id: UUID
    customer_id: UUID
    points: int
    reason_code: str
    promise_id: UUID | None
    transfer_id: UUID
    policy: str
    policy_version: str
    grantor: str
    grant_time: datetime


@dataclass(frozen=True, slots=True)
class AuthorityPolicy:
    """Who may grant how much: points for each day of delay, and the most for one harm by value band.

    ValueError unless every band has a limit of 1 or more.
    """

    name: str
    version: str
    points_per_day: int
    limits: Mapping[Band, int]

    def __post_init__(self) -> None:
        if self.points_per_day < 1 or any(self.limits.get(band, 0) < 1 for band in Band):
            raise ValueError("goodwill: points per day and the limit of every band must be 1 or more")

    def for_delay(self, delay: timedelta, band: Band) -> int:
        """The points that a delay earns: for every day begun, up to the band's limit; 0 without a delay."""
        days_begun = max(0, -(-delay // _DAY))
        return min(days_begun * self.points_per_day, self.limits[band])

    def authorise(self, points: int, band: Band) -> None:
        """FailedPrecondition `OVER_AUTHORITY` above the band's limit, with the limit in the metadata."""
        limit = self.limits[band]
        if points > limit:
            raise FailedPrecondition(
                "OVER_AUTHORITY",
                f"{self.name} allows at most {limit} points for a customer in the band {band}.",
                {
                    "policy": self.name,
                    "policy_version": self.version,
                    "limit": limit,
                    "band": band,
                    "points": points,
                },
            )


def goodwill_exists(promise: str) -> AlreadyExists:
    """The refusal to grant goodwill twice for one promise."""
    return AlreadyExists(
        "GOODWILL_EXISTS",
        f"Goodwill was granted for {promise} before; a promise has one grant.",
        {"promise": promise},
    )
