"""What any service tells that members earn for: rules say which events, found in the installed contracts."""

from collections.abc import Sequence
from typing import Any

from chassis.db.transaction import Transaction
from chassis.events.declarations import OTHERS, Listening
from chassis.events.envelope import Event
from chassis.inbox.subscription import BatchHandler
from loyalty.domain.value import ValueFormula
from loyalty.usecases.event_earning import Happened, earn_for_events

EARNING = Listening("loyalty-earning", OTHERS, in_batches=True)


def earning_by(formula: ValueFormula) -> BatchHandler:
    """Posts what members earn for events, each once; in whatever order they come."""

    async def on_events(tx: Transaction, events: Sequence[Event[Any]]) -> None:
        happened = [Happened(each.id, each.type, each.time, each.data) for each in events if each.data]
        await earn_for_events(tx, formula, happened)

    return on_events
