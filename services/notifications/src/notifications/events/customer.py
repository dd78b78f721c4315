"""Events of the customer service."""

from chassis.api.messages import moment
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from notifications.usecases.contact import turned_to_us
from notifications.usecases.notice import decide_again
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.customer_events_pb2 import InteractionRecorded, PreferencesUpdated


async def on_preferences(tx: Transaction, event: Event[PreferencesUpdated]) -> None:
    """What waits for quiet to end is decided again: it may have ended."""
    await decide_again(tx, event.data.customer)


async def on_inbound(tx: Transaction, event: Event[InteractionRecorded]) -> None:
    """Whoever was sent something turned to us all the same: it is noted on what they were sent."""
    told = event.data
    if told.direction == channel_pb2.DIRECTION_INBOUND:
        await turned_to_us(tx, told.customer, moment(told.occur_time), told.resource, told.reference)
