"""The story: a delivery will be late, and the customer hears of it from us, once, before the old date."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import grpc

from chassis.api.messages import timestamp, value_name
from chassis.telemetry import tracing
from rapport.cases.v1 import (
    case_service_pb2,
    directory_service_pb2,
    promise_pb2,
    promise_service_pb2,
    work_item_service_pb2,
)
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1 import channel_pb2, explanation_pb2
from rapport.customer.v1 import (
    customer_pb2,
    customer_service_pb2,
    identifier_pb2,
    timeline_pb2,
    timeline_service_pb2,
    view_pb2,
    view_service_pb2,
)
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.section_service_pb2_grpc import SectionServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.notifications.v1 import notice_service_pb2
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport_tools.cli.failures import Failure
from rapport_tools.cli.session import Session
from rapport_tools.demo import billing
from rapport_tools.demo.changes import changes, named

T = TypeVar("T")
PATIENCE_S = 60.0

Tell = Callable[[str, str], None]


@dataclass
class Outcome:
    """What the story led to: resource names, the trace, and the explanation of the notice."""

    customer: str = ""
    case: str = ""
    promise: str = ""
    notices: list[str] = field(default_factory=list)
    goodwill: str = ""
    trace_id: str = ""
    explain: explanation_pb2.Explanation = field(default_factory=explanation_pb2.Explanation)


class Story:
    """The story, step by step.

    Args:
        open_session: a session as `ROLE:NAME` of a department.
        tell: called after each step with what was done and with what changed in the customer view.
        customer: whom it is about. A new one when not given: what one customer may get in goodwill within a
            month is limited, and the story can be told any number of times.

    """

    def __init__(self, open_session: Callable[[str, str], Session], tell: Tell, customer: str = "") -> None:
        everyone = open_session("agent:demo", "front-desk")
        alice, dora = open_session("agent:alice", "front-desk"), open_session("department:dora", "delivery")
        rita, bill = open_session("manager:rita", "billing"), open_session("department:bill", "billing")
        self._tell = tell
        self._directory = everyone.stub(DirectoryServiceStub, "cases")
        self._customers = everyone.stub(CustomerServiceStub, "customer")
        self._timeline = alice.stub(TimelineServiceStub, "customer")
        self._views = everyone.stub(ViewServiceStub, "customer")
        self._notices = everyone.stub(NoticeServiceStub, "notifications")
        self._cases = alice.stub(CaseServiceStub, "cases")
        self._items = alice.stub(WorkItemServiceStub, "cases")
        self._promises = alice.stub(PromiseServiceStub, "cases")
        self._delivery = dora.stub(WorkItemServiceStub, "cases")
        self._schemas = rita.stub(SectionServiceStub, "customer")
        self._sections = bill.stub(SectionServiceStub, "customer")
        self._told = view_pb2.CustomerView()
        self._tokens: list[str] = []
        self.outcome = Outcome(customer)

    def run(self) -> Outcome:
        """Run the story and wait for its end. Failure when it does not come within a minute."""
        with tracing.work_span("rapport demo", ""):
            self.outcome.trace_id = tracing.trace_id(tracing.traceparent())
            self._know_the_customer()
            order, item = self._promise_a_delivery()
            self._show_what_is_open()
            self._forecast_a_delay(item)
            self._wait_for_the_notice(order)
            self._wait_for_goodwill()
        notice = notice_service_pb2.ExplainNoticeRequest(name=self.outcome.notices[0])
        self.outcome.explain = self._patiently(lambda: self._notices.ExplainNotice(notice))
        return self.outcome

    def _know_the_customer(self) -> None:
        agent = Agent(
            name="agents/alice",
            display_name="Alice Brandt",
            phone="+49 30 901820",
            email="alice.brandt@rapport.example",
            department="departments/front-desk",
        )
        self._call(
            self._directory.UpdateAgent,
            directory_service_pb2.UpdateAgentRequest(agent=agent, allow_missing=True),
        )
        self.outcome.customer = self.outcome.customer or self._new_customer()
        self._call(
            self._customers.AssignRelationshipManager,
            customer_service_pb2.AssignRelationshipManagerRequest(
                name=self.outcome.customer, relationship_manager="agents/alice"
            ),
        )
        self._step("The customer is known, and a named human answers for the relationship: Alice.")

    def _new_customer(self) -> str:
        email = f"nora.winter.{uuid4().hex[:8]}@example.com"
        customer = customer_pb2.Customer(
            person=customer_pb2.Person(given_name="Nora", family_name="Winter"),
            identifiers=[identifier_pb2.Identifier(type=identifier_pb2.Identifier.TYPE_EMAIL, value=email)],
        )
        request = customer_service_pb2.CreateCustomerRequest(customer=customer)
        created: customer_pb2.Customer = self._call(self._customers.CreateCustomer, request)
        return created.name

    def _promise_a_delivery(self) -> tuple[str, str]:
        now = datetime.now(UTC)
        order = f"orders/demo-{uuid4().hex[:8]}"
        self._call(
            self._timeline.RecordInteraction,
            timeline_service_pb2.RecordInteractionRequest(
                parent=self.outcome.customer,
                timeline_entry=timeline_pb2.TimelineEntry(
                    channel=channel_pb2.CHANNEL_VOICE,
                    direction=channel_pb2.DIRECTION_INBOUND,
                    topic="order",
                ),
            ),
        )
        case = self._call(
            self._cases.OpenCase,
            case_service_pb2.OpenCaseRequest(
                case=Case(customer=self.outcome.customer, topic="order-delivery", owner="agents/alice")
            ),
        )
        item = self._call(
            self._items.CreateWorkItem,
            work_item_service_pb2.CreateWorkItemRequest(
                work_item=WorkItem(
                    case=case.name, department="departments/delivery", kind="deliver-order", reference=order
                ),
            ),
        )
        promise = self._call(
            self._promises.MakePromise,
            promise_service_pb2.MakePromiseRequest(
                promise=promise_pb2.Promise(
                    customer=self.outcome.customer,
                    case=case.name,
                    work_item=item.name,
                    department="departments/delivery",
                    kind="delivery",
                    reference=order,
                    due_time=timestamp(now + timedelta(days=3)),
                )
            ),
        )
        self.outcome.case, self.outcome.promise = case.name, promise.name
        self._step(f"The customer calls, Alice takes {named(order)}: delivery promised in three days.")
        return order, item.name

    def _show_what_is_open(self) -> None:
        self._call(self._schemas.PutSectionSchema, billing.schema())
        self._call(self._sections.PutViewSection, billing.section(self.outcome.customer))
        self._step("Billing, which no service here has heard of, shows its part of the view: what is open.")

    def _forecast_a_delay(self, item: str) -> None:
        self._call(
            self._delivery.ForecastWorkItem,
            work_item_service_pb2.ForecastWorkItemRequest(
                name=item,
                forecast_finish_time=timestamp(datetime.now(UTC) + timedelta(days=5)),
                reason_code="carrier-delay",
            ),
        )
        self._step("Dora in delivery forecasts five days: the promise is at risk. Nobody does anything more.")

    def _wait_for_the_notice(self, order: str) -> None:
        def renegotiated() -> bool:
            view = self._view()
            states = {part.promise: value_name(part, "state") for part in view.promises}
            return states.get(self.outcome.promise) == "RENEGOTIATED" and any(
                part.reference == order and value_name(part, "state") == "OPEN" for part in view.promises
            )

        self._until(renegotiated, "the customer to be told and the promise to be renegotiated")
        request = notice_service_pb2.ListNoticesRequest(filter=f'promise = "{self.outcome.promise}"')
        self.outcome.notices = [
            notice.name for notice in self._call(self._notices.ListNotices, request).notices
        ]
        self._step(
            "The customer was told by e-mail: apology, reason, new date, Alice's name. The promise moves."
        )

    def _wait_for_goodwill(self) -> None:
        def granted() -> bool:
            grants = [g for g in self._view().loyalty.goodwill if g.promise == self.outcome.promise]
            self.outcome.goodwill = grants[0].goodwill if grants else ""
            return bool(grants)

        self._until(granted, "the goodwill")
        self._step("Loyalty granted the goodwill that the policy allows.")

    def _step(self, text: str) -> None:
        view = self._view()
        self._tell(text, changes(self._told, view))
        self._told = view

    def _call(self, method: Any, request: Any) -> Any:
        """Call within the story's trace, and remember the write for the next look at the view.

        As every client should: with a request id, so that the call may be repeated when its answer is lost.
        """
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = str(uuid4())
        metadata = (("traceparent", tracing.traceparent()),)
        response, call = self._patiently(lambda: method.with_call(request, metadata=metadata))
        self._tokens += [value for key, value in call.trailing_metadata() or () if key == "consistency-token"]
        return response

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """Try again while the service is away."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return attempt()
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _view(self) -> view_pb2.CustomerView:
        """The customer view, containing every write of the story so far."""
        name = f"{self.outcome.customer}/view"
        tokens, self._tokens = self._tokens or [""], []
        for token in tokens:
            request = view_service_pb2.GetCustomerViewRequest(name=name, consistency_token=token)
            view = self._patiently(partial(self._views.GetCustomerView, request))
        return view

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"Waited a minute for {what}. `rapport doctor` says what is wrong.")
            time.sleep(0.05)
