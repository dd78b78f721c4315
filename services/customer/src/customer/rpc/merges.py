"""CustomerMergeService."""

from collections.abc import Sequence
from typing import Any

from chassis import ids
from chassis.api.actors import actor_name, service_name
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.explain.explainer import explain
from chassis.grpc.methods import change
from chassis.inbox.freshness import Freshness
from chassis.servicer import Rpc
from customer import names
from customer.domain.merges import CustomerMerge
from customer.store import merges as store
from customer.store.tables import CUSTOMERS_BY_ID
from customer.usecases.hot_views import HotViews
from customer.usecases.merges import create_merge, names_beside, past, undo_merge
from customer.usecases.rendering import entry_message
from rapport.customer.v1 import customer_merge_pb2
from rapport.customer.v1 import customer_merge_service_pb2 as pb
from rapport.customer.v1.customer_merge_service_pb2_grpc import CustomerMergeServiceServicer


def _shown(merge: CustomerMerge) -> customer_merge_pb2.CustomerMerge:
    """As the contract has it, but for what others say of it."""
    service = "customer"
    who = {"actor": actor_name(merge.actor, service)}
    if merge.undo_actor:
        who["undo_actor"] = actor_name(merge.undo_actor, service)
    return to_message(customer_merge_pb2.CustomerMerge, merge, **who)


class CustomerMergeRpc(Rpc, CustomerMergeServiceServicer):
    """Merges."""

    hot: HotViews
    freshness: Freshness
    projecting: Sequence[str]  # the services that project merges, whether they have been heard of or not

    CreateCustomerMerge = change(pb.CreateCustomerMergeRequest, create_merge, _shown)
    UndoCustomerMerge = change(pb.UndoCustomerMergeRequest, undo_merge, _shown)
    ExplainCustomerMerge = explain(names.CUSTOMER_MERGE, store.MERGE, _shown)

    async def GetCustomerMerge(
        self, request: pb.GetCustomerMergeRequest, context: Any
    ) -> customer_merge_pb2.CustomerMerge:
        """Get a merge, with who does not know it yet, and what the customer was called who was led on."""
        merge = await found(
            self.db, names.CUSTOMER_MERGE, store.MERGE, *names.CUSTOMER_MERGE.ids(request.name)
        )
        (shown,) = await self._shown_whole([merge])
        return shown

    async def ListCustomerMerges(
        self, request: pb.ListCustomerMergesRequest, context: Any
    ) -> pb.ListCustomerMergesResponse:
        """List merges, newest first; of one customer, by whichever name."""
        of = {"customer_id": names.CUSTOMER.ids(request.customer)[0]} if request.customer else {}
        listing = store.LIST_MERGES_OF if of else store.LIST_MERGES
        merges, token = await listing.page_together(self.db, request, self._shown_whole, **of)
        return pb.ListCustomerMergesResponse(customer_merges=merges, next_page_token=token)

    async def ListCustomerMergeEntries(
        self, request: pb.ListCustomerMergeEntriesRequest, context: Any
    ) -> pb.ListCustomerMergeEntriesResponse:
        """List what was recorded under the names that survived, while the merge held."""
        store.LIST_MEANWHILE.check(request)
        (merge_id,) = names.CUSTOMER_MERGE.parse(request.parent, "parent")
        merge = await found(self.db, names.CUSTOMER_MERGE, store.MERGE, merge_id)
        until = merge.undo_time or self.db.clock.now()
        entries, token = await store.LIST_MEANWHILE.page(
            self.db,
            request,
            entry_message,
            names=await names_beside(self.db, merge),
            first_id=ids.floor(merge.create_time),
            past_id=past(until),
        )
        return pb.ListCustomerMergeEntriesResponse(timeline_entries=entries, next_page_token=token)

    async def _shown_whole(
        self, merges: Sequence[CustomerMerge]
    ) -> Sequence[customer_merge_pb2.CustomerMerge]:
        ids = {each.merged_customer_id for each in merges}
        called = {each.id: each.shown_name for each in await CUSTOMERS_BY_ID.all(self.db, ids=[*ids])}
        return [self._whole(each, called.get(each.merged_customer_id, "")) for each in merges]

    def _whole(self, merge: CustomerMerge, called: str) -> customer_merge_pb2.CustomerMerge:
        shown = _shown(merge)
        shown.merged_display_name = called
        shown.unaware_services.extend(
            map(service_name, self.freshness.unaware(merge.known_by, self.projecting))
        )
        return shown
