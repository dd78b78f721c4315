"""Whether who was sent a message turned to us all the same: what a message is worth is said by that."""

from datetime import datetime, timedelta

from chassis.db.aliases import lock_person
from chassis.db.transaction import Transaction
from notifications.names import CUSTOMER
from notifications.store.figures import NOTE_CONTACT

WITHIN = timedelta(days=7)  # a contact later than that is not put down to a message


async def turned_to_us(
    tx: Transaction, customer: str, occur_time: datetime, resource: str, reference: str
) -> None:
    """Note a contact on what the person was sent before it, by any of their names; the first one counts."""
    ids = await lock_person(tx, *CUSTOMER.ids(customer))
    await NOTE_CONTACT.run(
        tx,
        customers=[CUSTOMER.format(each) for each in ids],
        occur_time=occur_time,
        since=occur_time - WITHIN,
        resource=resource,
        reference=reference,
    )
