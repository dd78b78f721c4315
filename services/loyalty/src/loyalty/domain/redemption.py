"""Redemptions: a reward that a member gives points for, until it is handed out or given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition
from chassis.facts import Told, Why, shown
from loyalty.domain.reward import ReturnPolicy, Reward
from loyalty.names import CUSTOMER, REDEMPTION, RESERVATION, REWARD, TRANSFER

LIFETIME = timedelta(days=7)


class RedemptionState(StrEnum):
    """What became of it."""

    RESERVED = "RESERVED"
    FULFILLED = "FULFILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    RETURNED = "RETURNED"


@dataclass(slots=True)
class Redemption:
    """One of a reward, for one member, at the price and by the rules of a version of it."""

    id: UUID
    reward_id: str
    reward_version: int
    customer_id: UUID
    membership_id: UUID
    account: str
    state: RedemptionState
    points: int
    cash: Decimal | None
    cash_currency: str
    reference: str
    stocked: bool
    reservation_id: UUID
    transfer_id: UUID | None
    return_transfer_id: UUID | None
    reason_code: str
    expire_time: datetime
    fulfill_time: datetime | None
    create_time: datetime
    update_time: datetime
    version: int = 1

    name = REDEMPTION.named("id")
    reward = REWARD.named("reward_id")
    customer = CUSTOMER.named("customer_id")
    reservation = RESERVATION.named("reservation_id")
    transfer = TRANSFER.named("transfer_id")
    return_transfer = TRANSFER.named("return_transfer_id")

    def become(self, state: RedemptionState, at: datetime, reason_code: str = "") -> None:
        """End in one way. FailedPrecondition `REDEMPTION_ENDED` when it is not in the state before that."""
        before = RedemptionState.RESERVED
        if state is RedemptionState.RETURNED:
            before = RedemptionState.FULFILLED
        is_late = state is RedemptionState.FULFILLED and at >= self.expire_time
        if self.state is not before or is_late:
            told = (
                f"{self.name} is {self.state}, until {shown(self.expire_time)}; what is {before} can be that."
            )
            raise FailedPrecondition(
                "REDEMPTION_ENDED", told, {"resource": self.name, "state": str(self.state)}
            )
        self.state, self.reason_code, self.update_time = state, reason_code, at
        if state is RedemptionState.FULFILLED:
            self.fulfill_time = at
        self.version += 1

    def require_returnable(self, by: Reward, at: datetime) -> None:
        """FailedPrecondition `NOT_RETURNABLE` when the reward's policy does not let it be taken back."""
        days = timedelta(days=by.return_days)
        is_late = by.return_days and self.fulfill_time is not None and at >= self.fulfill_time + days
        if by.return_policy != ReturnPolicy.FULFILLED or is_late:
            told = f"{by.name} is not taken back once it was handed out, or no more by now."
            metadata = {"resource": self.name, "return_days": by.return_days}
            raise FailedPrecondition("NOT_RETURNABLE", told, metadata)


def why_redeemed(redemption: Redemption, _: Told) -> Why:
    """What became of a redemption."""
    price = f"{redemption.points} points for {redemption.reward}, set aside {shown(redemption.create_time)}"
    became = ""
    if redemption.state is not RedemptionState.RESERVED:
        reason = f" ({redemption.reason_code})" if redemption.reason_code else ""
        became = f" {redemption.state.capitalize()} {shown(redemption.update_time)}{reason}."
    return Why(f"{price}.{became}", str(redemption.reward), str(redemption.reward_version))
