"""Purchases, and what a customer is worth: the exact sum of what they paid, and the band it puts them in.

What a customer gave back lowers the value and is not counted: of a purchase, or as one of a negative amount.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from chassis.facts import Told, Why, shown
from chassis.money import Money
from loyalty.domain.purchase_lines import Line, Shown
from loyalty.domain.rates import Conversion, Rates
from loyalty.names import CUSTOMER, CUSTOMER_VALUE, PURCHASE

_SAID = (
    "customer_id",
    "paid",
    "currency_code",
    "purchase_time",
    "quantity",
    "reference",
    "refunded",
    "sold",
    "store",
    "returned_purchase_id",
    "receipt_hash",
)


class Band(StrEnum):
    """How much a customer is worth, least first."""

    STANDARD = "STANDARD"
    SILVER = "SILVER"
    GOLD = "GOLD"
    PLATINUM = "PLATINUM"


@dataclass(slots=True)
class Purchase:
    """Something a customer bought.

    Two purchases with the same content are two purchases. `import_key`, where the row of an import came from,
    `{department}/{source}:{line}`, is the only thing that makes one the repeat of another; `version` counts
    how often that row said something new. `refunded` is what was given back of what was paid so far, as the
    row `refunded_by` says. `sold` are its lines, as far as they are known. Without a customer it is nobody's
    until somebody claims it, by the code that `receipt_hash` is of.
    """

    id: UUID
    customer_id: UUID | None
    paid: Decimal
    currency_code: str
    purchase_time: datetime
    quantity: int
    reference: str
    import_key: str | None
    create_time: datetime
    update_time: datetime
    refunded: Decimal = Decimal(0)
    refunded_by: str = ""
    version: int = 1
    sold: list[Line] = field(default_factory=list)
    returned_purchase_id: UUID | None = None
    store: str | None = None
    receipt_hash: bytes | None = None

    name = PURCHASE.named("id")
    customer = CUSTOMER.named("customer_id")

    @property
    def amount(self) -> Money:
        """What was paid."""
        return Money(self.paid, self.currency_code)

    @property
    def lines(self) -> list[Shown]:
        """What it consists of."""
        return [Shown.of(line, self.currency_code) for line in self.sold]

    @property
    def refunded_amount(self) -> Money | None:
        """What was given back; None when nothing was."""
        return Money(self.refunded, self.currency_code) if self.refunded else None

    @property
    def net_amount(self) -> Money:
        """What was paid, less what was given back."""
        return Money(self.worth, self.currency_code)

    @property
    def worth(self) -> Decimal:
        """What it adds to the customer's value."""
        return self.paid - self.refunded

    @property
    def counts(self) -> bool:
        """Whether it is a purchase in the end: not when it, or all of it, was given back."""
        return self.paid >= 0 and not 0 < self.refunded == self.paid

    @property
    def source(self) -> str:
        """The department and source whose row it was; empty for what no import brought."""
        return (self.import_key or "").rpartition(":")[0]

    def corrected_by(self, row: "Purchase") -> "Purchase":
        """What it is once `row` says so: its own row all, another's only what was given back since.

        What was given back grows, unless who said it corrects it. A code that was said stays.
        """
        grows = row.refunded > self.refunded or row.refunded_by == self.refunded_by
        back, by = (row.refunded, row.refunded_by) if grows else (self.refunded, self.refunded_by)
        own = row.refunded_by == (row.import_key or "")
        said = replace(row, receipt_hash=row.receipt_hash or self.receipt_hash) if own else self
        return replace(said, id=row.id, refunded=max(Decimal(0), min(back, said.paid)), refunded_by=by)

    def says(self, other: "Purchase") -> bool:
        """Whether the other one, from the same row, says the same."""
        return all(getattr(self, field) == getattr(other, field) for field in _SAID)


