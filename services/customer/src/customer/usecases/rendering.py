"""The customer view as one document: a pure function of what is stored about a customer.

Beside departments' sections, which are drawn where they are put and added where a view is read.
"""

from collections.abc import Sequence
from uuid import UUID

from chassis.api.actors import actor_name, service_name
from chassis.api.messages import money, timestamp
from customer.domain.customers import Customer
from customer.domain.timeline import Channel, Direction, TimelineEntry
from customer.names import CUSTOMER, ENTRY, VIEW
from customer.store.tables import ViewRow
from customer.store.views import ShownPart
from customer.usecases.parts import PartKind, excerpt
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import timeline_pb2, view_pb2

_CHANNELS = {channel: channel_pb2.Channel.Value(f"CHANNEL_{channel}") for channel in Channel}
_DIRECTIONS = {direction: channel_pb2.Direction.Value(f"DIRECTION_{direction}") for direction in Direction}


def rendered(
    customer_id: UUID,
    customer: Customer | None,
    parts: Sequence[ShownPart],
    entries: Sequence[TimelineEntry],
    row: ViewRow,
) -> bytes:
    """The serialised view, the same bytes for the same arguments.

    Args:
        customer_id: whose view it is.
        customer: their profile; None when facts about them came before they did.
        parts: what to show, latest change first.
        entries: the latest of the timeline, newest first.
        row: how many parts are live, shown or not, and when the latest fact happened.
    """
    view = view_pb2.CustomerView(
        name=VIEW.format(customer_id),
        customer=CUSTOMER.format(customer_id),
        update_time=timestamp(row.update_time),
        open_promise_count=row.open_promises,
        open_case_count=row.open_cases,
    )
    if customer is not None:
        _profile(view, customer)
    for part in parts:
        _show(view, PartKind(part.kind), part.part)
    view.latest_timeline_entries.extend(excerpt(entry_message(entry)) for entry in entries)
    return view.SerializeToString(deterministic=True)


def entry_message(entry: TimelineEntry) -> timeline_pb2.TimelineEntry:
    """A timeline entry as the contract has it. Written out, because a page has up to a thousand of them."""
    return timeline_pb2.TimelineEntry(
        name=ENTRY.format(entry.customer_id, entry.id),
        occur_time=timestamp(entry.occur_time),
        event_type=entry.event_type,
        service=service_name(entry.service),
        resource=entry.resource,
        reference=entry.reference,
        channel=_CHANNELS[entry.channel],
        direction=_DIRECTIONS[entry.direction],
        topic=entry.topic,
        summary=entry.summary,
        department=entry.department,
        actor=actor_name(entry.actor, entry.service),
        trace_id=entry.trace_id,
        amount=None if entry.amount is None else money(entry.amount, entry.currency_code),
        reason_code=entry.reason_code,
    )


def _profile(view: view_pb2.CustomerView, customer: Customer) -> None:
    view.display_name = customer.shown_name
    view.relationship_manager = customer.relationship_manager
    view.language_code = customer.language_code
    view.time_zone = customer.time_zone
    view.profile_source.service = service_name("customer")
    view.profile_source.resource_version = customer.version
    view.profile_source.occur_time.CopyFrom(timestamp(customer.update_time))


def _show(view: view_pb2.CustomerView, kind: PartKind, part: bytes) -> None:
    if kind is PartKind.PROMISE:
        view.promises.add().MergeFromString(part)
    elif kind is PartKind.CASE:
        view.cases.add().MergeFromString(part)
    elif kind is PartKind.NOTICE:
        view.notices.add().MergeFromString(part)
    elif kind is PartKind.GOODWILL:
        view.loyalty.goodwill.add().MergeFromString(part)
    elif kind is PartKind.BALANCE:
        view.loyalty.balances.add().MergeFromString(part)
    else:
        view.value.MergeFromString(part)
