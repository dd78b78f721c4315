"""Reservations: points set aside for a redemption that has begun, until it is done, given up or too late."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition
from loyalty.names import REDEMPTION, RESERVATION, TRANSFER

LIFETIME = timedelta(minutes=15)


class ReservationState(StrEnum):
    """What became of it."""

    RESERVED = "RESERVED"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


@dataclass(slots=True)
class Reservation:
    """So much of a member's account, set aside by a transfer and ended by another, once."""

    id: UUID
    account_id: UUID
    account: str
    amount: int
    state: ReservationState
    reason_code: str
    expire_time: datetime
    transfer_id: UUID
    end_transfer_id: UUID | None
    create_time: datetime
    update_time: datetime
    version: int = 1
    redemption_id: UUID | None = None  # whose it is: only that ends it

    name = RESERVATION.named("id")
    transfer = TRANSFER.named("transfer_id")
    end_transfer = TRANSFER.named("end_transfer_id")

    def require_of(self, redemption_id: UUID | None) -> None:
        """FailedPrecondition `MANAGED_ACCOUNT` for one of a redemption, unless that ends it."""
        if self.redemption_id not in (None, redemption_id):
            told = (
                f"{self.name} is of {REDEMPTION.format(self.redemption_id)}: fulfill, cancel or return that."
            )
            raise FailedPrecondition("MANAGED_ACCOUNT", told, {"resource": self.name})

    def end(self, state: ReservationState, transfer_id: UUID, at: datetime) -> None:
        """Be done with, by a transfer. FailedPrecondition `RESERVATION_ENDED` when it was, or is too late."""
        is_late = at >= self.expire_time and state is ReservationState.COMMITTED
        if self.state is not ReservationState.RESERVED or is_late:
            became = self.state if self.state is not ReservationState.RESERVED else ReservationState.EXPIRED
            told = f"{self.name} is {became}; one that is RESERVED ends once."
            raise FailedPrecondition("RESERVATION_ENDED", told, {"resource": self.name, "state": str(became)})
        self.state, self.end_transfer_id = state, transfer_id
        self.version += 1

    def is_redeemed_by(self, transfer_id: UUID) -> bool:
        """Whether that transfer gave away what was set aside."""
        return self.state is ReservationState.COMMITTED and self.end_transfer_id == transfer_id