@dataclass(slots=True)
class CustomerValue:
    """Everything a customer paid, over the whole relationship. `version` counts its changes.

    `totals` has an exact amount, as text, for each currency. `band` is what others were told last, by the
    formula of that version; what was told before that was kept is not known, and has none.
    """

    id: UUID
    customer_id: UUID
    totals: dict[str, str]
    purchase_count: int
    first_purchase_time: datetime | None
    last_purchase_time: datetime | None
    create_time: datetime
    update_time: datetime
    version: int = 1
    band: Band = Band.STANDARD
    formula_version: str = ""

    name = CUSTOMER_VALUE.named("id")
    customer = CUSTOMER.named("customer_id")

    @property
    def lifetime_values(self) -> list[Money]:
        """By currency."""
        return [Money(Decimal(total), code) for code, total in sorted(self.totals.items())]

    def total(self, currency: str) -> Decimal:
        """What they paid in a currency."""
        return Decimal(self.totals.get(currency, "0"))

    def add(self, purchase: Purchase) -> None:
        """Count one more purchase."""
        code, at = purchase.currency_code, purchase.purchase_time
        self.totals[code] = str(self.total(code) + purchase.worth)
        if purchase.counts:
            self.purchase_count += 1
            self.first_purchase_time = min(self.first_purchase_time or at, at)
            self.last_purchase_time = max(self.last_purchase_time or at, at)


@dataclass(frozen=True, slots=True)
class ValueFormula:
    """How lifetime value becomes a band: the least value of each band, in the installation's currency.

    What was paid in other currencies counts by the newest rate of each, and for nothing without one. A
    customer without purchases is STANDARD. ValueError unless the bands rise.
    """

    version: str
    currency: str
    silver: Decimal
    gold: Decimal
    platinum: Decimal

    def __post_init__(self) -> None:
        if not 0 < self.silver < self.gold < self.platinum:
            raise ValueError("bands must rise: 0 < silver < gold < platinum")

    def conversions(self, value: CustomerValue, rates: Rates) -> list[Conversion]:
        """What the customer paid in other currencies, in the installation's."""
        others = (paid for paid in value.lifetime_values if paid.currency_code != self.currency)
        return [Conversion.of(paid, self.currency, rates.get(paid.currency_code)) for paid in others]

    def worth(self, value: CustomerValue, rates: Rates) -> Decimal:
        """What all that they paid is worth in the installation's currency, as far as there are rates."""
        converted = (each.converted_amount for each in self.conversions(value, rates))
        return sum((each.amount for each in converted if each), value.total(self.currency))

    def band(self, *values: CustomerValue, rates: Rates) -> Band:
        """The band of a customer, who is worth what all of their names are."""
        worth = sum(self.worth(value, rates) for value in values)
        if worth >= self.platinum:
            return Band.PLATINUM
        if worth >= self.gold:
            return Band.GOLD
        return Band.SILVER if worth >= self.silver else Band.STANDARD

    def put(self, value: CustomerValue, *others: CustomerValue, rates: Rates) -> Band:
        """Put a customer in their band, and return the one that others were told of.

        `others` are what they are worth by their other names.
        """
        before, known = value.band, value.formula_version
        value.band, value.formula_version = self.band(value, *others, rates=rates), self.version
        return before if known else value.band


def added_value(
    purchases: Iterable[Purchase],
    at: datetime,
    new_id: Callable[[], UUID],
    formula_version: str,
    changed: Iterable[UUID] = (),
) -> list[CustomerValue]:
    """What the purchases add to the value of each customer, in the order of customer ids.

    A customer in `changed` gets a version with nothing added: their purchases are counted again. An id of
    `new_id` is taken by who had no value before, and was STANDARD by any formula.

    Every transaction locks values in this order, so that two batches cannot wait for each other.
    """
    purchases = list(purchases)
    customers = {*changed, *(p.customer_id for p in purchases if p.customer_id)}
    added = {
        c: CustomerValue(new_id(), c, {}, 0, None, None, at, at, formula_version=formula_version)
        for c in sorted(customers)
    }
    for purchase in purchases:
        if purchase.customer_id:
            added[purchase.customer_id].add(purchase)
    return list(added.values())


def why_worth(formula: ValueFormula, conversions: Iterable[Conversion], told: Told) -> Why:
    """Why a customer is in a band: by what all that they paid is worth in the installation's currency."""
    bands = {"silver": formula.silver, "gold": formula.gold, "platinum": formula.platinum}
    least = ", ".join(f"{band} from {amount}" for band, amount in bands.items())
    converted = "".join(f" {each.told}." for each in conversions)
    since = f" It changed last on {shown(told.time)}." if told.time else ""
    summary = f"What was paid, in {formula.currency}, decides the band: {least}.{converted}{since}"
    return Why(summary, "rules/value-bands", formula.version)
