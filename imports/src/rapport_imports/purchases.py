"""Purchases, of customers who are known, or made known, by an id in another system or e-mail."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple
from uuid import uuid4

from chassis.api.messages import money, timestamp
from rapport.common.v1.import_outcome_pb2 import IMPORT_OUTCOME_CORRECTED
from rapport.loyalty.v1 import purchase_pb2, purchase_service_pb2
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport_imports.fields import Cells
from rapport_imports.names import plain
from rapport_imports.people import ByCustomer, Channels, Customers, Person, person
from rapport_imports.reading import Reading
from rapport_imports.result import Result
from rapport_imports.tabular import Problem, Row
from rapport_imports.wording import counted

# What HubSpot puts behind a stage.
_PIPELINE = re.compile(r"(?i)\s*\([^()]*pipeline\)$")


def _known_by(status: str) -> str:
    """A status however it is written: `wc-on-hold`, `On hold`, `Closed won (Sales Pipeline)`."""
    return plain(_PIPELINE.sub("", status)).removeprefix("wc")


def _statuses(written: str) -> frozenset[str]:
    return frozenset(map(_known_by, written.split("|")))


# What tools call a payment that is none, or is none yet; and a sale that is not won: the stages of an
# opportunity in Salesforce, of a deal in HubSpot.
_NO_SALE = _statuses("""
    failed | payment failed | canceled | voided | void | pending | pending payment | payment pending |
    awaiting payment | waiting for payment | authorized | declined | denied | disputed | expired |
    uncaptured | incomplete | blocked | rejected | unpaid | not paid | draft | auto-draft | checkout-draft |
    trash | trashed | on-hold | requires_payment_method | requires_action | requires_confirmation |
    requires_capture | fehlgeschlagen | ausstehend | zahlung ausstehend | in wartestellung | abgelehnt |
    entwurf
""") | _statuses("""
    prospecting | qualification | needs analysis | value proposition | id. decision makers |
    perception analysis | proposal/price quote | negotiation/review | closed lost | appointment scheduled |
    qualified to buy | presentation scheduled | decision maker bought-in | contract sent
""")
# What orders are called that were, until all was given back. A payment that was never made is `canceled`.
_GIVEN_BACK = _statuses("refunded | erstattet | rückerstattet | zurückgezahlt | cancelled | storniert")
# What tools call a sale. Any other status is taken for one, and told.
_SALE = _statuses("""
    paid | partially paid | partially refunded | partial refund | succeeded | success | successful |
    complete | completed | processing | processed | cleared | captured | settled | fulfilled | shipped |
    delivered | closed | closed won | won | bezahlt | abgeschlossen | in bearbeitung | versendet | geliefert |
    teilweise erstattet | teilweise zurückgezahlt
""")
_STATUSES_TOLD = 20
# Who sent money: when it goes out, as what is given back does, that is the shop itself.
_SENDERS = frozenset({"fromemailaddress", "absenderemailadresse", "vonemailadresse"})


class Bought(NamedTuple):
    """One purchase in a file, and what was given back of it; a return when the amount is negative."""

    person: Person
    amount: Decimal
    refunded: Decimal
    currency: str
    at: datetime | None
    quantity: int
    reference: str


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
    )
    required = ("date", "amount")
    sources: ClassVar = {"purchase_time": "date"}
    unclear = (
        "may be one that another file brought of this customer and time: with another amount, without a "
        "reference, one more than there were, or given back of another department's"
    )

    def __init__(self, channel: Channels, customers: Customers) -> None:
        super().__init__(customers)
        self._service = PurchaseServiceStub(channel("loyalty"))
        self._orders: dict[str, Bought | None] = {}  # by their reference, what their last line said
        self._given_back = 0
        self._by_sender = False
        self._statuses: Counter[str] = Counter()  # that nobody knows

    def begin(self, reading: Reading) -> None:
        """Also see whether a row names who sent the money."""
        super().begin(reading)
        self._by_sender = not _SENDERS.isdisjoint(
            plain(reading.columns.get(name, "")) for name in ("email", "customer")
        )

    def parse(self, cells: Cells) -> Bought | None:
        """A purchase; None for a payment that came to nothing, and for the further lines of an order."""
        reference, written = cells.text("reference"), cells.text("status")
        status = _known_by(written)
        if reference in self._orders and not cells.text("amount"):
            cells.tell("FURTHER_LINE", "further lines of orders already read: skipped")
            return None
        if reference:
            self._orders.setdefault(reference, None)
        if status in _NO_SALE:
            cells.tell(
                "NO_SALE", "failed or not paid: skipped, and what another file brought stays", "status"
            )
            return None
        if written and status not in _SALE | _GIVEN_BACK:
            self._statuses[written] += 1
        currency, amount = cells.currency("currency", "amount"), cells.amount("amount")
        if amount < 0 and self._by_sender:
            cells.tell("PAID_OUT", "money that went out names no customer: skipped, see `refunded`", "amount")
            return None
        refunded = amount if status in _GIVEN_BACK else abs(cells.amount("refunded", required=False))
        if amount < 0:  # it is what was given back itself
            refunded = Decimal(0)
        if refunded > amount >= 0:
            cells.wrong("refunded", "INVALID_AMOUNT", "must be at most what was paid")
        self._given_back += 0 < refunded == amount
        bought = Bought(
            person=person(cells),
            amount=amount,
            refunded=refunded,
            currency=currency,
            at=cells.moment("date", required=True, past=True),
            quantity=cells.count("quantity"),
            reference=reference,
        )
        if reference:
            if self._orders[reference] == bought:
                again = "as a line before says it of this order: if that is its total, leave one"
                cells.tell("SAME_AGAIN", again, "amount")
            self._orders[reference] = bought
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
        return await super().finish(result)

    async def ask(
        self, items: list[tuple[Row, Bought]], names: list[str], *, validate_only: bool
    ) -> purchase_service_pb2.BatchRecordPurchasesResponse:
        requests = [
            purchase_service_pb2.RecordPurchaseRequest(
                purchase=purchase_pb2.Purchase(
                    customer=name,
                    amount=money(bought.amount, bought.currency),
                    refunded_amount=money(bought.refunded, bought.currency) if bought.refunded else None,
                    purchase_time=timestamp(bought.at) if bought.at else None,
                    quantity=bought.quantity,
                    reference=bought.reference,
                ),
                import_key=row.origin,
                confirmed=row.confirmed,
            )
            for name, (row, bought) in zip(names, items, strict=True)
        ]
        return await self._service.BatchRecordPurchases(
            purchase_service_pb2.BatchRecordPurchasesRequest(
                requests=requests, request_id=str(uuid4()), validate_only=validate_only
            )
        )
