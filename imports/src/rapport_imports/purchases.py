"""Purchases, of customers who are known, or made known, by an id in another system or e-mail."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

from rapport.common.v1.import_outcome_pb2 import IMPORT_OUTCOME_CORRECTED
from rapport.loyalty.v1 import purchase_service_pb2
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport_imports.baskets import Bought, Sold, exported, exported_order, joined, order_of
from rapport_imports.decoding import UnreadableFile
from rapport_imports.engine import OrderOf
from rapport_imports.fields import Cells
from rapport_imports.names import plain
from rapport_imports.people import ByCustomer, Channels, Customers, person
from rapport_imports.reading import Reading
from rapport_imports.result import Result
from rapport_imports.statuses import GIVEN_BACK, NO_SALE, PARTLY, RETURN, SALE, known_by
from rapport_imports.tabular import Problem, Row
from rapport_imports.wording import counted

_STATUSES_TOLD = 20
_FURTHER = "further lines of orders already read: skipped"
# Who sent money: when it goes out, as what is given back does, that is the shop itself.
_SENDERS = frozenset({"fromemailaddress", "absenderemailadresse", "vonemailadresse"})


class PurchaseImporter(ByCustomer[Bought]):
    """Rows become purchases in the loyalty service."""

    fields = (
        "customer",
        "email",
        "date",
        "amount",
        "refunded",
        "currency",
        "quantity",
        "reference",
        "status",
        "type",
        "time",
        "product",
        "discount",
        "store",
        "pieces",
        "tax",
    )
    required = ("date", "amount")
    sources: ClassVar = {"purchase_time": "date"}
    unclear = (
        "may be one that another file brought of this customer and time: with another amount, without a "
        "reference, one more than there were, or given back of another department's; or its rows were "
        "imported as a purchase each"
    )

    def __init__(self, channel: Channels, customers: Customers, *, exported: bool = False) -> None:
        super().__init__(customers)
        self._exported = exported
        self._service = PurchaseServiceStub(channel("loyalty"))
        self._orders: dict[int, int] = {}  # by their reference, what their last line said, each as its hash
        self._given_back = 0
        self._by_sender = self._by_line = False
        self._several = self._alike = 0  # orders of several rows, and those whose rows say one amount
        self._statuses: Counter[str] = Counter()  # that nobody knows

    def order_of(self, used: Mapping[str, str], spares: Mapping[str, list[str]]) -> OrderOf | None:
        """Rows that name a product are lines of the order whose number they bear."""
        if self._exported:
            return exported_order
        return order_of(used, spares) if {"product", "reference"} <= used.keys() else None

    def begin(self, reading: Reading) -> None:
        """Also see whether rows are lines, and whether they name who sent the money."""
        super().begin(reading)
        self._by_line = "product" in reading.columns
        if "discount" in reading.columns and not self._by_line:
            raise UnreadableFile("discounts are of lines: say with --map product=COLUMN what each row is of")
        self._by_sender = not _SENDERS.isdisjoint(
            plain(reading.columns.get(name, "")) for name in ("email", "customer")
        )

    def parse(self, cells: Cells) -> Bought | None:
        """A purchase; None for a payment that came to nothing, and for the further lines of an order."""
        if self._exported:
            return self._counted(exported(cells))
        if self._by_line:
            return self._order(cells)
        reference = cells.text("reference")
        order = hash(reference)
        if reference and order in self._orders and not cells.text("amount"):
            cells.tell("FURTHER_LINE", _FURTHER)
            return None
        if reference:
            self._orders.setdefault(order, 0)
        bought = self._row(cells)
        if reference and bought:
            if self._orders[order] == hash(bought):
                again = "as a line before says it of this order: if that is its total, leave one"
                cells.tell("SAME_AGAIN", again, "amount")
            self._orders[order] = hash(bought)
        return self._counted(bought)

    def _order(self, cells: Cells) -> Bought | None:
        """The rows of an order as one purchase: each is a line of it, or the first says its total."""
        further = [replace(cells, row=row) for row in cells.row.further]
        if further and not any(each.text("amount") for each in further):
            for each in further:
                each.tell("FURTHER_LINE", _FURTHER)
            bought = self._row(cells)
            return self._counted(bought and bought._replace(lines=()))
        rows = [row for each in (cells, *further) if (row := self._row(each))]
        if not rows:
            return None
        if further:
            self._several += 1
            self._alike += len({row.amount for row in rows}) == 1
        return self._counted(joined(rows, cells))

    def _row(self, cells: Cells) -> Bought | None:
        """What one row says; None for a payment that came to nothing."""
        written = cells.text("status")
        status = known_by(written)
        kind = known_by(cells.text("type"))
        if status in NO_SALE or kind in NO_SALE:
            cells.tell(
                "NO_SALE", "failed or not paid: skipped, and what another file brought stays", "status"
            )
            return None
        if written and status not in SALE | GIVEN_BACK:
            self._statuses[written] += 1
        currency, amount = cells.currency("currency", "amount"), cells.amount("amount")
        if kind in RETURN:
            amount = -abs(amount)
        if status in PARTLY and "refunded" not in cells.columns:
            part = "was given back in part, and no column says how much: counted whole"
            cells.tell("PART_UNKNOWN", part, "status")
        if amount < 0 and self._by_sender:
            cells.tell("PAID_OUT", "money that went out names no customer: skipped, see `refunded`", "amount")
            return None
        refunded = amount if status in GIVEN_BACK else abs(cells.amount("refunded", required=False))
        if amount < 0:  # it is what was given back itself
            refunded = Decimal(0)
        if refunded > amount >= 0:
            cells.wrong("refunded", "INVALID_AMOUNT", "must be at most what was paid")
        return Bought(
            person=person(cells),
            amount=amount,
            refunded=refunded,
            currency=currency,
            at=_moment(cells),
            quantity=0 if self._by_line else cells.count("quantity"),
            reference=cells.text("reference"),
            store=cells.code("store"),
            lines=_lines(cells, amount) if self._by_line else (),
        )

    def _counted(self, bought: Bought | None) -> Bought | None:
        self._given_back += bought is not None and 0 < bought.refunded == bought.amount
        return bought

    async def heard(self, row: Row, item: Bought, name: str, result: Any) -> None:
        """Count what was imported before and says otherwise now."""
        self.corrected += result.outcome == IMPORT_OUTCOME_CORRECTED

    async def finish(self, result: Result) -> Mapping[int, Sequence[Problem]]:
        """Also tell what was given back, and which statuses are not known."""
        if self._given_back:
            result.notes.append(f"given back whole, and worth nothing: {counted(self._given_back, 'row')}")
        if self._statuses:
            told = [f"{status} ({count:,})" for status, count in self._statuses.most_common(_STATUSES_TOLD)]
            if rest := len(self._statuses) - len(told):
                told.append(f"{rest:,} more")
            result.notes.append(f"statuses that are not known, whose rows count as sales: {', '.join(told)}")
        if self._several and self._alike == self._several:
            result.notes.append(
                "all rows of each order say the same amount: they were added up; if it is that of the whole "
                "order, leave one row of each"
            )
        return await super().finish(result)

    def requests(
        self, items: list[tuple[Row, Bought]], names: list[str]
    ) -> list[purchase_service_pb2.RecordPurchaseRequest]:
        """What the service is asked of each row, by the names of their customers."""
        return [
            purchase_service_pb2.RecordPurchaseRequest(
                purchase=bought.message(name),
                import_key=row.origin,
                further_lines=[] if self._exported else _further_lines(row),
                confirmed=row.confirmed,
            )
            for name, (row, bought) in zip(names, items, strict=True)
        ]

    async def ask(
        self, items: list[tuple[Row, Bought]], names: list[str], *, validate_only: bool
    ) -> purchase_service_pb2.BatchRecordPurchasesResponse:
        requests = self.requests(items, names)
        return await self._service.BatchRecordPurchases(
            purchase_service_pb2.BatchRecordPurchasesRequest(
                requests=requests, request_id=str(uuid4()), validate_only=validate_only
            )
        )


def _moment(cells: Cells) -> datetime | None:
    """When it was, with the time of day from a column of its own where there is one."""
    at, clock = cells.moment("date", required=True, past=True), cells.time_of_day("time")
    return datetime.combine(at, clock, at.tzinfo) if at and clock else at


def _lines(cells: Cells, amount: Decimal) -> tuple[Sold, ...]:
    """What a row says of one product; none where it names no code of it."""
    product = cells.code("product")
    quantity, discount = cells.measure("quantity"), cells.added("discount")
    return (Sold(product, quantity, amount, discount),) if product else ()


def _further_lines(first: Row) -> list[int]:
    """The lines of the same source, as the service knows rows by."""
    source, _, _ = first.origin.rpartition(":")
    origins = (row.origin.rpartition(":") for row in first.further)
    return [int(line) for of, _, line in origins if of == source]
