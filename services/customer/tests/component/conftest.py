"""The customer service with its collaborators, for component tests."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf.message import Message

from chassis import ids
from chassis.clock import ManualClock
from chassis.context import Call, Principal, current_call
from chassis.events.envelope import Event, headers, parse
from customer.events.view import _happened
from customer.service import service
from customer.store.views import VIEWS_BY_ID
from customer.usecases.views import apply
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import (
    consent_service_pb2_grpc,
    customer_pb2,
    customer_service_pb2,
    customer_service_pb2_grpc,
    import_service_pb2_grpc,
    timeline_pb2,
    timeline_service_pb2,
    timeline_service_pb2_grpc,
    view_pb2,
    view_service_pb2,
    view_service_pb2_grpc,
)
from rapport_testing.running import Running, reason
from rapport_testing.wait import eventually

Type = customer_pb2.Identifier.Type


class Desk:
    """A running customer service and what a front desk does with it, in words."""

    def __init__(self, running: Running, clock: ManualClock) -> None:
        self.running = running
        self.clock = clock
        self.customers: Any = running.stub(customer_service_pb2_grpc.CustomerServiceStub)
        self.timeline: Any = running.stub(timeline_service_pb2_grpc.TimelineServiceStub)
        self.views: Any = running.stub(view_service_pb2_grpc.ViewServiceStub)
        self.consents: Any = running.stub(consent_service_pb2_grpc.ConsentServiceStub)
        self.imports: Any = running.stub(import_service_pb2_grpc.ImportServiceStub)

    def email(self, value: str) -> customer_pb2.Identifier:
        """An e-mail address to send in a request."""
        return customer_pb2.Identifier(type=Type.TYPE_EMAIL, value=value)

    def phone(self, value: str) -> customer_pb2.Identifier:
        """A phone number to send in a request."""
        return customer_pb2.Identifier(type=Type.TYPE_PHONE, value=value)

    def external(self, value: str) -> customer_pb2.Identifier:
        """An id in another system, `system:id`, to send in a request."""
        system, _, value = value.partition(":")
        return customer_pb2.Identifier(type=Type.TYPE_EXTERNAL_ID, system=system, value=value)

    def interaction(self, customer: str, **fields: Any) -> timeline_service_pb2.RecordInteractionRequest:
        """A valid contact to record: a call about a late delivery."""
        defaults = {
            "channel": channel_pb2.CHANNEL_VOICE,
            "direction": channel_pb2.DIRECTION_INBOUND,
            "topic": "late-delivery",
        }
        return timeline_service_pb2.RecordInteractionRequest(**{"parent": customer} | defaults | fields)

    async def create(self, *identifiers: customer_pb2.Identifier, **fields: Any) -> customer_pb2.Customer:
        """Create a customer."""
        customer = customer_pb2.Customer(identifiers=identifiers, **{"given_name": "Anna"} | fields)
        return await self.customers.CreateCustomer(
            customer_service_pb2.CreateCustomerRequest(customer=customer)
        )

    async def resolve(
        self, identifier: customer_pb2.Identifier, create: customer_pb2.Customer | None = None
    ) -> customer_service_pb2.ResolveCustomerResponse:
        """Find, or create, the customer of a handle."""
        request = customer_service_pb2.ResolveCustomerRequest(identifier=identifier, create=create)
        return await self.customers.ResolveCustomer(request)

    async def record(self, customer: str, **fields: Any) -> timeline_pb2.TimelineEntry:
        """Record a call of the customer."""
        return await self.timeline.RecordInteraction(self.interaction(customer, **fields))

    async def view(self, customer: str, **fields: Any) -> view_pb2.CustomerView:
        """The customer's view."""
        request = view_service_pb2.GetCustomerViewRequest(name=f"{customer}/view", **fields)
        return await self.views.GetCustomerView(request)

    async def view_when(
        self, customer: str, condition: Callable[[view_pb2.CustomerView], Any]
    ) -> view_pb2.CustomerView:
        """The customer's view, once it is as the condition says."""

        async def found() -> view_pb2.CustomerView | None:
            view = await self.view(customer)
            return view if condition(view) else None

        return await eventually(found)

    async def facts(self, *names: str) -> list[Any]:
        """What was published, oldest first, of the messages `names`, or everything."""
        published = await self.running.published()
        return [p for p in published if not names or p.type.rsplit(".", 1)[1] in names]

    async def deliver(self, message: Message, version: int = 1, **how: Any) -> UUID:
        """Let another service tell a fact, about the resource in its first field."""
        resource = getattr(message, message.DESCRIPTOR.fields[0].name)
        source = message.DESCRIPTOR.full_name.split(".")[1]
        return await self.running.deliver(message, resource=resource, version=version, source=source, **how)

    def event(self, message: Message, version: int, seconds: float) -> Event[Any]:
        """A fact of another service, about the resource in its first field, told `seconds` from now."""
        now = self.clock.now() + timedelta(seconds=seconds)
        source = message.DESCRIPTOR.full_name.split(".")[1]
        name, data = message.DESCRIPTOR.full_name, message.SerializeToString()
        row = {
            "id": ids.uuid7(now),
            "type": name,
            "resource": getattr(message, message.DESCRIPTOR.fields[0].name),
            "resource_version": version,
            "time": now,
            "actor": f"service:{source}",
            "correlation_id": "",
            "causation_id": uuid4(),
            "traceparent": "",
            "data": data,
        }
        return parse(headers(row, source), data, {name: type(message)})

    async def projected(self, events: Sequence[Event[Any]], batch: int) -> bytes:
        """The view's bytes after applying events in this order, in batches, and nothing of it afterwards."""
        db = self.running.db
        token = current_call.set(Call("test", Principal("service:customer")))
        try:
            for i in range(0, len(events), batch):
                happened = [found for each in events[i : i + batch] if (found := _happened(each))]
                async with db.transaction() as tx:
                    customer_ids = await apply(tx, happened)
            view: bytes = (await VIEWS_BY_ID.one(db, customer_ids=customer_ids))["view"]
            async with db.connection() as connection:
                for table in ("views", "view_parts", "timeline"):
                    await connection.execute(f"DELETE FROM {table}")
        finally:
            current_call.reset(token)
        return view


@pytest.fixture
async def desk(start: Callable[..., Awaitable[Running]], clock: ManualClock) -> Desk:
    """A running service."""
    return Desk(await start(service), clock)


@pytest.fixture
def open_desk(start: Callable[..., Awaitable[Running]], clock: ManualClock) -> Callable[..., Awaitable[Desk]]:
    """Starts a service with other settings or peers, or another replica of one."""

    async def begin(**how: Any) -> Desk:
        return Desk(await start(service, **how), clock)

    return begin


@pytest.fixture
def nobody() -> str:
    """The name of a customer who does not exist."""
    return f"customers/{uuid4()}"


@pytest.fixture
def refused() -> Callable[[Awaitable[Any]], Awaitable[str]]:
    """The code and reason of a call that must be refused: `NOT_FOUND RESOURCE_NOT_FOUND`."""

    async def answer(call: Awaitable[Any]) -> str:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        return f"{caught.value.code().name} {reason(caught.value)}"

    return answer
