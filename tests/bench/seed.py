"""What is there before a measurement begins."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from google.type.money_pb2 import Money

from chassis import ids
from chassis.api.messages import timestamp
from chassis.clock import Clock
from customer.domain.timeline import INTERACTION
from customer.store.tables import TIMELINE
from customer.store.timeline import INSERT_ENTRIES
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
    identifier_pb2,
    timeline_pb2,
    timeline_service_pb2,
    view_service_pb2,
)
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.loyalty.v1 import purchase_pb2, purchase_service_pb2
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport_testing.wait import eventually
from tests.bench.platform import Platform, Started

CONTACTS = 12
USUAL, CASES, BATCH = 30, 3, 500
CONSISTENCY = "consistency-token"
_CUSTOMERS = """
    WITH made AS (
        INSERT INTO customers
        SELECT gen_random_uuid(), 'Anna' || n % 26 || ' Sommer' || n % 21, '', '', '', '', '', '', '', '', '',
               'en', 'UTC', '', 'agents/a', now(), now(), 1
        FROM generate_series(1, $1::integer) n
        RETURNING id
    )
    INSERT INTO identifiers
    SELECT gen_random_uuid(), id, 'PHONE', '', '', '+4930' || 1000000 + row_number() OVER (), 'VALID', now()
    FROM made
"""


def interaction(customer: str) -> timeline_service_pb2.RecordInteractionRequest:
    """A contact to record."""
    return timeline_service_pb2.RecordInteractionRequest(
        parent=customer,
        timeline_entry=timeline_pb2.TimelineEntry(
            channel=channel_pb2.CHANNEL_VOICE,
            direction=channel_pb2.DIRECTION_INBOUND,
            topic="delivery",
            summary="Asked when the parcel arrives. Promised to call back.",
        ),
    )


async def customer(platform: Platform, service: Started) -> str:
    """The name of a new customer with two handles."""
    stub = platform.stub(CustomerServiceStub, service.address)
    unique = uuid4().hex
    handle, kinds = identifier_pb2.Identifier, identifier_pb2.Identifier.Type
    created = await stub.CreateCustomer(
        customer_service_pb2.CreateCustomerRequest(
            customer=customer_pb2.Customer(
                person=customer_pb2.Person(given_name="Grace", family_name="Hopper"),
                identifiers=[
                    handle(type=kinds.TYPE_EMAIL, value=f"{unique}@example.com"),
                    handle(type=kinds.TYPE_EXTERNAL_ID, system="shop", value=unique),
                ],
            )
        ),
        timeout=10,
        metadata=platform.identity,
    )
    return str(created.name)


async def customer_with_view(platform: Platform, service: Started) -> tuple[str, int]:
    """The name of a customer with contacts, and the size of their view in bytes."""
    name = await customer(platform, service)
    timeline = platform.stub(TimelineServiceStub, service.address)
    views = platform.stub(ViewServiceStub, service.address)
    for _ in range(CONTACTS):
        await timeline.RecordInteraction(interaction(name), timeout=10, metadata=platform.identity)

    async def shown() -> Any:
        view = await views.GetCustomerView(
            view_service_pb2.GetCustomerViewRequest(name=f"{name}/view"),
            timeout=10,
            metadata=platform.identity,
        )
        return view if len(view.latest_timeline_entries) >= CONTACTS else None

    return name, (await eventually(shown)).ByteSize()


async def customer_of_everything(
    platform: Platform, services: Mapping[str, Started], many: int = USUAL
) -> str:
    """The name of a customer with so many contacts, purchases and promises, and a few cases."""
    name = await customer(platform, services["customer"])
    stubs = {
        each: platform.stub(each, services[service].address)
        for each, service in (
            (TimelineServiceStub, "customer"),
            (PurchaseServiceStub, "loyalty"),
            (PromiseServiceStub, "cases"),
            (CaseServiceStub, "cases"),
            (WorkItemServiceStub, "cases"),
        )
    }
    told: dict[str, Any] = {"timeout": 60, "metadata": platform.identity}
    for begin in range(0, many, BATCH):
        some = range(begin, min(begin + BATCH, many))
        await stubs[TimelineServiceStub].BatchRecordInteractions(
            timeline_service_pb2.BatchRecordInteractionsRequest(requests=[interaction(name) for _ in some]),
            **told,
        )
        bought = [_purchase(name, n) for n in some]
        await stubs[PurchaseServiceStub].BatchRecordPurchases(
            purchase_service_pb2.BatchRecordPurchasesRequest(requests=bought, request_id=str(uuid4())), **told
        )
        await stubs[PromiseServiceStub].BatchMakePromises(
            promise_service_pb2.BatchMakePromisesRequest(requests=[_promise(name, n) for n in some]), **told
        )
    for _ in range(CASES):
        request = case_service_pb2.OpenCaseRequest(
            case=case_pb2.Case(customer=name, topic="delivery", owner="agents/front-desk")
        )
        case = await stubs[CaseServiceStub].OpenCase(request, **told)
        item = work_item_pb2.WorkItem(case=case.name, department="departments/front-desk", kind="deliver")
        await stubs[WorkItemServiceStub].CreateWorkItem(
            work_item_service_pb2.CreateWorkItemRequest(work_item=item), **told
        )
    return name


def _purchase(customer: str, number: int) -> purchase_service_pb2.RecordPurchaseRequest:
    at = Clock().now() - timedelta(days=number % 700, minutes=number)
    purchase = purchase_pb2.Purchase(
        customer=customer,
        amount=Money(currency_code="USD", units=10 + number % 90),
        purchase_time=timestamp(at),
        reference=f"order-{number}",
    )
    return purchase_service_pb2.RecordPurchaseRequest(purchase=purchase)


def _promise(customer: str, number: int) -> promise_service_pb2.MakePromiseRequest:
    promise = promise_pb2.Promise(
        customer=customer,
        department="departments/front-desk",
        kind="delivery",
        reference=f"order-{number}",
        due_time=timestamp(Clock().now() + timedelta(days=1 + number % 300)),
    )
    return promise_service_pb2.MakePromiseRequest(promise=promise)


async def customers(service: Started, count: int) -> None:
    """Make so many customers, of some hundred names, each with a number of their own."""
    connection: Any = await asyncpg.connect(service.database_url)
    try:
        await connection.execute(_CUSTOMERS, count, timeout=60)
        await connection.execute("ANALYZE customers, identifiers")
    finally:
        await connection.close()


async def timeline_of(service: Started, customers: Sequence[tuple[str, int]]) -> None:
    """Give customers that many timeline entries each."""
    now = Clock().now()
    defaults = {
        "occur_time": now,
        "event_type": INTERACTION,
        "service": "customer",
        "resource": "",
        "reference": "",
        "channel": "VOICE",
        "direction": "INBOUND",
        "topic": "delivery",
        "summary": "Asked when the parcel arrives.",
        "actor": "agent:alice",
        "trace_id": "",
        "department": "",
        "reason_code": "",
        "amount": None,
        "currency_code": "",
        "assigned_customer_id": None,
        "version": 1,
    }
    connection: Any = await asyncpg.connect(service.database_url)
    try:
        for name, count in customers:
            customer_id = UUID(name.rpartition("/")[2])
            rows = (defaults | {"id": ids.uuid7(now), "customer_id": customer_id} for _ in range(count))
            await connection.copy_records_to_table(
                TIMELINE.name,
                records=[tuple(row[column] for column in INSERT_ENTRIES.columns) for row in rows],
                columns=INSERT_ENTRIES.columns,
            )
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
