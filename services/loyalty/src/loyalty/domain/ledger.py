"""The ledger: double entry, append only.

A transfer has legs, one entry for each account: of each unit, what some give is what the others get, so none
is made or lost. Each entry carries the account's balance and version after it; an account's newest entry is
its balance. Members' accounts are never below zero. The program's own may be: `ISSUED` and `GOODWILL` stand
for what the program owes, `REDEEMED` for what it got back, `EXPIRED` for what nobody came for.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import NamedTuple, Self
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from loyalty.domain.lots import LotPolicy
from loyalty.domain.membership import Membership
from loyalty.domain.tiers import Measure, TierPolicy
from loyalty.names import CUSTOMER, MEMBERSHIP, PROGRAM, PURCHASE, TRANSFER, UNIT

AMOUNT_MAX = 1_000_000_000
LEGS_MAX = 100


class AccountType(StrEnum):
    """Whose an account is, and what for."""

    MEMBERSHIP = "MEMBERSHIP"
    PENDING = "PENDING"
    RESERVED = "RESERVED"
    ISSUED = "ISSUED"
    REDEEMED = "REDEEMED"
    GOODWILL = "GOODWILL"
    EXPIRED = "EXPIRED"
    BREAKAGE = "BREAKAGE"
    PARTNER = "PARTNER"
    ISSUER = "ISSUER"
    DEBT = "DEBT"


# What comes from these is earned; goodwill is given.
EARNED_FROM = {AccountType.ISSUED, AccountType.PARTNER, AccountType.ISSUER}
# Members' accounts on which what is earned counts for tiers, wherever it went and was taken from.
COUNTED = (AccountType.MEMBERSHIP, AccountType.PENDING, AccountType.DEBT)
# A member's are never below zero, but for what they owe: that may be nothing else.
MEMBERS = {AccountType.MEMBERSHIP, AccountType.PENDING, AccountType.RESERVED}
_OPENED = {*MEMBERS, AccountType.DEBT, AccountType.PARTNER, AccountType.ISSUER}
# Of each unit; the others are opened for somebody.
OWN = [each for each in AccountType if each not in _OPENED]
# An account of the program's own is this many, of which a transaction moves one: everybody moves them.
SLOTS = 16
# Moved by what they are for alone: lots and reservations say what is in them.
MANAGED = {AccountType.PENDING, AccountType.RESERVED}


@dataclass(slots=True)
class Account:
    """A balance in one unit, and the number of entries that made it. Its name is kept."""

    id: UUID
    name: str
    type: AccountType
    program_id: str
    unit_id: str
    membership_id: UUID | None
    customer_id: UUID | None
    balance: int
    version: int
    create_time: datetime
    update_time: datetime
    owner_code: str = ""  # of what is opened for somebody: a partner, a department
    closed: bool = False  # with its membership: nothing moves

    customer = CUSTOMER.named("customer_id")
    program = PROGRAM.named("program_id")
    unit = UNIT.named("program_id", "unit_id")
    membership = MEMBERSHIP.named("program_id", "membership_id")

    @classmethod
    def of_program(
        cls, program_id: str, unit_id: str, kind: AccountType, at: datetime, owner_code: str = ""
    ) -> Self:
        """A new one of the program's own, named after its unit, its type, and whom it is opened for."""
        name = own_account(program_id, unit_id, kind, owner_code)
        return cls(uuid4(), name, kind, program_id, unit_id, None, None, 0, 0, at, at, owner_code)

    @classmethod
    def of_member(
        cls, member: Membership, unit_id: str, at: datetime, kind: AccountType = AccountType.MEMBERSHIP
    ) -> Self:
        """A member's: always with the same name, so that it is known without asking the database."""
        purpose = "" if kind is AccountType.MEMBERSHIP else f" {kind.lower()}"
        account_id = uuid5(member.id, unit_id + purpose)
        name = f"programs/{member.program_id}/accounts/{account_id}"
        return cls(
            account_id, name, kind, member.program_id, unit_id, member.id, member.customer_id, 0, 0, at, at
        )

    def beside(self, kind: AccountType, at: datetime) -> "Account":
        """The same member's in the same unit, for another purpose: as it would be opened."""
        if self.membership_id is None or self.customer_id is None:
            raise ValueError(f"{self.name} is no member's")
        member = Membership(self.membership_id, self.program_id, self.customer_id, at, at)
        return Account.of_member(member, self.unit_id, at, kind)

    def require(self, amount: int, usable: int | None = None) -> None:
        """FailedPrecondition `INSUFFICIENT_BALANCE` when a member has too little, or too little usable.

        `MEMBERSHIP_CLOSED` when nothing moves.
        """
        if self.closed:
            told = f"{self.membership} is closed, or part of another: nothing moves on {self.name}."
            raise FailedPrecondition("MEMBERSHIP_CLOSED", told, {"resource": self.membership})
        holds = self.balance if usable is None else usable
        overpaid = self.type is AccountType.DEBT and holds + amount > 0
        if overpaid or (holds + amount < 0 and self.type in MEMBERS):
            most = "no more is paid than is owed" if overpaid else "it can give at most as many"
            raise FailedPrecondition(
                "INSUFFICIENT_BALANCE",
                f"{self.name} holds {holds} {self.unit_id}; {most}.",
                {"resource": self.name, "balance": holds, "amount": -amount},
            )

    def move(self, amount: int, transfer_id: UUID, leg: int, at: datetime) -> "Entry":
        """Change the balance of what `require` lets."""
        self.balance += amount
        self.version += 1
        self.update_time = at
        return Entry(self.id, self.version, transfer_id, leg, amount, self.balance)


