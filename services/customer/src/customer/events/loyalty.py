"""Purchases: who buys is no prospect any more."""

from collections.abc import Sequence
from typing import Any

from chassis.api.messages import decimal, moment
from chassis.db.transaction import Transaction
from chassis.events.declarations import Listening
from chassis.events.envelope import Event
from customer.names import CUSTOMER
from customer.usecases.prospects import Bought, convert
from rapport.loyalty.v1.loyalty_events_pb2 import PurchaseCorrected, PurchaseRecorded

PURCHASES = Listening("customer-prospects", "loyalty", [PurchaseRecorded, PurchaseCorrected], in_batches=True)


async def on_purchases(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """Who bought, or claimed what was bought, is a customer. What is given back was not bought."""
    bought = [
        Bought(ids[0], event.data.purchase, moment(event.data.purchase_time), event.causing(tx.call))
        for event in events
        if (ids := CUSTOMER.match(event.data.customer)) and decimal(event.data.amount) >= 0
    ]
    await convert(tx, bought)
