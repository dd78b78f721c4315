"""TimelineService."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.context import Call
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, Refusal
from chassis.explain.explainer import Explainer
from chassis.facts import Why
from chassis.grpc.ingest import ingest
from chassis.grpc.mutation import mutation
from customer.domain.names import customer_name
from customer.domain.timeline import INTERACTION, Channel, Direction
from customer.rpc import names
from customer.store.customers import KNOWN_CUSTOMERS
from customer.store.timeline import ENTRY, LIST_ENTRIES
from customer.usecases.rendering import entry_message
from customer.usecases.timeline import RecordInteraction, record_interactions
from rapport.common.v1 import channel_pb2, explanation_pb2
from rapport.customer.v1 import timeline_pb2, timeline_service_pb2, timeline_service_pb2_grpc

_CHANNEL = channel_pb2.Channel.DESCRIPTOR
_DIRECTION = channel_pb2.Direction.DESCRIPTOR
_SUMMARY_MAX = 4000
_AHEAD = timedelta(days=1)


def _command(
    check: Check, request: timeline_service_pb2.RecordInteractionRequest, now: datetime
) -> RecordInteraction:
    (customer_id,) = check.name(names.CUSTOMER, request.parent, "parent")
    channel = check.enum(_CHANNEL, request.channel, "channel")
    direction = check.enum(_DIRECTION, request.direction, "direction")
    return RecordInteraction(
        customer_id=customer_id,
        channel=Channel(channel),
        direction=Direction(direction),
        topic=check.code(request.topic, "topic", required=False),
        summary=check.text(request.summary, "summary", max=_SUMMARY_MAX, required=False),
        resource=check.reference(request.resource, "resource"),
        occur_time=check.moment(request, "occur_time", latest=now + _AHEAD, required=False),
    )


def _asked(
    _: object, request: timeline_service_pb2.RecordInteractionRequest, now: datetime
) -> RecordInteraction:
    check = Check()
    command = _command(check, request, now)
    check.raise_if_any()
    return command


class TimelineRpc(timeline_service_pb2_grpc.TimelineServiceServicer):
    """The timeline of a customer."""

    def __init__(self, db: Database, explainer: Explainer) -> None:
        self.db = db
        self._explainer = explainer

    @ingest(_asked)
    async def RecordInteraction(
        self, commands: Sequence[RecordInteraction], calls: Sequence[Call], tx: Transaction
    ) -> list[timeline_pb2.TimelineEntry | Refusal]:
        """Record contacts, those that arrive together in one transaction."""
        recorded = await record_interactions(tx, commands, calls)
        return [each if isinstance(each, Refusal) else entry_message(each) for each in recorded]

    @mutation
    async def BatchRecordInteractions(
        self, request: timeline_service_pb2.BatchRecordInteractionsRequest, tx: Transaction
    ) -> timeline_service_pb2.BatchRecordInteractionsResponse:
        """Record several contacts."""
        check = Check()
        asked = check.batch(request.requests, "requests")
        commands = [_command(check.at(f"requests[{i}]"), each, tx.now) for i, each in enumerate(asked)]
        check.raise_if_any()
        entries = []
        for recorded in await record_interactions(tx, commands, [tx.call] * len(commands)):
            if isinstance(recorded, Refusal):
                raise recorded
            entries.append(entry_message(recorded))
        return timeline_service_pb2.BatchRecordInteractionsResponse(timeline_entries=entries)

    async def GetTimelineEntry(
        self, request: timeline_service_pb2.GetTimelineEntryRequest, context: Any
    ) -> timeline_pb2.TimelineEntry:
        """Get an entry."""
        return entry_message(await found(self.db, names.ENTRY, ENTRY, *names.ENTRY.parse(request.name)))

    async def ListTimelineEntries(
        self, request: timeline_service_pb2.ListTimelineEntriesRequest, context: Any
    ) -> timeline_service_pb2.ListTimelineEntriesResponse:
        """List a timeline, newest first."""
        (customer_id,) = names.CUSTOMER.parse(request.parent, "parent")
        entries, token = await LIST_ENTRIES.page(self.db, request, entry_message, customer_id=customer_id)
        if not entries and not await KNOWN_CUSTOMERS.all(self.db, ids=[customer_id]):
            raise NotFound(customer_name(customer_id))
        return timeline_service_pb2.ListTimelineEntriesResponse(
            timeline_entries=entries, next_page_token=token
        )

    async def ExplainTimelineEntry(
        self, request: timeline_service_pb2.ExplainTimelineEntryRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Explain an entry; that of a fact by the fact. What the entry itself says is kept for ever."""
        entry = await found(self.db, names.ENTRY, ENTRY, *names.ENTRY.parse(request.name))
        message = entry_message(entry)
        known = to_message(
            explanation_pb2.Cause,
            message,
            resource=entry.resource or message.name,
            id=str(entry.id),
            service=entry.source,
        )
        return await self._explainer.explain(
            request,
            message,
            lambda _: Why(f"{message.actor} is behind this: {entry.event_type}, told by {entry.source}."),
            event=None if entry.event_type == INTERACTION else entry.id,
            known=known,
        )
