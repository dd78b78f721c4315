"""TimelineService."""

from collections.abc import Sequence
from typing import Any

from chassis.api.decoding import into
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.context import Call
from chassis.db.transaction import Transaction
from chassis.errors import Refusal
from chassis.facts import Why
from chassis.grpc.ingest import ingest
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from customer import names
from customer.domain.timeline import INTERACTION, TimelineEntry
from customer.store import timeline as store
from customer.store.customers import CUSTOMER
from customer.usecases.rendering import entry_message
from customer.usecases.timeline import RecordInteraction, record_batch, record_interactions
from rapport.common.v1 import explanation_pb2
from rapport.customer.v1 import timeline_pb2
from rapport.customer.v1 import timeline_service_pb2 as pb
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceServicer

_RECORD = into(pb.RecordInteractionRequest, RecordInteraction)


def _recorded(entries: Sequence[TimelineEntry]) -> pb.BatchRecordInteractionsResponse:
    return pb.BatchRecordInteractionsResponse(timeline_entries=map(entry_message, entries))


class TimelineRpc(Rpc, TimelineServiceServicer):
    """The timeline of a customer."""

    @ingest(lambda self, request, now: _RECORD(request))
    async def RecordInteraction(
        self, commands: Sequence[RecordInteraction], calls: Sequence[Call], tx: Transaction
    ) -> list[timeline_pb2.TimelineEntry | Refusal]:
        """Record contacts, those that arrive together in one transaction."""
        recorded = await record_interactions(tx, commands, calls)
        return [each if isinstance(each, Refusal) else entry_message(each) for each in recorded]

    BatchRecordInteractions = change(pb.BatchRecordInteractionsRequest, record_batch, _recorded)
    GetTimelineEntry = get(names.ENTRY, store.ENTRY, entry_message)
    ListTimelineEntries = listing(
        pb.ListTimelineEntriesResponse, store.LIST_ENTRIES, entry_message, parent=(names.CUSTOMER, CUSTOMER)
    )

    async def ExplainTimelineEntry(
        self, request: pb.ExplainTimelineEntryRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Explain an entry; that of a fact by the fact. What the entry itself says is kept for ever."""
        entry = await found(self.db, names.ENTRY, store.ENTRY, *names.ENTRY.ids(request.name))
        message = entry_message(entry)
        known = to_message(
            explanation_pb2.Cause, message, resource=entry.resource or message.name, id=str(entry.id)
        )
        return await self.explainer.explain(
            request,
            message,
            lambda _: Why(f"{message.actor} is behind this: {entry.event_type}, told by {message.service}."),
            event=None if entry.event_type == INTERACTION else entry.id,
            known=known,
        )
