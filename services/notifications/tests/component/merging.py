"""Customers who were merged."""

from typing import Any
from uuid import uuid4

from chassis.db.aliases import groups_of
from notifications.names import CUSTOMER
from rapport.customer.v1.customer_events_pb2 import CustomersMerged
from rapport_testing.wait import eventually


async def another_name(desk: Any) -> str:
    """Another name of the customer, as a merge has it."""
    names = [desk.customer, f"customers/{uuid4()}"]
    merged = CustomersMerged(
        customer_merge=f"{names[0]}/merges/{uuid4()}", customers=names, survivors=names[:1] * 2, sequence=1
    )
    await desk.running.deliver(merged, resource=merged.customer_merge, source="customer")

    async def known() -> bool:
        return len((await groups_of(desk.running.app.db, CUSTOMER.ids(names[1]))).everybody) == 2

    assert await eventually(known)
    return names[1]
