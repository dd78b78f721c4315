"""Purchases as they are sent."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from chassis import ids
from loyalty.domain.purchase_lines import Line
from loyalty.domain.receipts import receipt_hash
from loyalty.domain.value import Purchase


@dataclass(slots=True)
class BoughtLine:
    """A line as it is sent, in the currency of its purchase."""

    product: str
    quantity: Decimal
    amount: Decimal
    amount_currency: str
    discount_amount: Decimal | None
    discount_amount_currency: str
    tax_amount: Decimal | None
    tax_amount_currency: str
    returned_line: int

    def line(self) -> Line:
        discount, tax = self.discount_amount or Decimal(0), self.tax_amount or Decimal(0)
        return Line(self.product, self.quantity, self.amount, discount, tax, self.returned_line)


@dataclass(slots=True)
class Bought:
    """A purchase as it is sent."""

    customer_id: UUID | None
    amount: Decimal
    amount_currency: str
    refunded_amount: Decimal | None
    refunded_amount_currency: str
    purchase_time: datetime
    quantity: int
    reference: str
    lines: list[BoughtLine]
    returned_purchase_id: UUID | None
    store: str

    def purchase(self, at: datetime, receipt_code: str, import_key: str | None = None) -> Purchase:
        """It as it is to be recorded."""
        return Purchase(
            id=ids.uuid7(at),
            customer_id=self.customer_id,
            paid=self.amount,
            currency_code=self.amount_currency,
            purchase_time=self.purchase_time,
            quantity=self.quantity,
            reference=self.reference,
            import_key=import_key,
            create_time=at,
            update_time=at,
            refunded=self.refunded_amount or Decimal(0),
            refunded_by=import_key or "",
            sold=[line.line() for line in self.lines],
            returned_purchase_id=self.returned_purchase_id,
            store=self.store or None,
            receipt_hash=receipt_hash(receipt_code) if receipt_code else None,
        )


@dataclass(slots=True)
class Asked:
    """An item of a batch, where it comes from, and whether somebody says that it is no other source's.

    `further_lines` are those of the same source that say lines of it.
    """

    purchase: Bought
    import_key: str
    confirmed: bool
    further_lines: list[int]
    receipt_code: str

    def further_keys(self, department: str) -> list[str]:
        """The import keys of the other rows that say lines of it."""
        source = self.import_key.rpartition(":")[0]
        return [f"{department}/{source}:{line}" for line in self.further_lines]
