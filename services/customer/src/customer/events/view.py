"""Every department's facts, on the customer's timeline and in their view."""

from collections.abc import Sequence
from datetime import datetime
from types import ModuleType
from typing import Any

from google.protobuf.message import Message

from chassis.api.messages import decimal, enum_name, moment
from chassis.api.names import Pattern
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from chassis.telemetry.tracing import trace_id
from customer.domain.timeline import Channel, Direction, TimelineEntry
from customer.usecases.hot_views import HotViews
from customer.usecases.parts import SPECS, Fact, PartKind, channel_number
from customer.usecases.views import About, Happened, apply
from rapport.cases.v1 import cases_events_pb2
from rapport.customer.v1 import customer_events_pb2, timeline_pb2
from rapport.loyalty.v1 import loyalty_events_pb2
from rapport.notifications.v1 import notifications_events_pb2

_CUSTOMER = Pattern("customers/{customer}")
# A contact is on the timeline from the moment it is recorded; its fact only says that the view is to show it.
_ON_THE_TIMELINE_ALREADY = customer_events_pb2.InteractionRecorded.DESCRIPTOR.full_name
_EVENTS: dict[str, ModuleType] = {
    "customer": customer_events_pb2,
    "cases": cases_events_pb2,
    "loyalty": loyalty_events_pb2,
    "notifications": notifications_events_pb2,
}
SOURCES = tuple(_EVENTS)
# Facts that may be told long after: the field that says when it was.
_WHEN = {
    loyalty_events_pb2.PurchaseRecorded: "purchase_time",
    cases_events_pb2.PromiseMade: "make_time",
    cases_events_pb2.PromiseKept: "keep_time",
    cases_events_pb2.PromiseBroken: "due_time",
}


def durable(source: str) -> str:
    """The name of the consumer that projects what the service `source` tells."""
    return f"customer-view-{source}"


def messages(source: str) -> list[type[Message]]:
    """Every fact that the service `source` tells."""
    found = vars(_EVENTS[source]).values()
    return [value for value in found if isinstance(value, type) and issubclass(value, Message)]


class ViewProjector:
    """Folds batches of facts into timelines and views."""

    def __init__(self, hot: HotViews) -> None:
        self._hot = hot

    async def project(self, tx: Transaction, events: Sequence[Event[Any]]) -> None:
        """Apply a batch. Facts that name no customer concern no view."""
        happened = [found for event in events if (found := _happened(event)) is not None]
        changed = await apply(tx, happened) if happened else []
        tx.after_commit(lambda: self._hot.committed(changed))


def _happened(event: Event[Any]) -> Happened | None:
    ids = _CUSTOMER.match(event.data.customer)
    if ids is None:
        return None
    entry = None if event.type == _ON_THE_TIMELINE_ALREADY else _entry(event, ids[0])
    return Happened(ids[0], event.time, entry, _about(event))


def _entry(event: Event[Any], customer_id: Any) -> TimelineEntry:
    data = event.data
    is_notice = event.source == "notifications"
    is_purchase = isinstance(data, loyalty_events_pb2.PurchaseRecorded)
    return TimelineEntry(
        id=event.id,
        customer_id=customer_id,
        occur_time=_when(event),
        kind=data.DESCRIPTOR.name,
        source=event.source,
        resource=event.resource,
        channel=_channel(data) if is_notice else Channel.UNSPECIFIED,
        direction=Direction.OUTBOUND if is_notice else Direction.UNSPECIFIED,
        topic=_topic(event),
        summary="",
        actor=event.actor,
        trace_id=trace_id(event.traceparent),
        amount=decimal(data.amount) if is_purchase else None,
        currency_code=data.amount.currency_code if is_purchase else "",
    )


def _when(event: Event[Any]) -> datetime:
    field = _WHEN.get(type(event.data), "")
    return moment(getattr(event.data, field)) if field and event.data.HasField(field) else event.time


def _topic(event: Event[Any]) -> str:
    if isinstance(event.data, loyalty_events_pb2.PurchaseRecorded):
        return "corrected" if event.resource_version > 1 else ""
    return next(
        filter(None, (getattr(event.data, name, "") for name in ("topic", "kind", "reason_code"))), ""
    )


def _channel(data: Any) -> Channel:
    return Channel(enum_name(timeline_pb2.Channel.DESCRIPTOR, channel_number(getattr(data, "channel", ""))))


def _about(event: Event[Any]) -> About | None:
    spec = SPECS.get(event.type)
    if spec is None:
        return None
    version, resource = event.resource_version, event.resource
    if spec.kind is PartKind.LOYALTY:
        # The view shows the balance, not the transfer; the balance has a version of its own.
        version, resource = event.data.balance_version, "balance"
    fact = Fact(version, event.id, event.time, event.type, event.data.SerializeToString(deterministic=True))
    return About(spec.kind, resource, fact)
