"""What a front line does all day, each act with one request id until somebody acknowledges it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
from google.type.money_pb2 import Money

from chassis.api.messages import timestamp
from chassis.grpc.client import Channels
from rapport.cases.v1 import case_pb2, case_service_pb2, promise_pb2, promise_service_pb2, work_item_pb2
from rapport.cases.v1 import work_item_service_pb2 as items_pb2
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import (
    customer_pb2,
    customer_service_pb2,
    identifier_pb2,
    timeline_pb2,
    timeline_service_pb2,
    view_service_pb2,
)
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.loyalty.v1 import goodwill_pb2, goodwill_service_pb2, purchase_pb2, purchase_service_pb2
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub

PATIENCE_S = 600.0
PAUSE_S = 0.3
# What a person tries again after.
TRY_AGAIN = {"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "UNKNOWN", "RESOURCE_EXHAUSTED", "ABORTED"}

Call = Callable[[Any], Awaitable[Any]]


class Desk:
    """Calls, and what became of them.

    Attributes:
        acknowledged: by kind, the mark of each act that somebody answered for.
        took_s: how long each act took until then.
    """

    def __init__(self, peers: Mapping[str, str], token: Path) -> None:
        self.acknowledged: defaultdict[str, list[str]] = defaultdict(list)
        self.took_s: list[float] = []
        self.peers = peers
        self.token = token
        self._channels = Channels(peers, token)
        self.customers = CustomerServiceStub(self._channels.to("customer"))
        self.timeline = TimelineServiceStub(self._channels.to("customer"))
        self.views = ViewServiceStub(self._channels.to("customer"))
        self.cases = CaseServiceStub(self._channels.to("cases"))
        self.items = WorkItemServiceStub(self._channels.to("cases"))
        self.promises = PromiseServiceStub(self._channels.to("cases"))
        self.purchases = PurchaseServiceStub(self._channels.to("loyalty"))
        self.goodwill = GoodwillServiceStub(self._channels.to("loyalty"))

    async def close(self) -> None:
        """Close the channels."""
        await self._channels.close()

    async def act(self, kind: str, mark: str, call: Call, request: Any) -> Any:
        """One act, repeated with its request id until it is acknowledged. What is no outage is raised."""
        request.request_id = str(uuid4())
        began = time.monotonic()
        while True:
            try:
                answer = await call(request)
            except grpc.aio.AioRpcError as error:
                if error.code().name not in TRY_AGAIN or time.monotonic() - began > PATIENCE_S:
                    raise
                await asyncio.sleep(PAUSE_S)
            else:
                self.took_s.append(time.monotonic() - began)
                self.acknowledged[kind].append(mark)
                return answer

    async def customer(self, mark: str) -> str:
        """A new customer."""
        email = identifier_pb2.Identifier(
            type=identifier_pb2.Identifier.TYPE_EMAIL, value=f"{mark}@example.com"
        )
        customer = customer_pb2.Customer(display_name=mark, identifiers=[email])
        request = customer_service_pb2.CreateCustomerRequest(customer=customer)
        created: customer_pb2.Customer = await self.act(
            "customer", mark, self.customers.CreateCustomer, request
        )
        return created.name

    async def look(self, customer: str) -> None:
        """Somebody looks at their view."""
        began = time.monotonic()
        await self.views.GetCustomerView(view_service_pb2.GetCustomerViewRequest(name=f"{customer}/view"))
        self.took_s.append(time.monotonic() - began)

    async def purchase(self, mark: str, customer: str) -> None:
        """They bought something."""
        purchase = purchase_pb2.Purchase(
            customer=customer,
            amount=Money(currency_code="USD", units=7),
            purchase_time=timestamp(datetime.now(UTC)),
            reference=mark,
        )
        request = purchase_service_pb2.RecordPurchaseRequest(purchase=purchase)
        await self.act("purchase", mark, self.purchases.RecordPurchase, request)

    async def contact(self, mark: str, customer: str) -> None:
        """They called."""
        request = timeline_service_pb2.RecordInteractionRequest(
            parent=customer,
            timeline_entry=timeline_pb2.TimelineEntry(
                channel=channel_pb2.CHANNEL_VOICE,
                direction=channel_pb2.DIRECTION_INBOUND,
                topic=f"contact-{mark}",  # the timeline has the topics of cases, too
            ),
        )
        await self.act("contact", mark, self.timeline.RecordInteraction, request)

    async def late_order(self, mark: str, customer: str) -> None:
        """An order will be late: a case, a work item, a promise, a forecast; and goodwill by hand."""
        case = await self.act(
            "case",
            mark,
            self.cases.OpenCase,
            case_service_pb2.OpenCaseRequest(
                case=case_pb2.Case(customer=customer, topic=mark, owner="agents/alice")
            ),
        )
        work = work_item_pb2.WorkItem(
            case=case.name, department="departments/delivery", kind="deliver", reference=mark
        )
        item = await self.act(
            "work item",
            mark,
            self.items.CreateWorkItem,
            items_pb2.CreateWorkItemRequest(work_item=work),
        )
        promise = promise_pb2.Promise(
            customer=customer,
            work_item=item.name,
            department="departments/delivery",
            kind="delivery",
            reference=mark,
            due_time=timestamp(datetime.now(UTC) + timedelta(days=10)),
        )
        await self.act(
            "promise",
            mark,
            self.promises.MakePromise,
            promise_service_pb2.MakePromiseRequest(promise=promise),
        )
        late = timestamp(datetime.now(UTC) + timedelta(days=12))
        await self.act(
            "forecast",
            mark,
            self.items.ForecastWorkItem,
            items_pb2.ForecastWorkItemRequest(
                name=item.name, forecast_finish_time=late, reason_code="weather"
            ),
        )
        goodwill = goodwill_pb2.Goodwill(
            customer=customer, points=goodwill_pb2.Points(amount=3), reason_code=mark
        )
        await self.act(
            "goodwill",
            mark,
            self.goodwill.GrantGoodwill,
            goodwill_service_pb2.GrantGoodwillRequest(goodwill=goodwill),
        )

    async def whole_day(self, worker: int, over: asyncio.Event) -> None:
        """One customer after the other until it is over."""
        number = 0
        while not over.is_set():
            number += 1
            mark = f"w{worker}-{number}"
            customer = await self.customer(mark)
            await self.contact(mark, customer)
            await self.purchase(mark, customer)
            await self.late_order(mark, customer)
            await asyncio.sleep(PAUSE_S)


def quantiles(took_s: Sequence[float]) -> str:
    """How long something took, in words."""
    ordered = sorted(took_s)
    if not ordered:
        return "nothing"
    half, most = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
    return f"{len(ordered)} acts, p50 {half:.0f} ms, p99 {most:.0f} ms, at most {ordered[-1]:.1f} s"
