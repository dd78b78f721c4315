"""Lots: points that were earned together are usable together, and expire together.

What a member holds and no lot does is usable and never expires. Spending takes from the lots that expire
first, and from that last. A day ends at midnight in the program's time zone, whatever the hour of the day
at which something was earned.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from loyalty.domain.shards import shard_of

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


class Activation(StrEnum):
    """When what is earned can be spent."""

    IMMEDIATE = "IMMEDIATE"
    AFTER_DAYS = "AFTER_DAYS"
    ON_ACTION = "ON_ACTION"


class Expiry(StrEnum):
    """When what is earned ends, at the end of a day."""

    NEVER = "NEVER"
    FIXED_DATE = "FIXED_DATE"
    AFTER_EARNING = "AFTER_EARNING"
    AFTER_ACTIVITY = "AFTER_ACTIVITY"


class LotState(StrEnum):
    """What can be done with a lot."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class LotPolicy:
    """When what is earned becomes usable and when it ends. `grace_days`: for what comes back after that."""

    activation: Activation
    expiry: Expiry
    activation_days: int = 0
    expiry_days: int = 0
    expiry_date: date | None = None
    grace_days: int = 0

    def check(self, field: str) -> None:
        """InvalidArgument when what it says does not go together."""
        wrong = []
        if (self.activation is Activation.AFTER_DAYS) != (self.activation_days > 0):
            told = "must be given with AFTER_DAYS, and with nothing else"
            wrong.append(Violation(f"{field}.activation_days", "INVALID_NUMBER", told))
        counts = self.expiry in (Expiry.AFTER_EARNING, Expiry.AFTER_ACTIVITY)
        if counts != (self.expiry_days > 0):
            told = "must be given with AFTER_EARNING or AFTER_ACTIVITY, and with nothing else"
            wrong.append(Violation(f"{field}.expiry_days", "INVALID_NUMBER", told))
        elif counts and self.expiry_days < self.activation_days:
            told = "must not be fewer than activation_days"
            wrong.append(Violation(f"{field}.expiry_days", "INVALID_NUMBER", told))
        if (self.expiry is Expiry.FIXED_DATE) != (self.expiry_date is not None):
            told = "must be given with FIXED_DATE, and with nothing else"
            wrong.append(Violation(f"{field}.expiry_date", "INVALID_TIME", told))
        if wrong:
            raise InvalidArgument(wrong)

    @property
    def is_plain(self) -> bool:
        """Whether what is earned is usable at once and never ends: it is in no lot."""
        return self.activation is Activation.IMMEDIATE and self.expiry is Expiry.NEVER


