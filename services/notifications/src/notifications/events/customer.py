"""Events of the customer service."""

from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from notifications.usecases.notice import decide_again
from rapport.customer.v1.customer_events_pb2 import PreferencesUpdated


async def on_preferences(tx: Transaction, event: Event[PreferencesUpdated]) -> None:
    """What waits for quiet to end is decided again: it may have ended."""
    await decide_again(tx, event.data.customer)
