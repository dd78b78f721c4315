"""Purchases and orders, of customers who are known, or made known, by their id in another system."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid4

import grpc

from chassis.api.messages import money, timestamp
from chassis.cli.imports.customers import external_id
from chassis.cli.imports.engine import Result
from chassis.cli.imports.fields import Cells
from chassis.cli.imports.tabular import Problem, Row, Source
from rapport.cases.v1 import promise_pb2, promise_service_pb2
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.customer.v1 import customer_pb2, customer_service_pb2
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.loyalty.v1 import purchase_service_pb2
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub


class Customers:
    """The names of customers by their id in another system, asked for once each and created when new.

    A file is usually sorted by customer or by day, so a batch asks for far fewer customers than it has rows.
    """

    def __init__(self, channel: grpc.aio.Channel, system: str) -> None:
        self._service = CustomerServiceStub(channel)
        self._system = system
        self._names: dict[str, str] = {}

    async def names(self, ids: Iterable[str]) -> dict[str, str]:
        """The name of each customer."""
        wanted = dict.fromkeys(ids)
        if unknown := [value for value in wanted if value not in self._names]:
            requests = [
                customer_service_pb2.ResolveCustomerRequest(
                    identifier=external_id(self._system, value),
                    create=customer_pb2.Customer(display_name=value),
                )
                for value in unknown
            ]
            answer = await self._service.BatchResolveCustomers(
                customer_service_pb2.BatchResolveCustomersRequest(requests=requests, request_id=str(uuid4()))
            )
            self._names |= {
                value: found.customer for value, found in zip(unknown, answer.responses, strict=True)
            }
        return {value: self._names[value] for value in wanted}


class Bought(NamedTuple):
    """One purchase in a file."""

    customer_id: str
    amount: Decimal
    currency: str
    at: datetime | None
    quantity: int
    reference: str


class PurchaseImporter:
    """Rows become purchases in the loyalty service."""

    fields = ("external_id", "date", "amount", "currency", "quantity", "reference")
    required = ("external_id", "date", "amount")

    def __init__(
        self, channel: Callable[[str], grpc.aio.Channel], source: Source, system: str, currency: str
    ) -> None:
        self._customers = Customers(channel("customer"), system)
        self._service = PurchaseServiceStub(channel("loyalty"))
        self._source = source
        self._currency = currency

    def parse(self, cells: Cells, row: Row) -> Bought:
        """A purchase."""
        return Bought(
            customer_id=cells.text("external_id", required=True),
            amount=cells.amount("amount"),
            currency=cells.text("currency").upper() or self._currency,
            at=cells.moment("date", required=True),
            quantity=cells.count("quantity"),
            reference=cells.text("reference"),
        )

    async def send(self, items: list[tuple[Row, Bought]]) -> int:
        """Record the purchases; those of a line that was imported before are not recorded again."""
        names = await self._customers.names(bought.customer_id for _, bought in items)
        requests = [
            purchase_service_pb2.RecordPurchaseRequest(
                purchase=purchase_service_pb2.Purchase(
                    customer=names[bought.customer_id],
                    amount=money(bought.amount, bought.currency),
                    purchase_time=timestamp(bought.at) if bought.at else None,
                    quantity=bought.quantity,
                    reference=bought.reference,
                )
            )
            for _, bought in items
        ]
        answer = await self._service.BatchRecordPurchases(
            purchase_service_pb2.BatchRecordPurchasesRequest(
                requests=requests, request_id=str(uuid4()), import_keys=_keys(self._source, items)
            )
        )
        return answer.recorded_count

    async def finish(self, result: Result) -> Mapping[int, Problem]:
        """Nothing is left to do."""
        return {}


class Order(NamedTuple):
    """One order in a file: a delivery that was promised."""

    customer_id: str
    order_id: str
    made: datetime | None
    promised: datetime | None
    delivered: datetime | None


class OrderImporter:
    """Rows become promises in the cases service: kept, kept late, broken or open, as the dates say."""

    fields = ("external_id", "order_id", "order_date", "promised_date", "delivered_date")
    required = ("external_id", "order_id", "promised_date")

    def __init__(
        self, channel: Callable[[str], grpc.aio.Channel], source: Source, system: str, department: str
    ) -> None:
        self._customers = Customers(channel("customer"), system)
        self._service = PromiseServiceStub(channel("cases"))
        self._source = source
        self._department = f"departments/{department}"

    def parse(self, cells: Cells, row: Row) -> Order:
        """An order. A promised day lasts until its last moment: what is delivered on that day is in time."""
        return Order(
            customer_id=cells.text("external_id", required=True),
            order_id=cells.text("order_id", required=True),
            made=cells.moment("order_date"),
            promised=cells.moment("promised_date", required=True, end_of_day=True),
            delivered=cells.moment("delivered_date"),
        )

    async def send(self, items: list[tuple[Row, Order]]) -> int:
        """Make the promises; that of a line that was imported before is not made again."""
        names = await self._customers.names(order.customer_id for _, order in items)
        promises = [
            promise_pb2.Promise(
                customer=names[order.customer_id],
                department=self._department,
                kind="delivery",
                reference=f"orders/{order.order_id}",
                due_time=timestamp(order.promised) if order.promised else None,
                make_time=timestamp(order.made) if order.made else None,
                keep_time=timestamp(order.delivered) if order.delivered else None,
            )
            for _, order in items
        ]
        answer = await self._service.BatchMakePromises(
            promise_service_pb2.BatchMakePromisesRequest(
                requests=[promise_service_pb2.MakePromiseRequest(promise=promise) for promise in promises],
                request_id=str(uuid4()),
                import_keys=_keys(self._source, items),
            )
        )
        return answer.made_count

    async def finish(self, result: Result) -> Mapping[int, Problem]:
        """Nothing is left to do."""
        return {}


def _keys(source: Source, items: Sequence[tuple[Row, object]]) -> list[str]:
    """Where each row comes from. The line, never the content: two equal rows are two purchases."""
    return [f"{source.digest}:{row.line}" for row, _ in items]
