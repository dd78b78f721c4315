"""Every department's facts, on the customer's timeline and in their view."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.events.declarations import EVERY, Listening
from chassis.events.envelope import Event
from chassis.events.shown import Shown
from chassis.telemetry.tracing import trace_id
from customer.domain.timeline import INTERACTION, Channel, Direction, TimelineEntry
from customer.names import CUSTOMER
from customer.usecases.hot_views import HotViews
from customer.usecases.households import JOINED, LEFT, News
from customer.usecases.parts import SPECS, About, Fact, PartKind
from customer.usecases.reverting import deleted_among, forget_shown
from customer.usecases.views import Happened, apply
from rapport.customer.v1.customer_events_pb2 import CustomerDeleted

# Renamed when a release folds a type that it did not fold: it then hears again what the streams hold.
LISTENING = Listening("customer-view", EVERY, in_batches=True)
DELETED = CustomerDeleted.DESCRIPTOR.full_name


async def project(tx: Transaction, events: Sequence[Event[Any]], hot: HotViews) -> None:
    """Fold a batch of facts into timelines and views. Facts that name no customer concern no view.

    Of whom the service itself deleted nothing is shown any more, whenever something is told of them.
    """
    happened = [found for event in events if (found := _happened(event)) is not None]
    news = [heard for event in events if (heard := _news(event)) is not None]
    deleted = await deleted_among(tx, {each.customer_id for each in happened})
    happened = [each for each in happened if each.customer_id not in deleted]
    changed = await apply(tx, happened, news) if happened or news else []
    if gone := [CUSTOMER.ids(event.resource)[0] for event in events if event.type == DELETED]:
        await forget_shown(tx, gone)
        changed = [*changed, *gone]
    tx.after_commit(lambda: hot.committed(changed))


def _happened(event: Event[Any]) -> Happened | None:
    ids = CUSTOMER.match(event.shown.customer)
    if ids is None:
        return None
    # A contact is on the timeline from the moment it is recorded.
    entry = None if event.type == INTERACTION else _entry(event, ids[0])
    return Happened(ids[0], event.time, entry, _about(event))


def _entry(event: Event[Any], customer_id: UUID) -> TimelineEntry:
    """The entry of any fact, known or not: its attributes say it all."""
    shown = event.shown
    return TimelineEntry(
        id=event.id,
        customer_id=customer_id,
        # What is told has happened: nobody's entry stays the latest because it is of a future.
        occur_time=min(shown.occur_time or event.time, event.time),
        event_type=event.type,
        service=event.source,
        resource=event.resource,
        reference="",
        channel=Channel.__members__.get(shown.channel, Channel.UNSPECIFIED),  # of a later release
        direction=_direction(shown),
        topic=shown.topic,
        summary="",
        department=shown.department,
        actor=event.actor,
        trace_id=trace_id(event.traceparent),
        amount=shown.amount,
        currency_code=shown.currency_code,
        reason_code=shown.reason,
        outcome_code=shown.outcome,
    )


def _direction(shown: Shown) -> Direction:
    """A contact that does not say who spoke first was ours."""
    ours = Direction.OUTBOUND if shown.channel else Direction.UNSPECIFIED
    return Direction.__members__.get(shown.direction, ours)


def _about(event: Event[Any]) -> About | None:
    spec = SPECS.get(event.type)
    if spec is None or event.data is None or _is_shared(event):
        return None
    return About(spec.kind, event.resource, _fact(event))


def _news(event: Event[Any]) -> News | None:
    """What it says of a membership, which concerns all who belong to it."""
    if event.data is None:
        return None
    who = next(iter(CUSTOMER.match(event.shown.customer) or ()), None)
    if event.type in (JOINED, LEFT):
        return News(event.data.membership, "", who, _fact(event)) if who else None
    return News(event.data.membership, event.resource, who, _fact(event)) if _is_shared(event) else None


def _is_shared(event: Event[Any]) -> bool:
    """Whether it tells the balance of a membership."""
    spec = SPECS.get(event.type)
    return spec is not None and spec.kind is PartKind.BALANCE and bool(event.data.membership)


def _fact(event: Event[Any]) -> Fact:
    data = event.data.SerializeToString(deterministic=True)
    return Fact(event.resource_version, event.id, event.time, event.type, data)
