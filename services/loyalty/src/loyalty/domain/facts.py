"""What this service tells.

Generated from rapport/loyalty/v1/loyalty_events.proto: not to be edited.
"""

from dataclasses import dataclass
from datetime import datetime

from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRecorded:
    """A customer bought something; told again, at the next version, when an import corrects it."""

    purchase: str
    customer: str
    amount: Money
    refunded_amount: Money | None
    quantity: int
    purchase_time: datetime
    reference: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPosted:
    """Units moved to or from a member's account: told for each member who got or gave."""

    account: str
    customer: str
    program: str
    membership: str
    unit: str
    transfer: str
    amount: int
    balance: int
    account_version: int
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferReversed:
    """A transfer was undone: told for each member who got or gave."""

    account: str
    customer: str
    program: str
    membership: str
    unit: str
    transfer: str
    amount: int
    balance: int
    account_version: int
    reason_code: str
    reverses: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodwillGranted:
    """A customer was granted goodwill."""

    goodwill: str
    customer: str
    membership: str
    unit: str
    amount: int
    reason_code: str
    promise: str
    transfer: str
    policy: str
    grantor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerValueChanged:
    """What a customer is worth changed."""

    customer_value: str
    customer: str
    lifetime_values: list[Money]
    purchase_count: int
    band: str
    previous_band: str
    first_purchase_time: datetime | None
    last_purchase_time: datetime | None
    formula_version: str
