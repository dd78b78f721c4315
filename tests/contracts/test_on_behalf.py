"""One question through two services: whoever asks is told what they may see in each, and no more."""

from datetime import timedelta
from typing import Any

import cases.service
import customer.service
from chassis.api.actors import what
from chassis.api.messages import timestamp
from rapport.cases.v1 import promise_pb2, promise_service_pb2
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.customer.v1 import customer_pb2, customer_service_pb2, timeline_service_pb2
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually


async def test_a_service_is_asked_on_behalf_of_whoever_asked(start: Any, clock: ManualClock) -> None:
    promising = await start(cases.service.service)
    asked = await start(customer.service.service, peers={"cases": promising.address})
    created = await asked.stub(CustomerServiceStub).CreateCustomer(
        customer_service_pb2.CreateCustomerRequest(customer=customer_pb2.Customer(display_name="Ada"))
    )
    promise = promise_pb2.Promise(
        customer=created.name,
        department="departments/front-desk",
        kind="refund",
        due_time=timestamp(clock.now() + timedelta(days=2)),
    )
    await promising.stub(PromiseServiceStub).MakePromise(
        promise_service_pb2.MakePromiseRequest(promise=promise)
    )

    async def entry() -> str:
        page = await asked.stub(TimelineServiceStub).ListTimelineEntries(
            timeline_service_pb2.ListTimelineEntriesRequest(parent=created.name)
        )
        return next((e.name for e in page.timeline_entries if e.resource.startswith("promises/")), "")

    question = timeline_service_pb2.ExplainTimelineEntryRequest(name=await eventually(entry))

    async def told(*permissions: str) -> list[tuple[str, str, str]]:
        reader = asked.stub(TimelineServiceStub, permissions, "agent:bob")
        causes = (await reader.ExplainTimelineEntry(question)).causes
        return [(cause.service, what(cause).rpartition(".")[2], cause.actor) for cause in causes]

    made = ("services/cases", "PromiseMade", "agents/alice")
    assert await told("customer.timeline_entries.read", "cases.promises.read") == [
        made,
        ("services/cases", "PromiseService/MakePromise", "agents/alice"),
    ]
    # What is known here, and nothing that cases knows.
    assert await told("customer.timeline_entries.read") == [made]
