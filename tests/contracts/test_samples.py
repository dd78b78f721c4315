"""Recorded events stay readable: every sample decodes, and every consumer handles it."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any
from uuid import UUID

import grpc
import pytest
import sqlalchemy as sa
from google.protobuf.json_format import Parse
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from chassis.api.messages import timestamp
from chassis.db.schema import INBOX
from chassis.db.statement import Statement
from chassis.events.registry import events
from customer.store.timeline import LATEST_IN_VIEW
from deploy.services import TELLING as SERVICES
from rapport.cases.v1 import promise_pb2, promise_service_pb2
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.common.v1.value_band_pb2 import VALUE_BAND_STANDARD
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.notifications.v1.notifications_events_pb2 import NoticeSent
from rapport.operations.v1.operations_service_pb2 import GetBacklogRequest
from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running
from rapport_testing.wait import eventually
from tests.contracts.record import SAMPLES, missing, recorded, sample

EVENTS = events()
NOWHERE = dict.fromkeys(SERVICES, "127.0.0.1:9")
_HANDLED = Statement[Any](
    sa.select(INBOX.c.event_id, INBOX.c.consumer).where(INBOX.c.consumer == sa.bindparam("consumer"))
)

Prepare = Callable[[Running, ManualClock], Awaitable[None]]


@pytest.mark.parametrize("full_name", EVENTS)
def test_every_field_of_every_event_is_in_a_recorded_sample(full_name: str) -> None:
    assert missing(full_name, EVENTS[full_name]) == set(), "run python -m tests.contracts.record"


def test_no_event_that_was_ever_recorded_is_gone() -> None:
    assert {path.name.rsplit(".", 2)[0] for path in SAMPLES.glob("*.bin")} == set(EVENTS)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.bin")), ids=lambda path: path.stem)
def test_a_recorded_sample_means_what_it_meant(path: Any) -> None:
    decoded = EVENTS[path.name.rsplit(".", 2)[0]].FromString(path.read_bytes())
    assert decoded == Parse(path.with_suffix(".json").read_text(), type(decoded)())
    assert len(UnknownFieldSet(decoded)) == 0  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("name", SERVICES)
async def test_a_consumer_handles_every_recorded_sample(start: Any, clock: ManualClock, name: str) -> None:
    running = await start(import_module(f"{name}.service").service, peers=NOWHERE, smtp_host="127.0.0.1")
    await PREPARE.get(name, nothing)(running, clock)
    delivered = {
        subscription.durable: {
            await deliver(running, message, path.read_bytes(), subscription.source)
            for full_name, message in subscription.messages.items()
            for path in recorded(full_name)
        }
        for subscription in running.app.subscriptions
    }
    assert delivered
    for durable, ids in delivered.items():
        assert ids

        async def handled(durable: str = durable, ids: set[UUID] = ids) -> bool:
            # Two consumers may listen to one message: each handles what was delivered for the other, too.
            return ids <= {row["event_id"] for row in await _HANDLED.all(running.db, consumer=durable)}

        await eventually(handled, 30)

    async def nothing_is_set_aside() -> bool:
        # What waited for a row that another consumer held is handled a moment later.
        backlog = await running.stub(OperationsServiceStub).GetBacklog(
            GetBacklogRequest(name=f"services/{running.db.service}/backlog")
        )
        return not backlog.set_aside

    await eventually(nothing_is_set_aside, 30)


async def deliver(running: Running, message: type[Message], data: bytes, source: str) -> UUID:
    """Publish a recorded event; its first field is the resource it is about."""
    decoded = message.FromString(data)
    resource = getattr(decoded, message.DESCRIPTOR.fields[0].name)
    return await running.deliver(decoded, resource=resource, source=source)


async def nothing(running: Running, clock: ManualClock) -> None:
    """Most consumers need to know nothing in advance."""


async def the_promise_of_the_notice(running: Running, clock: ManualClock) -> None:
    """Cases knows every promise that a notice is about; here the one that the sample names."""
    promises = running.stub(PromiseServiceStub)
    made = await promises.MakePromise(
        promise_service_pb2.MakePromiseRequest(
            promise=promise_pb2.Promise(
                customer=sample(NoticeSent).customer,  # type: ignore[attr-defined]
                department="departments/delivery",
                kind="delivery",
                due_time=timestamp(clock.now().replace(day=5)),
            )
        )
    )
    wanted = sample(NoticeSent).promise  # type: ignore[attr-defined]
    async with running.db.connection() as connection:
        await connection.execute(
            "UPDATE promises SET id = $1 WHERE id = $2",
            UUID(wanted.removeprefix("promises/")),
            UUID(made.name.removeprefix("promises/")),
        )


PREPARE: dict[str, Prepare] = {"cases": the_promise_of_the_notice}


async def test_recorded_samples_become_the_view_of_their_customer(start: Any) -> None:
    running = await start(import_module("customer.service").service, peers=NOWHERE)
    for subscription in running.app.subscriptions:
        for full_name, message in subscription.messages.items():
            if full_name.endswith("CustomerDeleted"):  # nothing is shown of them any more
                continue
            for path in recorded(full_name):
                await deliver(running, message, path.read_bytes(), subscription.source)
    name = f"{sample(NoticeSent).customer}/view"  # type: ignore[attr-defined]
    views: Any = running.stub(ViewServiceStub)

    async def whole() -> Any:
        try:
            view = await views.GetCustomerView(GetCustomerViewRequest(name=name))
        except grpc.aio.AioRpcError:  # nothing is projected yet
            return None
        parts = (
            view.notices,
            view.loyalty.balances,
            view.loyalty.goodwill,
            view.value.band,
            view.cases,
            view.promises,
        )
        return view if len(view.latest_timeline_entries) == LATEST_IN_VIEW and all(parts) else None

    view = await eventually(whole, 30)
    assert {part.promise for part in view.promises} >= {sample(NoticeSent).promise}  # type: ignore[attr-defined]
    assert {part.reason_code for part in view.loyalty.goodwill} == {"promise-renegotiated"}
    assert view.value.band == VALUE_BAND_STANDARD
    assert view.cases[0].owner == "agents/alice"
