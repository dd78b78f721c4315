"""Rewards: what members get for points, and who may have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from chassis.errors import FailedPrecondition
from chassis.facts import changed, fact_of
from loyalty.domain.facts import RewardUpdated
from loyalty.names import PROGRAM, REWARD, UNIT


class ReturnPolicy(StrEnum):
    """What may be given back of what was redeemed."""

    ONLY_PENDING = "ONLY_PENDING"
    FULFILLED = "FULFILLED"


@dataclass(frozen=True, slots=True)
class RewardVoucher:
    """What a voucher for points is worth, and for how many days; 0: without end."""

    money: Decimal | None
    money_currency: str
    percent_off: int
    item: str
    max_uses: int
    in_parts: bool
    valid_days: int


@dataclass(slots=True)
class RewardTerms:
    """What is got for how many points, by whom, and when."""

    display_name: str
    unit_id: str
    points: int
    cash: Decimal | None
    cash_currency: str
    stocked: bool
    condition: str
    member_limit: int
    limit_days: int
    start_time: datetime | None
    end_time: datetime | None
    return_policy: ReturnPolicy | None
    return_days: int
    reference: str
    disabled: bool
    voucher: RewardVoucher | None


@dataclass(slots=True)
class Reward(RewardTerms):
    """What members get for points. Every change is a new version, a row of its own; its stock has none."""

    id: str
    version: int
    program_id: str
    create_time: datetime
    update_time: datetime

    name = REWARD.named("id")
    program = PROGRAM.named("program_id")
    unit = UNIT.named("program_id", "unit_id")

    def update(self, changes: Mapping[str, Any]) -> RewardUpdated | None:
        """Take over `changes`, as the next version. Nothing when it is so already."""
        fields = [each for each in changed(self, changes) if each != "cash_currency"]
        return fact_of(RewardUpdated, self, updated_fields=fields) if fields else None

    def require_open(self, at: datetime) -> None:
        """FailedPrecondition `NOT_REDEEMABLE` unless it may be redeemed then."""
        early = self.start_time is not None and at < self.start_time
        late = self.end_time is not None and at >= self.end_time
        if self.disabled or early or late:
            told = f"{self.name} is switched off, or redeemed from its start_time until its end_time."
            raise FailedPrecondition("NOT_REDEEMABLE", told, {"resource": self.name})

    def require_below_limit(self, redeemed: int) -> None:
        """FailedPrecondition `OVER_LIMIT` for a member who had it so often within the days of the limit."""
        if self.member_limit and redeemed >= self.member_limit:
            days = f" in {self.limit_days} days" if self.limit_days else ""
            told = f"{self.name} is redeemed at most {self.member_limit} times{days} by one member."
            by = {"resource": self.name, "limit": self.member_limit, "limit_days": self.limit_days}
            raise FailedPrecondition("OVER_LIMIT", told, by)

    def require_affordable(self, balance: int) -> None:
        """FailedPrecondition `INSUFFICIENT_BALANCE` for who can spend less, as the ledger says it."""
        if balance < self.points:
            told = f"{self.name} costs {self.points}, and {balance} can be spent."
            raise FailedPrecondition("INSUFFICIENT_BALANCE", told, {"resource": self.name})

    def counted_since(self, now: datetime) -> datetime:
        """Since when redemptions count towards the limit of a member."""
        return now - timedelta(days=self.limit_days) if self.limit_days else self.create_time

    def out_of_stock(self) -> FailedPrecondition:
        """`OUT_OF_STOCK`."""
        return FailedPrecondition(
            "OUT_OF_STOCK",
            f"Too few of {self.name} are left: RestockReward adds some.",
            {"resource": self.name},
        )


@dataclass(slots=True)
class ShownReward(Reward):
    """A reward, and how many are left of what is stocked."""

    stock_count: int | None = None
