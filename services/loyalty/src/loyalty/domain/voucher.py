"""Vouchers: what a code is worth, to whom and when, and what is left of it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.errors import FailedPrecondition, invalid
from chassis.facts import Told, Why, shown
from chassis.money import Money
from loyalty.names import (
    CUSTOMER,
    DEPARTMENT,
    GOODWILL,
    MEMBERSHIP,
    PROGRAM,
    PURCHASE,
    REDEMPTION,
    VOUCHER,
    VOUCHER_USE,
)

GOODWILL_DAYS = 365  # how long a voucher lasts that is goodwill
CALLER_TRIES_MAX = 100  # of a till that names no customer: many people's slips of the pen


class VoucherState(StrEnum):
    """What can be done with it."""

    ACTIVE = "ACTIVE"
    USED = "USED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class Outcome(StrEnum):
    """What a code is worth, or why nothing."""

    OK = "OK"
    UNKNOWN = "UNKNOWN"
    WRONG_HOLDER = "WRONG_HOLDER"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    USED = "USED"
    CANCELLED = "CANCELLED"
    TOO_LITTLE = "TOO_LITTLE"
    OTHER_CURRENCY = "OTHER_CURRENCY"


@dataclass(slots=True)
class VoucherTry:
    """Somebody named a code that there is not, or that is another's: a customer, or else a caller."""

    id: UUID
    trier: str
    create_time: datetime


class Days(NamedTuple):
    """The days on which something can be used, and when they begin and end."""

    start_date: date
    end_date: date | None
    start_time: datetime
    expire_time: datetime | None

    @classmethod
    def of(cls, now: datetime, zone: str, first: date | None, last: date | None) -> "Days":
        """The days from `first`, or now, to `last`. InvalidArgument for such as are over."""
        clock = ZoneInfo(zone)
        today = now.astimezone(clock).date()
        if last and last < max(first or today, today):
            raise invalid("voucher.end_date", "INVALID_TIME", "must not be before today, nor start_date")
        begins = datetime.combine(first, time.min, clock) if first else now
        ends = datetime.combine(last + timedelta(days=1), time.min, clock) if last else None
        return cls(first or today, last, begins, ends)


@dataclass(slots=True)
class VoucherUse:
    """A use, or of one that `reverses` another the undoing of it, with what that took negative."""

    id: UUID
    voucher_id: UUID
    customer_id: UUID | None
    money: Decimal | None
    money_currency: str
    reference: str
    purchase_id: UUID | None
    reverses_id: UUID | None
    reason_code: str
    department_id: str | None
    create_time: datetime

    name = VOUCHER_USE.named("voucher_id", "id")
    customer = CUSTOMER.named("customer_id")
    purchase = PURCHASE.named("purchase_id")
    department = DEPARTMENT.named("department_id")
    reverses = VOUCHER_USE.named("voucher_id", "reverses_id")

    @property
    def used_money(self) -> Money | None:
        """What it took."""
        return None if self.money is None else Money(self.money, self.money_currency)

    @property
    def told(self) -> dict[str, object]:
        """What a fact about the voucher says of it."""
        return {
            "use": self.name,
            "used_money": self.used_money,
            "reference": self.reference,
            "department": self.department,
        }


