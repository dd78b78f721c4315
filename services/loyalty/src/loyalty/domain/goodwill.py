"""Goodwill: what is given to put something right, and what is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self
from uuid import UUID

from chassis.errors import AlreadyExists, FailedPrecondition
from chassis.money import Currency, Money
from loyalty.domain.rates import Conversion, ExchangeRate
from loyalty.names import CUSTOMER, DEPARTMENT, EXCHANGE_RATE, GOODWILL, MEMBERSHIP, PROMISE, TRANSFER, UNIT

PROGRAM, POINTS_UNIT = "main", "points"  # what is given in points
MONEY_PROGRAM = "goodwill"  # has a unit for each currency that something was given in


class State(StrEnum):
    """What became of a grant, or of the request for one."""

    GRANTED = "GRANTED"
    REVERSED = "REVERSED"
    REQUESTED = "REQUESTED"
    DECLINED = "DECLINED"
    EXPIRED = "EXPIRED"


class GiftKind(StrEnum):
    """What is given."""

    POINTS = "POINTS"
    MONEY = "MONEY"
    ITEM = "ITEM"
    REPAIR = "REPAIR"
    WAIVED_FEE = "WAIVED_FEE"
    VOUCHER = "VOUCHER"

    @property
    def act(self) -> str:
        """What authority policies call giving it."""
        return {"POINTS": "GOODWILL", "MONEY": "REFUND"}.get(self, "REPLACEMENT")


IN_KIND = (GiftKind.ITEM, GiftKind.REPAIR, GiftKind.WAIVED_FEE, GiftKind.VOUCHER)
COSTLY = (GiftKind.MONEY, *IN_KIND)  # what has a budget in money


@dataclass(slots=True)
class Points:
    """Units of a program, by the unit's name."""

    unit: str
    amount: int


@dataclass(frozen=True, slots=True)
class InKind:
    """Something given in kind, and what that costs."""

    kind: GiftKind
    reference: str
    cost: Decimal
    cost_currency: str


@dataclass(frozen=True, slots=True)
class Gift:
    """What is given: so many points; money, in the smallest unit of its currency; or what costs that."""

    kind: GiftKind
    amount: int
    currency_code: str = ""
    reference: str = ""

    @classmethod
    def of_money(cls, kind: GiftKind, amount: Decimal, currency: str, reference: str = "") -> Self:
        return cls(kind, Currency.of(currency).smallest(amount), currency, reference)

    @property
    def is_points(self) -> bool:
        return self.kind is GiftKind.POINTS

    @property
    def program_id(self) -> str:
        return PROGRAM if self.is_points else MONEY_PROGRAM

    @property
    def unit_id(self) -> str:
        return POINTS_UNIT if self.is_points else self.currency_code.lower()


