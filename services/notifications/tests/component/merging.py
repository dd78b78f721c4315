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
    await _regrouped(desk, names, survivors=names[:1] * 2, sequence=1)
    return names[1]


async def taken_apart(desk: Any, other: str) -> None:
    """The merge that gave the customer that name is undone."""
    names = [desk.customer, other]
    await _regrouped(desk, names, survivors=names, sequence=2)


async def _regrouped(desk: Any, names: list[str], survivors: list[str], sequence: int) -> None:
    merged = CustomersMerged(
        customer_merge=f"{names[0]}/merges/{uuid4()}",
        customers=names,
        survivors=survivors,
        sequence=sequence,
    )
    await desk.running.deliver(merged, resource=merged.customer_merge, source="customer")

    async def known() -> bool:
        of_one = (await groups_of(desk.running.app.db, CUSTOMER.ids(names[1]))).everybody
        return len(of_one) == survivors.count(survivors[1])

    await eventually(known)
