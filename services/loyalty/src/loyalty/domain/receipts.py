"""Purchases that are nobody's yet: what their receipts are known by, and how often one may guess."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.errors import FailedPrecondition
from loyalty.domain.value import Purchase

CODE_MIN = 16  # characters: what a person types, and nobody guesses
TRIES_MAX = 5
TRY_PERIOD = timedelta(days=1)


@dataclass(slots=True)
class Receipt:
    """What stands on a receipt without a code."""

    reference: str
    store: str
    purchase_date: date
    amount: Decimal
    amount_currency: str
    time_zone: str

    @property
    def day(self) -> tuple[datetime, datetime]:
        """From when to when it was bought."""
        begins = datetime.combine(self.purchase_date, time.min, ZoneInfo(self.time_zone or "UTC"))
        return begins, begins + timedelta(days=1)  # of the clock on the wall, however long that is


@dataclass(slots=True)
class ReceiptTry:
    """Somebody named a receipt for a customer that no purchase has."""

    id: UUID
    customer_id: UUID
    create_time: datetime


class ClaimOutcome(StrEnum):
    """Whose the purchase of a receipt is."""

    CLAIMED = "CLAIMED"
    NOT_FOUND = "NOT_FOUND"
    UNCLEAR = "UNCLEAR"
    TAKEN = "TAKEN"


class Claimed(NamedTuple):
    """The purchase that a customer has by a receipt, or why none, and how many wrong tries they have left."""

    purchase: Purchase | None
    tries_left: int
    customer_id: UUID
    outcome: ClaimOutcome


def receipt_hash(code: str) -> bytes:
    """What a code is kept as, however it is typed."""
    return hashlib.sha256(code.replace("-", "").upper().encode()).digest()


def tries_left(wrong: int, most: int = TRIES_MAX) -> int:
    """How many wrong tries are left. FailedPrecondition `TOO_MANY_TRIES` when none is."""
    if wrong >= most:
        raise FailedPrecondition(
            "TOO_MANY_TRIES",
            f"there are {most} wrong tries within {TRY_PERIOD.days * 24} hours at most",
            {"most": most},
        )
    return most - wrong