@dataclass(slots=True)
class Goodwill:
    """What one customer was granted for one harm. `policy_version` tells which limits applied.

    A chain is the promises that replaced each other or were made on one work item; `root_id` is the first of
    them. A harm is what a chain does to its customer, once, however many of its promises are moved. A person
    makes up for it once; the policy gives what the whole delay earns, a part with each move, less that.
    What is only asked for has neither transfer nor grantor yet. `amount` is counted as a `Gift`'s, and
    `converted_amount` as well: what it counts as, in the currency of the budgets, where that is another.
    """

    id: UUID
    customer_id: UUID
    membership_id: UUID | None
    program_id: str
    unit_id: str
    amount: int
    reason_code: str
    promise_id: UUID | None
    root_id: UUID | None
    department_id: str | None
    transfer_id: UUID | None
    authority_policy: str
    policy_version: int
    grantor: str
    create_time: datetime
    update_time: datetime
    state: State = State.GRANTED
    version: int = 1
    kind: GiftKind = GiftKind.POINTS
    currency_code: str = ""
    gift_reference: str = ""
    explanation: str = ""
    causing_id: str | None = None
    requester: str = ""
    decider: str = ""
    decision_reason_code: str = ""
    expire_time: datetime | None = None
    converted_amount: int | None = None
    converted_currency: str = ""
    exchange_rate_id: str = ""
    rate: Decimal | None = None
    rate_date: date | None = None

    name = GOODWILL.named("id")
    customer = CUSTOMER.named("customer_id")
    membership = MEMBERSHIP.named("program_id", "membership_id")
    unit = UNIT.named("program_id", "unit_id")
    promise = PROMISE.named("promise_id")
    root = PROMISE.named("root_id")
    department = DEPARTMENT.named("department_id")
    causing_department = DEPARTMENT.named("causing_id")
    transfer = TRANSFER.named("transfer_id")
    exchange_rate = EXCHANGE_RATE.named("exchange_rate_id")

    @property
    def counted(self) -> int:
        """What counts against limits and budgets."""
        return self.amount if self.converted_amount is None else self.converted_amount

    @property
    def converted_money(self) -> Money | None:
        """That, of money in another currency than theirs."""
        if self.converted_amount is None:
            return None
        currency = Currency.of(self.converted_currency)
        return Money(currency.amount(self.converted_amount), currency.code)

    @property
    def conversion(self) -> Conversion | None:
        """That, and by which rate."""
        if self.cost is None or self.converted_money is None:
            return None
        return Conversion(self.cost, self.converted_money, self.exchange_rate, self.rate, self.rate_date)

    def convert(self, to: str, by: ExchangeRate | None) -> None:
        """Count as so much of a currency. FailedPrecondition `NO_EXCHANGE_RATE` without a rate.

        What is too little to be any of it counts as the smallest amount: many of it are not for nothing.
        """
        if by is None:
            told = f"There is no exchange rate from {self.currency_code} to {to}, that of budgets."
            named = {"currency": self.currency_code, "budget_currency": to}
            raise FailedPrecondition("NO_EXCHANGE_RATE", told, named)
        currency = Currency.of(to)
        amount = by.converted(Currency.of(self.currency_code).amount(self.amount), to)
        self.converted_amount, self.converted_currency = max(1, currency.smallest(amount)), to
        self.exchange_rate_id, self.rate, self.rate_date = by.id, by.rate, by.rate_date

    @property
    def gift(self) -> Gift:
        return Gift(self.kind, self.amount, self.currency_code, self.gift_reference)

    @property
    def points(self) -> Points | None:
        """What was given in points."""
        return Points(self.unit, self.amount) if self.gift.is_points else None

    @property
    def cost(self) -> Money | None:
        """The money that was given, or what the gift in kind costs."""
        if self.gift.is_points:
            return None
        return Money(Currency.of(self.currency_code).amount(self.amount), self.currency_code)

    @property
    def money(self) -> Money | None:
        """What was given in money."""
        return self.cost if self.kind is GiftKind.MONEY else None

    @property
    def in_kind(self) -> InKind | None:
        """What was given in kind."""
        if self.kind not in IN_KIND or self.cost is None:
            return None
        return InKind(self.kind, self.gift_reference, self.cost.amount, self.currency_code)

    @property
    def told(self) -> dict[str, object]:
        """What a fact about it says otherwise than the resource."""
        return {"points": self.amount if self.gift.is_points else 0, "money": self.cost}

    def require_open(self, at: datetime) -> None:
        """FailedPrecondition `GOODWILL_DECIDED` unless it waits for a yes or no."""
        is_late = self.expire_time is not None and at >= self.expire_time
        if self.state is not State.REQUESTED or is_late:
            state = State.EXPIRED if self.state is State.REQUESTED else self.state
            told = f"{self.name} is {state}; what is REQUESTED is approved or declined, once."
            raise FailedPrecondition("GOODWILL_DECIDED", told, {"resource": self.name, "state": str(state)})

    def decide(self, state: State, decider: str, at: datetime, reason_code: str = "") -> None:
        """Be granted, declined, or too late."""
        self.state, self.decider, self.decision_reason_code = state, decider, reason_code
        self.update_time = at
        self.version += 1

    def require_other(self, decider: str) -> None:
        """FailedPrecondition `OWN_REQUEST` for who asked for it."""
        if decider == self.requester:
            told = f"{self.name} was asked for by {self.requester}; somebody else has to say yes."
            raise FailedPrecondition("OWN_REQUEST", told, {"resource": self.name})


@dataclass(frozen=True, slots=True)
class Given:
    """What was given for one harm so far, without what was reversed: points by people and by the policy.

    `in_other_kinds` says how often something else was; `requested` how many requests wait.
    """

    by_people: int
    by_policy: int
    in_other_kinds: int = 0
    requested: int = 0

    @property
    def is_something(self) -> bool:
        return bool(self.by_people or self.by_policy or self.in_other_kinds)


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise that cases told of: whose, the first of its chain, its case, and who has to keep it."""

    id: UUID
    customer_id: UUID
    root_id: UUID
    case_id: UUID | None
    department_id: str | None

    name = PROMISE.named("id")


@dataclass(frozen=True, slots=True)
class KnownPromise(Promised):
    """A promise, and whether its chain did harm."""

    harmed: bool

    def check(self, names: Sequence[UUID], given: Given, *, is_request: bool = False) -> None:
        """Refuse that a person makes up for it to who has these names; its chain was `given` so much before.

        FailedPrecondition `CUSTOMER_MISMATCH`, `PROMISE_NOT_AT_RISK`; AlreadyExists `GOODWILL_EXISTS`.
        """
        resource = {"resource": self.name}
        if self.customer_id not in names:
            told = f"{self.name} was made to another customer: grant to the one it was made to."
            named = {"customer": CUSTOMER.format(names[0])}
            raise FailedPrecondition("CUSTOMER_MISMATCH", told, resource | named)
        if not self.harmed:
            told = (
                f"{self.name} was not at risk, broken, late or put off, as far as is known here; news takes a"
                " moment. A grant that is not for it names no promise."
            )
            raise FailedPrecondition("PROMISE_NOT_AT_RISK", told, resource)
        if given.is_something or (is_request and given.requested):
            was = "granted" if given.is_something else "asked for"
            told = (
                f"Goodwill was {was} for {self.name}, or for a promise it replaced; one harm has one grant."
            )
            raise AlreadyExists("GOODWILL_EXISTS", told, resource)
