"""What somebody earns by several names."""

from typing import Any
from uuid import UUID, uuid4

from chassis.db.aliases import groups_of
from rapport.customer.v1.customer_events_pb2 import CustomersMerged
from rapport.loyalty.v1.membership_service_pb2 import ListMembershipsRequest
from rapport.loyalty.v1.purchase_service_pb2 import BatchRecordPurchasesRequest, RecordPurchaseRequest
from rapport_testing.wait import eventually

from .earning import held, in_force
from .test_purchase_lines import basket, line


async def are_one(running: Any, names: list[str]) -> None:
    """Have the service learn that customers were merged."""
    merge = f"customerMerges/{uuid4()}"
    survivors = [names[0] for _ in names]
    about = {"customer_merge": merge, "customer": names[0], "merged_customer": names[1]}
    fact = CustomersMerged(**about, customers=names, survivors=survivors, sequence=1)
    await running.deliver(fact, resource=merge, version=1, source="customer")
    ids = [UUID(name.partition("/")[2]) for name in names]

    async def known() -> bool:
        return len((await groups_of(running.db, ids)).members) == 1

    await eventually(known)


async def test_who_buys_by_two_names_in_one_batch_becomes_a_member_once(desk: Any, running: Any) -> None:
    await in_force(desk)
    names = [f"customers/{uuid4()}" for _ in range(2)]
    await are_one(running, names)
    rows = [
        RecordPurchaseRequest(purchase=basket(line("a", "1", "40"), customer=name), import_key=f"till:{i}")
        for i, name in enumerate(names)
    ]
    request = BatchRecordPurchasesRequest(requests=rows, request_id=str(uuid4()))
    await desk.purchases.BatchRecordPurchases(request)
    asked = ListMembershipsRequest(parent="programs/main", filter=f'customer = "{names[0]}"')
    assert len((await desk.memberships.ListMemberships(asked)).memberships) == 1
    assert (await held(desk, names[0]))["MEMBERSHIP"] == 80