@dataclass(slots=True)
class HeldAccount(Account):
    """An account that is locked, with the rules of its unit and the zone of its program."""

    lot_policy: LotPolicy | None = None
    time_zone: str = "UTC"
    tier_policy: TierPolicy | None = None

    @property
    def zone(self) -> tzinfo:
        """Whose midnight ends a day."""
        return ZoneInfo(self.time_zone)

    @property
    def counts_for_tiers(self) -> bool:
        """Whether what is earned here counts for the tiers of the program."""
        policy = self.tier_policy
        return bool(policy and policy.measure is Measure.POINTS and policy.unit_code == self.unit_id)


def own_account(program_id: str, unit_id: str, kind: AccountType, owner_code: str = "") -> str:
    """The name of an account of the program's own."""
    code = "-".join(part for part in (unit_id, kind.lower(), owner_code) if part)
    return f"programs/{program_id}/accounts/{code}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg of a transfer: the amount added to an account, and its balance and version after it."""

    account_id: UUID
    version: int
    transfer_id: UUID
    leg: int
    amount: int
    balance: int


class Leg(NamedTuple):
    """What the account of that name gets, or gives when it is negative.

    `lot_policy` is what becomes of what a member gets, in place of the unit's.
    """

    account: str
    amount: int
    lot_policy: LotPolicy | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants moved. What a rule `earned` may pay a debt, and may have ended by then."""

    legs: list[Leg]
    reason_code: str
    purchase_id: UUID | None = None
    earned: bool = False


@dataclass(slots=True)
class Transfer:
    """A movement between accounts, each with its amount.

    `reverses_id` is the transfer that it undoes; `cause_id` the row of the audit that says who moved it;
    `purchase_id` the purchase that earned it, or of which it is taken back. `managed`: undone with a merge.
    """

    id: UUID
    accounts: list[str]
    amounts: list[int]
    reason_code: str
    reverses_id: UUID | None
    cause_id: UUID
    post_time: datetime
    purchase_id: UUID | None = None
    managed: bool = False

    purchase = PURCHASE.named("purchase_id")

    @property
    def legs(self) -> list[Leg]:
        """Account and amount."""
        return [Leg(*leg) for leg in zip(self.accounts, self.amounts, strict=True)]

    def reversal(self, id: UUID, reason_code: str, cause_id: UUID, at: datetime, again: bool) -> "Transfer":
        """The transfer that undoes this one; `again` when one did. FailedPrecondition.

        `ALREADY_REVERSED`; `IS_REVERSAL` for one that undid another: what that stood for, a grant, would not
        stand again; `MANAGED_ACCOUNT` for what is undone with what it is for, a purchase or a merge.
        """
        name = TRANSFER.format(self.id)
        if self.purchase_id is not None or self.managed:
            why = self.purchase or "what it is for"
            told = f"{name} was moved by {why}: undo that, or post what is to move."
            raise FailedPrecondition("MANAGED_ACCOUNT", told, {"resource": name})
        if self.reverses_id is not None:
            told = f"{name} undid another transfer; post what is to move instead."
            raise FailedPrecondition("IS_REVERSAL", told, {"resource": name})
        if again:
            told = f"{name} was reversed before; a transfer is reversed once."
            raise FailedPrecondition("ALREADY_REVERSED", told, {"resource": name})
        back = [-amount for amount in self.amounts]
        return Transfer(id, self.accounts, back, reason_code, self.id, cause_id, at)


@dataclass(frozen=True, slots=True)
class Line(Entry):
    """An entry with what its transfer says: a line of a statement."""

    post_time: datetime
    reason_code: str
    reverses_id: UUID | None

    transfer = TRANSFER.named("transfer_id")
    reverses = TRANSFER.named("reverses_id")


@dataclass(frozen=True, slots=True)
class JournalLine(Line):
    """A line, and the account that it is of."""

    account: str

    @property
    def entry(self) -> Line:
        """As a statement has it."""
        return self


def check_legs(legs: Sequence[Leg]) -> None:
    """InvalidArgument unless 2 to 100 accounts, each once, get or give from 1 to 1,000,000,000."""
    wrong = []
    if not 2 <= len(legs) <= LEGS_MAX:
        wrong.append(Violation("transfer.legs", "INVALID_NUMBER", f"must be from 2 to {LEGS_MAX}"))
    if legs and max(Counter(leg.account for leg in legs).values()) > 1:
        wrong.append(Violation("transfer.legs", "REPEATED_ACCOUNT", "must be of an account each"))
    for i, leg in enumerate(legs):
        if not 1 <= abs(leg.amount) <= AMOUNT_MAX:
            told = f"must be from 1 to {AMOUNT_MAX}, or from -{AMOUNT_MAX} to -1"
            wrong.append(Violation(f"transfer.legs[{i}].amount", "INVALID_NUMBER", told))
    if wrong:
        raise InvalidArgument(wrong)
    for i, leg in enumerate(legs):
        if leg.lot_policy is not None:
            leg.lot_policy.check(f"transfer.legs[{i}].lot_policy")


def post(transfer: Transfer, accounts: Mapping[str, Account]) -> list[Entry]:
    """Move what the legs say and return an entry for each, or move nothing. `accounts` has theirs, by name.

    The transfer is posted after everything that moved before. InvalidArgument `UNBALANCED`;
    FailedPrecondition `INSUFFICIENT_BALANCE`, `MEMBERSHIP_CLOSED`.
    """
    sums: Counter[str] = Counter()
    units = [accounts[name].unit for name in transfer.accounts]
    for unit, amount in zip(units, transfer.amounts, strict=True):
        sums[unit] += amount
    if wrong := {unit for unit in units if sums[unit]}:
        told = "must add up to zero with the others in {}: what some accounts give, others get"
        first = [(f"transfer.legs[{units.index(unit)}].amount", unit) for unit in wrong]
        raise InvalidArgument([Violation(at, "UNBALANCED", told.format(unit)) for at, unit in sorted(first)])
    for leg in transfer.legs:
        accounts[leg.account].require(leg.amount)
    at = max(transfer.post_time, *(accounts[name].update_time for name in transfer.accounts))
    transfer.post_time = at
    return [accounts[leg.account].move(leg.amount, transfer.id, i, at) for i, leg in enumerate(transfer.legs)]
