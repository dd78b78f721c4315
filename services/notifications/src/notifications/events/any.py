"""Events of any other service, which policies say what to do with; found in the installed contracts."""

from collections.abc import Sequence
from typing import Any

from chassis.db.transaction import Transaction
from chassis.events.declarations import OTHERS, Listening
from chassis.events.envelope import Event
from chassis.inbox.subscription import BatchHandler
from notifications.usecases.trigger import react

TRIGGERS = Listening("notifications-triggers", OTHERS, in_batches=True)


def triggered(per_customer: int) -> BatchHandler:
    """Requests what policies tell of events, each once; at most `per_customer` of a policy within a day."""

    async def on_events(tx: Transaction, events: Sequence[Event[Any]]) -> None:
        await react(tx, per_customer, events)

    return on_events
