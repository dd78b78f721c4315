"""Locust users who speak gRPC: the front line looking at customers, and departments living the story."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import grpc.experimental.gevent as grpc_gevent
from locust import User, between, task

from chassis.api.messages import timestamp
from rapport.cases.v1 import (
    case_pb2,
    case_service_pb2,
    promise_pb2,
    promise_service_pb2,
    work_item_pb2,
    work_item_service_pb2,
)
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import (
    customer_pb2,
    customer_service_pb2,
    timeline_pb2,
    timeline_service_pb2,
    view_service_pb2,
)
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport_tools.cli.session import Session

grpc_gevent.init_gevent()
SESSION = Session.open()
CUSTOMERS: list[str] = []


class RapportUser(User):
    """Someone with a session. Every call is reported to Locust under its method's name."""

    abstract = True

    def on_start(self) -> None:
        """Every user brings a customer, so that reads are spread."""
        self.customers = SESSION.stub(CustomerServiceStub, "customer")
        customer = customer_pb2.Customer(display_name="Load Test", region_code="DE")
        CUSTOMERS.append(
            self.call(
                self.customers.CreateCustomer, customer_service_pb2.CreateCustomerRequest(customer=customer)
            ).name
        )

    def call(self, method: Callable[..., Any], request: Any) -> Any:
        """Call and report. A refused call is a failure in the table, and ends the task."""
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = str(uuid4())
        started, failure, response = time.perf_counter(), None, None
        try:
            response = method(request)
        except grpc.RpcError as error:
            failure = error
        self.environment.events.request.fire(
            request_type="gRPC",
            name=request.DESCRIPTOR.name.removesuffix("Request"),
            response_time=(time.perf_counter() - started) * 1000,
            response_length=response.ByteSize() if response is not None else 0,
            exception=failure,
            context={},
        )
        if failure is not None:
            raise failure
        return response


class FrontLine(RapportUser):
    """Looks at customers and notes what was said."""

    weight = 4
    wait_time = between(0.01, 0.1)

    def on_start(self) -> None:
        """Open the stubs."""
        super().on_start()
        self.views = SESSION.stub(ViewServiceStub, "customer")
        self.timeline = SESSION.stub(TimelineServiceStub, "customer")

    @task(6)
    def look(self) -> None:
        """Read a customer view."""
        name = f"{random.choice(CUSTOMERS)}/view"
        self.call(self.views.GetCustomerView, view_service_pb2.GetCustomerViewRequest(name=name))

    @task(2)
    def note(self) -> None:
        """Record an interaction."""
        request = timeline_service_pb2.RecordInteractionRequest(
            parent=random.choice(CUSTOMERS),
            timeline_entry=timeline_pb2.TimelineEntry(
                channel=channel_pb2.CHANNEL_VOICE,
                direction=channel_pb2.DIRECTION_INBOUND,
                topic="load-test",
            ),
        )
        self.call(self.timeline.RecordInteraction, request)

    @task(1)
    def page(self) -> None:
        """Read a page of the timeline."""
        request = timeline_service_pb2.ListTimelineEntriesRequest(parent=random.choice(CUSTOMERS))
        self.call(self.timeline.ListTimelineEntries, request)


class Department(RapportUser):
    """Takes an order, promises a date, finds that it will be late, and delivers."""

    weight = 1
    wait_time = between(0.2, 1)

    def on_start(self) -> None:
        """Open the stubs."""
        super().on_start()
        self.cases = SESSION.stub(CaseServiceStub, "cases")
        self.items = SESSION.stub(WorkItemServiceStub, "cases")
        self.promises = SESSION.stub(PromiseServiceStub, "cases")

    @task
    def story(self) -> None:
        """The story's calls."""
        customer, now = random.choice(CUSTOMERS), datetime.now(UTC)
        case = case_pb2.Case(customer=customer, topic="order-delivery", owner="agents/front-desk")
        opened = self.call(self.cases.OpenCase, case_service_pb2.OpenCaseRequest(case=case))
        item = work_item_pb2.WorkItem(
            case=opened.name, department="departments/delivery", kind="deliver-order"
        )
        added = self.call(
            self.items.CreateWorkItem,
            work_item_service_pb2.CreateWorkItemRequest(work_item=item),
        )
        promise = promise_pb2.Promise(
            customer=customer,
            case=opened.name,
            work_item=added.name,
            department="departments/delivery",
            kind="delivery",
            due_time=timestamp(now + timedelta(days=2)),
        )
        self.call(self.promises.MakePromise, promise_service_pb2.MakePromiseRequest(promise=promise))
        self.call(
            self.items.ForecastWorkItem,
            work_item_service_pb2.ForecastWorkItemRequest(
                name=added.name,
                forecast_finish_time=timestamp(now + timedelta(days=3)),
                reason_code="weather",
            ),
        )
        finish = work_item_service_pb2.FinishWorkItemRequest(name=added.name)
        self.call(self.items.FinishWorkItem, finish)
