"""What this service told itself: words of names are learnt, by which others are found that were mistaken."""

from collections.abc import Sequence
from typing import Any

from chassis.db.transaction import Transaction
from chassis.events.declarations import Listening
from chassis.events.envelope import Event
from customer.names import CUSTOMER
from customer.usecases.spelling import learn_words
from rapport.customer.v1.customer_events_pb2 import CustomerCreated, CustomerUpdated

NAMES = Listening("customer-words", "customer", [CustomerCreated, CustomerUpdated], in_batches=True)


async def on_names(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """Learn the words of customers that are new or changed."""
    await learn_words(tx, (CUSTOMER.ids(event.data.customer)[0] for event in events))
