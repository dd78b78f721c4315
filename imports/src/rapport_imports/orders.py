"""Orders: each is a delivery that was promised to a customer, as for purchases."""

from datetime import datetime, time, timedelta
from typing import Any, ClassVar, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from chassis.api.messages import moment, timestamp
from rapport.cases.v1 import promise_pb2, promise_service_pb2
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport_imports.fields import Cells
from rapport_imports.people import ByCustomer, Channels, Customers, Person, person
from rapport_imports.tabular import Problem, Row

_PROMISED = (
    "was imported before, as {}, with another customer or promised date, and what was promised stays: "
    "renegotiate or withdraw that promise"
)
_ENDED = "was imported before, and what was promised has ended otherwise: see `rapport view`"


class Order(NamedTuple):
    """One order in a file: a delivery that was promised."""

    person: Person
    order_id: str
    made: datetime | None
    promised: datetime | None
    zone: str  # of the promised day; empty when a moment was promised
    delivered: datetime | None


class OrderImporter(ByCustomer[Order]):
    """Rows become promises in the cases service: kept, kept late, broken or open, as the dates say.

    One that was imported before is not made again, but kept, if it was since.
    """

    fields = ("customer", "email", "order_id", "order_date", "promised_date", "delivered_date")
    required = ("order_id", "promised_date")
    unclear = (
        "may be one that another file brought to this customer under this number: with another promised "
        "date, and then that one is to be renegotiated, or one more than there were"
    )
    sources: ClassVar = {
        "make_time": "order_date",
        "keep_time": "delivered_date",
        "due_time": "promised_date",
        "due_date": "promised_date",
        "reference": "order_id",
    }

    def __init__(self, channel: Channels, customers: Customers, department: str) -> None:
        super().__init__(customers)
        self._service = PromiseServiceStub(channel("cases"))
        self._department = f"departments/{department}"

    def parse(self, cells: Cells) -> Order:
        """An order. A promised day is a day: what is delivered on it, where it was delivered, is in time."""
        promised = cells.moment("promised_date", required=True)
        delivered, made = cells.moment("delivered_date", past=True), cells.moment("order_date", past=True)
        if made and delivered and delivered.time() == time.min and delivered.date() == made.date():
            delivered = made  # on the same day: when nobody says
        order = Order(
            person=person(cells),
            order_id=cells.text("order_id", required=True),
            made=made,
            promised=promised,
            zone=_zone_of_day(delivered, cells.zone) if promised and promised.time() == time.min else "",
            delivered=delivered,
        )
        if made and promised and made > _end(promised, order.zone):
            cells.wrong("order_date", "INVALID_TIME", f"is after {cells.column('promised_date')}")
        if made and delivered and delivered < made:
            cells.wrong("delivered_date", "INVALID_TIME", f"is before {cells.column('order_date')}")
        return order

    async def heard(self, row: Row, item: Order, name: str, result: Any) -> None:
        """Of an order that was imported before: refuse another date; keep the promise, if it was since."""
        promise = result.promise
        if not promise.name:  # it would be made
            return
        if (promise.customer, _due(promise)) != (name, _due(self._promise(item))):
            row.problems.append(Problem("", "ALREADY_PROMISED", _PROMISED.format(promise.name)))
        elif item.delivered and not promise.HasField("keep_time"):
            await self._keep(row, promise, item.delivered)

    async def _keep(self, row: Row, promise: promise_pb2.Promise, at: datetime) -> None:
        """Keep a promise that was open when it was imported, or the one that took its place."""
        # When an order without a date was promised nobody knows: not after it was imported, or done.
        at = max(at, moment(promise.make_time))
        while promise.successor:
            get = promise_service_pb2.GetPromiseRequest(name=promise.successor)
            promise = await self._service.GetPromise(get)
        if promise.HasField("keep_time"):
            return
        if promise.HasField("withdraw_time"):
            row.problems.append(Problem("", "ALREADY_PROMISED", _ENDED))
            return
        try:
            if not self.customers.dry_run:
                await self._service.KeepPromise(
                    promise_service_pb2.KeepPromiseRequest(
                        name=promise.name, keep_time=timestamp(at), request_id=str(uuid4())
                    )
                )
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            row.problems.append(Problem("", "ALREADY_PROMISED", _ENDED))
        else:
            self.corrected += 1

    async def ask(
        self, items: list[tuple[Row, Order]], names: list[str], *, validate_only: bool
    ) -> promise_service_pb2.BatchMakePromisesResponse:
        requests = [
            promise_service_pb2.MakePromiseRequest(
                promise=self._promise(order, name), import_key=row.origin, confirmed=row.confirmed
            )
            for name, (row, order) in zip(names, items, strict=True)
        ]
        return await self._service.BatchMakePromises(
            promise_service_pb2.BatchMakePromisesRequest(
                requests=requests, request_id=str(uuid4()), validate_only=validate_only
            )
        )

    def _promise(self, order: Order, customer: str = "") -> promise_pb2.Promise:
        assert order.promised is not None, "parsing refuses an order without"
        promise = promise_pb2.Promise(
            customer=customer,
            department=self._department,
            kind="delivery",
            reference=f"orders/{order.order_id}",
            make_time=timestamp(order.made) if order.made else None,
            keep_time=timestamp(order.delivered) if order.delivered else None,
        )
        if order.zone:
            day = order.promised
            promise.due_date.CopyFrom(Date(year=day.year, month=day.month, day=day.day))
            promise.time_zone = order.zone
        else:
            promise.due_time.CopyFrom(timestamp(order.promised))
        return promise


def _due(promise: promise_pb2.Promise) -> Date | Timestamp:
    """By when: the day, where one was promised."""
    return promise.due_date if promise.HasField("due_date") else promise.due_time


def _end(promised: datetime, zone: str) -> datetime:
    """When what was promised is late: after the day in its zone, or at once."""
    return promised.replace(tzinfo=ZoneInfo(zone)) + timedelta(days=1) if zone else promised


def _zone_of_day(delivered: datetime | None, zone: ZoneInfo) -> str:
    """Where a promised day is a day: where it was delivered, if that is said, else where the file is."""
    offset = delivered.utcoffset() if delivered and delivered.tzinfo is not zone else None
    hours, rest = divmod(offset, timedelta(hours=1)) if offset else (0, timedelta())
    # The names of these zones count westwards.
    return zone.key if offset is None or rest else f"Etc/GMT{-hours:+d}"
