"""An attempt to hand a notice to a provider."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from notifications.names import ATTEMPT


class Outcome(StrEnum):
    """How an attempt ended."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    TEMPORARY_FAILURE = "TEMPORARY_FAILURE"
    PERMANENT_FAILURE = "PERMANENT_FAILURE"
    UNKNOWN = "UNKNOWN"


class Delivery(StrEnum):
    """What a provider reports of a message that it accepted; what says most is last."""

    UNSPECIFIED = "UNSPECIFIED"
    DELAYED = "DELAYED"
    DELIVERED = "DELIVERED"
    TECHNICAL_FAILURE = "TECHNICAL_FAILURE"
    TEMPORARY_FAILURE = "TEMPORARY_FAILURE"
    PERMANENT_FAILURE = "PERMANENT_FAILURE"

    @property
    def failed(self) -> bool:
        """Whether the customer was told nothing, and will not be."""
        return _WEIGHT[self] > _WEIGHT[Delivery.DELIVERED]


_WEIGHT = {delivery: weight for weight, delivery in enumerate(Delivery)}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider reports of a message. A complaint says that it was delivered."""

    delivery: Delivery
    code: str
    time: datetime
    complaint: bool = False


@dataclass(slots=True)
class Attempt:
    """One attempt. `outcome` is PENDING while it is under way."""

    notice: UUID
    number: int
    provider: str
    provider_key: str
    start_time: datetime
    outcome: Outcome = Outcome.PENDING
    provider_code: str = ""
    end_time: datetime | None = None
    # What its provider reported later, by what says most; UNSPECIFIED, "" and None before.
    delivery: Delivery = Delivery.UNSPECIFIED
    delivery_code: str = ""
    delivery_time: datetime | None = None
    complaint_time: datetime | None = None
    # Whose address it went to, `customers/{uuid}/identifiers/{uuid}`; "" where nobody said, or kept it.
    identifier: str = ""
    channel: str = ""  # "" in rows of before it was kept

    name = ATTEMPT.named("notice", "number")

    @property
    def accept_time(self) -> datetime | None:
        """When its provider accepted it: whatever it reports, it did. None when nobody knows that."""
        if self.outcome is Outcome.ACCEPTED:
            return self.end_time
        return self.delivery_time if self.might_be_accepted else None

    @property
    def might_be_accepted(self) -> bool:
        """Whether its provider accepted it, or may have: what it reports is about that."""
        return self.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN)

    def take(self, told: Receipt) -> bool:
        """Keep what says most, in whichever order it is told; whether that is news.

        Of two that say as much the earlier counts.
        """
        before = (self.delivery, self.delivery_code, self.delivery_time, self.complaint_time)
        if told.complaint:
            self.complaint_time = min(filter(None, (self.complaint_time, told.time)))
        rank = (_WEIGHT[told.delivery], -told.time.timestamp(), told.code)
        if self.delivery_time is None or rank > (
            _WEIGHT[self.delivery],
            -self.delivery_time.timestamp(),
            self.delivery_code,
        ):
            self.delivery, self.delivery_code, self.delivery_time = told.delivery, told.code, told.time
        return before != (self.delivery, self.delivery_code, self.delivery_time, self.complaint_time)
