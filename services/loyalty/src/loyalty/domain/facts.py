"""What the loyalty service tells the others: same names and fields as in `loyalty_events.proto`."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.domain.value import Band, Money


@dataclass(frozen=True, slots=True)
class PurchaseRecorded:
    """A customer bought something."""

    purchase: str
    customer: str
    amount: Money
    purchase_time: datetime
    reference: str
    topic: str


@dataclass(frozen=True, slots=True)
class TransferPosted:
    """Points moved to or from a customer: `points` is negative when they gave."""

    transfer: str
    customer: str
    points: int
    points_balance: int
    balance_version: int
    reason_code: str


@dataclass(frozen=True, slots=True)
class TransferReversed:
    """A transfer was undone."""

    transfer: str
    customer: str
    reverses: str
    points_balance: int
    balance_version: int


@dataclass(frozen=True, slots=True)
class GoodwillGranted:
    """A customer was granted goodwill."""

    goodwill: str
    customer: str
    points: int
    reason_code: str
    promise: str
    policy: str


@dataclass(frozen=True, slots=True)
class ValueChanged:
    """What a customer is worth changed."""

    customer_value: str
    customer: str
    lifetime_value: Money
    purchase_count: int
    band: Band
    first_purchase_time: datetime | None
    last_purchase_time: datetime | None
