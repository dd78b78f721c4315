"""Purchases, and what a customer is worth: the exact sum of what they paid, and the band it puts them in.

What a customer gave back lowers the value and is not counted: of a purchase, or as one of a negative amount.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from chassis.money import Money

_SAID = ("customer_id", "amount", "currency_code", "purchase_time", "quantity", "reference", "refunded")
AMOUNT_MAX = 10**12  # in one purchase; millions of the largest fit into one customer's value


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
    how often that row said something new. `refunded` is what was given back of the amount so far, as the row
    `refunded_by` says.
    """

    id: UUID
    customer_id: UUID
    amount: Decimal
    currency_code: str
    purchase_time: datetime
    quantity: int
    reference: str
    import_key: str | None
    refunded: Decimal = Decimal(0)
    refunded_by: str = ""
    version: int = 1

    @property
    def worth(self) -> Decimal:
        """What it adds to the customer's value."""
        return self.amount - self.refunded

    @property
    def given_back(self) -> bool:
        """Whether all of it was given back."""
        return self.refunded > 0 and self.refunded == self.amount

    @property
    def counts(self) -> bool:
        """Whether it is a purchase in the end."""
        return self.amount >= 0 and not self.given_back

    def corrected_by(self, row: "Purchase") -> "Purchase":
        """What it is once `row` says so: its own row all, another's only what was given back since.

        What was given back grows, unless who said it corrects it.
        """
        grows = row.refunded > self.refunded or row.refunded_by == self.refunded_by
        back, by = (row.refunded, row.refunded_by) if grows else (self.refunded, self.refunded_by)
        own = row.refunded_by == (row.import_key or "")
        said = row if own else replace(self, id=row.id)
        return replace(said, refunded=max(Decimal(0), min(back, said.amount)), refunded_by=by)

    def says(self, other: "Purchase") -> bool:
        """Whether the other one, from the same row, says the same."""
        return all(getattr(self, field) == getattr(other, field) for field in _SAID)


@dataclass(slots=True)
class CustomerValue:
    """Everything a customer paid, over the whole relationship. `version` counts its changes."""

    customer_id: UUID
    lifetime_value: Decimal
    purchase_count: int
    first_purchase_time: datetime | None
    last_purchase_time: datetime | None
    version: int

    @property
    def name(self) -> str:
        """`customerValues/{customer uuid}`."""
        return f"customerValues/{self.customer_id}"


@dataclass(frozen=True, slots=True)
class ValueFormula:
    """How lifetime value becomes a band: the least value of each band, in the installation's currency.

    A customer without purchases is STANDARD. ValueError unless the bands rise.
    """

    version: str
    currency: str
    silver: Decimal
    gold: Decimal
    platinum: Decimal

    def __post_init__(self) -> None:
        if not 0 < self.silver < self.gold < self.platinum:
            raise ValueError("value bands must rise: 0 < silver < gold < platinum")

    def band(self, value: CustomerValue | None) -> Band:
        """The band of a customer."""
        worth = value.lifetime_value if value else Decimal(0)
        if worth >= self.platinum:
            return Band.PLATINUM
        if worth >= self.gold:
            return Band.GOLD
        return Band.SILVER if worth >= self.silver else Band.STANDARD

    def money(self, amount: Decimal) -> Money:
        """An amount in the installation's currency."""
        return Money(amount, self.currency)


def added_value(purchases: Iterable[Purchase], changed: Iterable[UUID] = ()) -> list[CustomerValue]:
    """What the purchases add to the value of each customer, in the order of customer ids.

    A customer in `changed` gets a version with nothing added: their purchases are counted again.

    Every transaction locks values in this order, so that two batches cannot wait for each other.
    """
    added = {c: CustomerValue(c, Decimal(0), 0, None, None, version=1) for c in changed}
    for p in purchases:
        nothing = CustomerValue(p.customer_id, Decimal(0), 0, None, None, version=1)
        value = added.setdefault(p.customer_id, nothing)
        value.lifetime_value += p.worth
        if p.counts:
            value.purchase_count += 1
            value.first_purchase_time = min(value.first_purchase_time or p.purchase_time, p.purchase_time)
            value.last_purchase_time = max(value.last_purchase_time or p.purchase_time, p.purchase_time)
    return sorted(added.values(), key=lambda value: value.customer_id)