def end_of(day: date, zone: tzinfo) -> datetime:
    """The midnight that ends a day."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


@dataclass(slots=True)
class Lot:
    """What of a member's account ends together: all that ever came in, and what is left of it.

    `ends` is FOREVER when it never does. `due_time` is when the clock has something to do with it. `expired`
    is what the clock took of it.
    """

    id: UUID
    account_id: UUID
    account: str
    state: LotState
    activate_time: datetime | None
    ends: datetime
    activity_days: int
    grace_days: int
    amount: int
    remaining: int
    due_time: datetime | None
    shard: int
    create_time: datetime
    update_time: datetime
    version: int = 0
    told: bool = False  # that it will end
    expired: int = 0
    is_grace: bool = False  # holds what came back after its end, which has days of grace once
    origin_id: UUID | None = None  # of what a merged membership brought: the lot there, or that membership

    @property
    def name(self) -> str:
        """The name of the resource."""
        return f"{self.account}/lots/{self.id}"

    @property
    def expire_time(self) -> datetime | None:
        """When it ends; None for never."""
        return None if self.ends >= FOREVER else self.ends

    @classmethod
    def earned(
        cls,
        lot_id: UUID,
        account_id: UUID,
        account: str,
        policy: LotPolicy,
        at: datetime,
        zone: tzinfo,
        may_have_ended: bool = False,
    ) -> Self:
        """A new one, empty. FailedPrecondition `EXPIRY_PASSED`, unless it may have ended."""
        today = at.astimezone(zone).date()
        is_pending = policy.activation is not Activation.IMMEDIATE
        ends = FOREVER
        if policy.expiry is Expiry.FIXED_DATE and policy.expiry_date:
            ends = end_of(policy.expiry_date, zone)
        elif policy.expiry is not Expiry.NEVER:
            ends = end_of(today + timedelta(days=policy.expiry_days), zone)
        if ends <= at and not may_have_ended:
            told = f"What is earned by the policy of {account} would have ended on {policy.expiry_date}."
            raise FailedPrecondition("EXPIRY_PASSED", told, {"resource": account})
        activates = None
        if policy.activation is Activation.AFTER_DAYS:
            activates = end_of(today + timedelta(days=policy.activation_days - 1), zone)
        return cls(
            id=lot_id,
            account_id=account_id,
            account=account,
            state=LotState.PENDING if is_pending else LotState.ACTIVE,
            activate_time=activates,
            ends=ends,
            activity_days=policy.expiry_days if policy.expiry is Expiry.AFTER_ACTIVITY else 0,
            grace_days=policy.grace_days,
            amount=0,
            remaining=0,
            due_time=None,
            shard=shard_of(account_id),
            create_time=at,
            update_time=at,
        )

    def again(self, lot_id: UUID, at: datetime, zone: tzinfo) -> "Lot":
        """A new one, empty, for what comes back after this one has ended: it has its days of grace, once.

        Nobody keeps points for ever by setting them aside and giving that up.
        """
        policy = LotPolicy(Activation.IMMEDIATE, Expiry.AFTER_EARNING, expiry_days=self.grace_days)
        new = Lot.earned(lot_id, self.account_id, self.account, policy, at, zone)
        new.grace_days, new.is_grace = self.grace_days, True
        if self.is_grace:
            new.ends = at
        return new

    def is_like(self, other: "Lot") -> bool:
        """Whether what is earned for the one may as well be in the other. On action each is for itself."""
        by_hand = self.state is LotState.PENDING and self.activate_time is None
        return not by_hand and self._kind() == other._kind()

    def _kind(self) -> tuple[Any, ...]:
        return (
            self.state,
            self.activate_time,
            self.ends,
            self.activity_days,
            self.grace_days,
            self.is_grace,
            self.origin_id,
        )

    def brought(
        self, lot_id: UUID, account_id: UUID, account: str, at: datetime, origin_id: UUID | None
    ) -> "Lot":
        """One like this on another account, empty: for what is brought there and keeps its dates."""
        return replace(
            self,
            id=lot_id,
            account_id=account_id,
            account=account,
            amount=0,
            remaining=0,
            expired=0,
            due_time=None,
            shard=shard_of(account_id),
            create_time=at,
            update_time=at,
            version=0,
            told=False,
            origin_id=origin_id,
        )

    def follow(self, other: "Lot") -> None:
        """Be usable and end as another does, which is what became of this one."""
        self.state, self.activate_time, self.ends = other.state, other.activate_time, other.ends

    def has_ended(self, now: datetime) -> bool:
        """Whether nobody can have of it any more."""
        return self.state is LotState.EXPIRED or self.ends <= now

    def put(self, amount: int, at: datetime) -> None:
        """Add what is earned, all of it left."""
        self.amount += amount
        self.move(amount, at)

    def move(self, amount: int, at: datetime) -> None:
        """Take, or give back what was taken. Never more than there was."""
        self.remaining += amount
        if not 0 <= self.remaining <= self.amount:
            raise ValueError(f"{self.name} cannot hold {self.remaining} of {self.amount}")
        self._settle(at)

    def become(self, state: LotState, at: datetime) -> None:
        """Be usable, or ended."""
        self.state = state
        self._settle(at)

    def renew(self, at: datetime, zone: tzinfo) -> bool:
        """End later, for its member has done something. Whether it does."""
        if not self.activity_days or self.has_ended(at):
            return False
        ends = end_of(at.astimezone(zone).date() + timedelta(days=self.activity_days), zone)
        if ends == self.ends:
            return False
        self.ends, self.told = ends, False
        self._settle(at)
        return True

    def _settle(self, at: datetime) -> None:
        due = None
        if self.remaining and self.state is LotState.PENDING:
            due = min(self.activate_time or self.ends, self.ends)
        elif self.remaining and self.state is LotState.ACTIVE:
            due = self.ends
        self.due_time = None if due is None or due >= FOREVER else due
        self.update_time = max(self.update_time, at)
        self.version += 1


class Allocation(NamedTuple):
    """What a transfer put into a lot, or took from it when it is negative."""

    transfer_id: UUID
    lot_id: UUID
    amount: int


def spendable(balance: int, lots: Iterable[Lot], now: datetime) -> int:
    """What of a balance can be spent: not what has ended and is still there for the clock to take."""
    return balance - sum(lot.remaining for lot in lots if lot.state is LotState.ACTIVE and lot.ends <= now)


def taken(lots: Iterable[Lot], amount: int, now: datetime) -> list[tuple[Lot, int]]:
    """From which lots an amount is spent: those that end first. What is missing is in none."""
    usable = [lot for lot in lots if lot.state is LotState.ACTIVE and lot.remaining and lot.ends > now]
    parts = []
    for lot in sorted(usable, key=lambda lot: (lot.ends, lot.id)):
        part = min(lot.remaining, amount)
        amount -= part
        parts.append((lot, part))
        if not amount:
            break
    return parts


def excess(balance: int, lots: Sequence[Lot]) -> int:
    """By how much lots hold more than their account: what a release spent that knew of none."""
    return max(0, sum(lot.remaining for lot in lots if lot.state is LotState.ACTIVE) - balance)