@dataclass(slots=True)
class Voucher:
    """A right to have something, known by the hash of its code.

    It is worth `money`, `percent_off` or an `item`, `max_uses` times; `in_parts` all uses together are worth
    `money`. `customer_id` alone uses it, or whoever belongs to `membership_id`; None: whoever bears it.
    """

    id: UUID
    program_id: str
    customer_id: UUID | None
    membership_id: UUID | None
    code_hash: bytes
    money: Decimal | None
    money_currency: str
    percent_off: int
    item: str
    max_uses: int
    in_parts: bool
    used_count: int
    used_amount: Decimal
    start_date: date
    end_date: date | None
    start_time: datetime
    expire_time: datetime | None
    state: VoucherState
    reason_code: str
    redemption_id: UUID | None
    goodwill_id: UUID | None
    campaign: str
    department_id: str | None
    create_time: datetime
    update_time: datetime
    version: int = 1

    name = VOUCHER.named("id")
    program = PROGRAM.named("program_id")
    customer = CUSTOMER.named("customer_id")
    membership = MEMBERSHIP.named("program_id", "membership_id")
    redemption = REDEMPTION.named("redemption_id")
    goodwill = GOODWILL.named("goodwill_id")
    department = DEPARTMENT.named("department_id")

    @property
    def remaining_money(self) -> Money | None:
        """What is left of all uses."""
        if self.money is None:
            return None
        left = self.money - self.used_amount if self.in_parts else self.money * self._uses_left
        return Money(left, self.money_currency)

    @property
    def told(self) -> dict[str, object]:
        """What a fact about it says otherwise than the resource."""
        return {"money": None if self.money is None else Money(self.money, self.money_currency)}

    @property
    def _uses_left(self) -> int:
        return self.max_uses - self.used_count

    def worth(self, at: datetime) -> Outcome:
        """Whether it can be used, or why not. What the clock has not come to yet has ended all the same."""
        if self.state is not VoucherState.ACTIVE:
            return Outcome(self.state)
        if at < self.start_time:
            return Outcome.NOT_YET_VALID
        return Outcome.EXPIRED if self.has_ended(at) else Outcome.OK

    def has_ended(self, at: datetime) -> bool:
        """Whether its last day is over."""
        return self.expire_time is not None and at >= self.expire_time

    def take(self, wanted: Decimal | None, currency: str, at: datetime) -> tuple[Outcome, Decimal | None]:
        """Use it once, and what that took; of a gift card what is `wanted`, or all that is left."""
        outcome = self.worth(at)
        if outcome is not Outcome.OK:
            return outcome, None
        taken = self.money
        if self.in_parts and self.money is not None:
            left = self.money - self.used_amount
            if wanted is not None and currency != self.money_currency:
                return Outcome.OTHER_CURRENCY, None
            if wanted is not None and wanted > left:
                return Outcome.TOO_LITTLE, None
            taken = left if wanted is None else wanted
            self.used_amount += taken
        self.used_count += 1
        is_used = self.used_amount == self.money if self.in_parts else not self._uses_left
        self._become(VoucherState.USED if is_used else VoucherState.ACTIVE, self.reason_code)
        return Outcome.OK, taken

    def give_back(self, use: VoucherUse) -> None:
        """Undo a use: it is worth that again, unless it was cancelled or has ended."""
        self.used_count -= 1
        if self.in_parts:
            self.used_amount -= use.money or 0
        state = VoucherState.ACTIVE if self.state is VoucherState.USED else self.state
        self._become(state, self.reason_code)

    def cancel(self, reason_code: str, at: datetime) -> None:
        """Be worth nothing any more. FailedPrecondition `VOUCHER_ENDED` unless it can be used, or will be."""
        self._require_active(at)
        self._become(VoucherState.CANCELLED, reason_code)

    def expire(self, at: datetime) -> bool:
        """Be worth nothing from its end on. False when it is not there yet, or ended in another way."""
        if self.state is not VoucherState.ACTIVE or not self.has_ended(at):
            return False
        self._become(VoucherState.EXPIRED, "")
        return True

    def rename(self, code_hash: bytes, at: datetime) -> None:
        """Be known by another code. FailedPrecondition `VOUCHER_ENDED`."""
        self._require_active(at)
        self.code_hash = code_hash
        self._become(self.state, self.reason_code)

    def _require_active(self, at: datetime) -> None:
        """FailedPrecondition `VOUCHER_ENDED` unless it is ACTIVE."""
        is_late = self.state is VoucherState.ACTIVE and self.has_ended(at)
        state = VoucherState.EXPIRED if is_late else self.state
        if state is not VoucherState.ACTIVE:
            told = f"{self.name} is {state}; that can be done with one that is ACTIVE."
            raise FailedPrecondition("VOUCHER_ENDED", told, {"resource": self.name, "state": str(state)})

    def require_unused(self) -> None:
        """FailedPrecondition `VOUCHER_USED` when what it was given for cannot be taken back."""
        if self.used_count:
            told = f"{self.name} was used: reverse its uses first."
            raise FailedPrecondition("VOUCHER_USED", told, {"resource": self.name})

    def _become(self, state: VoucherState, reason_code: str) -> None:
        self.state, self.reason_code = state, reason_code
        self.version += 1


def why_issued(voucher: Voucher, _: Told) -> Why:
    """Why there is a voucher, and what became of it."""
    source = voucher.redemption or voucher.goodwill or f"the campaign {voucher.campaign}"
    worth = voucher.item or f"{voucher.percent_off} % off"
    if voucher.money is not None:
        worth = f"{voucher.money} {voucher.money_currency}"
    used = f" Used {voucher.used_count} times." if voucher.used_count else ""
    became = ""
    if voucher.state in (VoucherState.CANCELLED, VoucherState.EXPIRED):
        reason = f" ({voucher.reason_code})" if voucher.reason_code else ""
        became = f" {voucher.state.capitalize()} {shown(voucher.update_time)}{reason}."
    return Why(f"Worth {worth}, issued {shown(voucher.create_time)} for {source}.{used}{became}")
