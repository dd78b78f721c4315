"""Purchases that are nobody's yet: what their receipts are known by, and how often one may guess."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
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


class Claimed(NamedTuple):
    """The purchase that a receipt is of, if there is one, and how many wrong tries a customer has left."""

    purchase: Purchase | None
    tries_left: int
    customer_id: UUID


def receipt_hash(code: str) -> bytes:
    """What a code is kept as, however it is typed."""
    return hashlib.sha256(code.replace("-", "").upper().encode()).digest()


def tries_left(wrong: int) -> int:
    """How many wrong tries are left. FailedPrecondition `TOO_MANY_TRIES` when none is."""
    if wrong >= TRIES_MAX:
        raise FailedPrecondition(
            "TOO_MANY_TRIES",
            f"a customer has {TRIES_MAX} wrong tries within {TRY_PERIOD.days * 24} hours",
            {"most": TRIES_MAX},
        )
    return TRIES_MAX - wrong


def only(found: list[Purchase]) -> Purchase | None:
    """The purchase that a receipt is of. FailedPrecondition `RECEIPT_UNCLEAR` when it may be several."""
    if len(found) > 1:
        raise FailedPrecondition(
            "RECEIPT_UNCLEAR", "several purchases have that receipt: a person has to say which it is"
        )
    return found[0] if found else None
