"""What was bought, as a row of a file or several rows of one order say it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from google.type.decimal_pb2 import Decimal as Number

from chassis.api.messages import money, timestamp
from rapport.loyalty.v1 import purchase_pb2
from rapport_imports import own
from rapport_imports.fields import Cells
from rapport_imports.nothing import is_no_key, is_nothing
from rapport_imports.people import Person, person
from rapport_imports.tabular import Row

_APART = "\x1f"
_PIECES_MAX = 2**31 - 1


class Sold(NamedTuple):
    """What a row says was bought of one product, in the currency of its purchase."""

    product: str
    quantity: Decimal
    amount: Decimal
    discount: Decimal
    tax: Decimal = Decimal(0)


class Bought(NamedTuple):
    """One purchase in a file, and what was given back of it; a return when the amount is negative."""

    person: Person
    amount: Decimal
    refunded: Decimal
    currency: str
    at: datetime | None
    quantity: int
    reference: str
    store: str = ""
    lines: tuple[Sold, ...] = ()

    def message(self, customer: str) -> purchase_pb2.Purchase:
        """It as the loyalty service takes it."""
        lines = [
            purchase_pb2.Purchase.Line(
                product=line.product,
                quantity=Number(value=f"{line.quantity:f}"),
                amount=money(line.amount, self.currency),
                discount_amount=money(line.discount, self.currency) if line.discount else None,
                tax_amount=money(line.tax, self.currency) if line.tax else None,
            )
            for line in self.lines
        ]
        return purchase_pb2.Purchase(
            customer=customer,
            amount=money(self.amount, self.currency),
            refunded_amount=money(self.refunded, self.currency) if self.refunded else None,
            purchase_time=timestamp(self.at) if self.at else None,
            quantity=self.quantity,
            reference=self.reference,
            store=self.store,
            lines=lines,
        )


def order_of(used: Mapping[str, str], spares: Mapping[str, Sequence[str]]) -> Callable[[Row], str]:
    """What tells to which order a row belongs: number, customer, store and day, for numbers begin again.

    A day is told by what stands before the time of it: rows that are one order by that, and of two days in
    the end, are wrong.
    """
    references = [used["reference"], *spares.get("reference", ())]
    others = [used[name] for name in ("customer", "email", "store") if name in used]

    def of(row: Row) -> str:
        cells = row.cells
        written = (cells.get(column, "").strip() for column in references)
        reference = next((cell for cell in written if not is_nothing(cell)), "")
        if not reference or is_no_key(reference):
            return ""
        day = cells.get(used["date"], "").strip().partition(" ")[0].partition("T")[0]
        return _APART.join([reference, day, *(cells.get(column, "").strip() for column in others)])

    return of


def joined(rows: Sequence[Bought], cells: Cells) -> Bought:
    """The rows of one order, at least one, as one purchase; what they contradict each other in is wrong.

    It is of the earliest time that a row says. It has lines where every row names a product.
    """
    first = rows[0]
    for field, said in (
        ("currency", {row.currency for row in rows}),
        ("date", {row.at.date() for row in rows if row.at}),
    ):
        if len(said) > 1:
            cells.wrong(field, "ORDER_DIFFERS", "must be the same in all rows of an order")
    amount = sum((row.amount for row in rows), Decimal(0))
    refunded = sum((row.refunded for row in rows), Decimal(0))
    lines = tuple(line for row in rows for line in row.lines)
    pieces = sum((max(line.quantity, Decimal(0)) for line in lines), Decimal(0))
    return first._replace(
        amount=amount,
        refunded=max(Decimal(0), min(refunded, amount)),
        at=min((row.at for row in rows if row.at), default=None),
        quantity=min(int(pieces), _PIECES_MAX) if lines else sum(row.quantity for row in rows),
        lines=lines if all(row.lines for row in rows) else (),
    )


def exported_order(row: Row) -> str:
    """Which purchase a row of an export of ours is of."""
    return row.cells.get(own.MARKS["purchases"], "")


def exported(cells: Cells) -> Bought | None:
    """A purchase and its lines, as our exports have them; None for one that is nobody's yet."""
    if not cells.text("customer"):
        cells.tell("NO_CUSTOMER", "is nobody's until somebody claims it, and that is left out: skipped")
        return None
    rows = [cells, *(replace(cells, row=row) for row in cells.row.further)]
    currencies = [each.currency("currency", "amount") for each in rows]
    amounts = [each.amount("amount") for each in rows]
    lines = [
        Sold(
            product=each.text("product"),
            quantity=each.measure("quantity"),
            amount=amount,
            discount=each.amount("discount", required=False),
            tax=each.amount("tax", required=False),
        )
        for each, amount in zip(rows, amounts, strict=True)
        if each.text("product")
    ]
    return Bought(
        person=person(cells),
        amount=sum(amounts, Decimal(0)),
        refunded=cells.amount("refunded", required=False),
        currency=currencies[0],
        at=cells.moment("date", required=True, past=True),
        quantity=cells.count("pieces"),
        reference=cells.text("reference"),
        store=cells.text("store"),
        lines=tuple(lines),
    )
