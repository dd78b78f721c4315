"""The points ledger: double entry, append only.

A transfer has two legs, one entry for each account: what the debit account gives is what the credit account
gets, so points are neither made nor lost. Each entry carries the account's balance and version after it; an
account's newest entry is its balance. Memberships are never below zero. The programme's own accounts may be:
`issued` and `goodwill` stand for points that the programme owes, `redeemed` for those it got back.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID, uuid5

from chassis.errors import FailedPrecondition, NotFound, invalid

POINTS_MAX = 1_000_000_000
_NAMESPACE = UUID("8f1f6c1e-5a0c-5b52-9d3e-2f6a4c1b7e90")


class AccountKind(StrEnum):
    """Whose points an account holds."""

    MEMBERSHIP = "MEMBERSHIP"
    ISSUED = "ISSUED"
    REDEEMED = "REDEEMED"
    GOODWILL = "GOODWILL"


@dataclass(frozen=True, slots=True)
class AccountKey:
    """What names an account. `customer_id` is set for memberships alone."""

    programme: str
    kind: AccountKind
    customer_id: UUID | None = None

    @property
    def name(self) -> str:
        """`programmes/main/memberships/{uuid}` or `programmes/main/accounts/goodwill`."""
        if self.kind is AccountKind.MEMBERSHIP:
            return f"programmes/{self.programme}/memberships/{self.customer_id}"
        return f"programmes/{self.programme}/accounts/{self.kind.lower()}"

    @property
    def id(self) -> UUID:
        """The UUID of the name (RFC 9562, version 5): known without asking the database."""
        return uuid5(_NAMESPACE, self.name)


@dataclass(slots=True)
class Account:
    """A balance of points, and the number of entries that made it."""

    id: UUID
    programme: str
    kind: AccountKind
    customer_id: UUID | None
    points: int
    version: int
    open_time: datetime

    @classmethod
    def opened(cls, key: AccountKey, at: datetime) -> Self:
        """A new, empty account."""
        return cls(key.id, key.programme, key.kind, key.customer_id, points=0, version=0, open_time=at)

    @property
    def name(self) -> str:
        """The account's resource name."""
        return AccountKey(self.programme, self.kind, self.customer_id).name

    def move(self, points: int, transfer_id: UUID) -> "Entry":
        """Change the balance. FailedPrecondition `INSUFFICIENT_POINTS` when a member has too few."""
        balance = self.points + points
        if balance < 0 and self.kind is AccountKind.MEMBERSHIP:
            raise FailedPrecondition(
                "INSUFFICIENT_POINTS",
                f"{self.name} holds {self.points} points; the transfer must be of at most as many.",
                {"account": self.name, "points_balance": self.points, "points": -points},
            )
        self.points = balance
        self.version += 1
        return Entry(self.id, self.version, transfer_id, points, balance)


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg of a transfer: `points` added to an account, and the account's balance and version after it."""

    account_id: UUID
    version: int
    transfer_id: UUID
    points: int
    balance: int


@dataclass(slots=True)
class Transfer:
    """A movement of points from debit to credit account. `reverses` is the transfer that it undoes."""

    id: UUID
    debit_account_id: UUID
    credit_account_id: UUID
    points: int
    reason_code: str
    reverses: UUID | None
    post_time: datetime

    def reversal(self, id: UUID, reason_code: str, at: datetime) -> "Transfer":
        """The transfer that undoes this one."""
        return Transfer(
            id, self.credit_account_id, self.debit_account_id, self.points, reason_code, self.id, at
        )


@dataclass(slots=True)
class AccountTransfer(Transfer):
    """A transfer as one of its accounts sees it: with the version of that account after it."""

    version: int


def post(transfer: Transfer, debit: Account, credit: Account) -> list[Entry]:
    """Move the points and return both legs.

    InvalidArgument `SAME_ACCOUNT` or `DIFFERENT_PROGRAMMES`: points of two programmes are not worth the same.
    FailedPrecondition `INSUFFICIENT_POINTS`.
    """
    if debit.id == credit.id:
        raise invalid(
            "transfer.credit_account", "SAME_ACCOUNT", "must be another account than the debit account"
        )
    if debit.programme != credit.programme:
        raise invalid(
            "transfer.credit_account",
            "DIFFERENT_PROGRAMMES",
            "must be of the same programme as the debit account",
        )
    if not 1 <= transfer.points <= POINTS_MAX:
        raise invalid("transfer.points", "INVALID_NUMBER", f"must be a number from 1 to {POINTS_MAX}")
    return [debit.move(-transfer.points, transfer.id), credit.move(transfer.points, transfer.id)]


class AccountNotFound(NotFound):
    """No such account (`ACCOUNT_NOT_FOUND`)."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.reason = "ACCOUNT_NOT_FOUND"


def already_reversed(transfer: str) -> FailedPrecondition:
    """The refusal to undo a transfer twice."""
    return FailedPrecondition(
        "ALREADY_REVERSED",
        f"{transfer} was reversed before; a transfer is reversed once.",
        {"transfer": transfer},
    )
