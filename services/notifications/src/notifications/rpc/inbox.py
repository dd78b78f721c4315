"""The gRPC service of customers' inboxes."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from chassis.api.messages import timestamp, to_message
from chassis.db.aliases import groups_of
from chassis.grpc.methods import change, get
from chassis.grpc.watching import max_age_s
from chassis.servicer import Rpc
from chassis.timeouts import woken
from notifications.names import CUSTOMER, INBOX_MESSAGE
from notifications.store import inbox as store
from notifications.usecases.inbox import SHOWN_AT_ONCE, Inboxes, mark_read, unread_of
from rapport.notifications.v1 import inbox_service_pb2 as pb
from rapport.notifications.v1.inbox_message_pb2 import InboxMessage
from rapport.notifications.v1.inbox_service_pb2_grpc import InboxServiceServicer

HEARTBEAT_S = 15.0
PAUSE_S = 0.25  # at least, between two looks of a watch


def _left(unread: int) -> pb.MarkInboxMessagesReadResponse:
    return pb.MarkInboxMessagesReadResponse(unread_count=unread)


class InboxRpc(Rpc, InboxServiceServicer):
    """What customers find in an app."""

    inboxes: Inboxes

    GetInboxMessage = get(INBOX_MESSAGE, store.GET, InboxMessage)
    MarkInboxMessagesRead = change(pb.MarkInboxMessagesReadRequest, mark_read, _left)

    async def ListInboxMessages(
        self, request: pb.ListInboxMessagesRequest, context: Any
    ) -> pb.ListInboxMessagesResponse:
        """A page of them, and how many are unread."""
        (customer_id,) = CUSTOMER.parse(request.parent, "parent")
        shown, token = await store.LIST.page(
            self.db, request, lambda row: to_message(InboxMessage, row), customer_id=customer_id
        )
        unread = await unread_of(self.db, customer_id)
        return pb.ListInboxMessagesResponse(inbox_messages=shown, next_page_token=token, unread_count=unread)

    async def WatchInbox(
        self, request: pb.WatchInboxRequest, context: Any
    ) -> AsyncIterator[pb.WatchInboxResponse]:
        """What is unread, each once, and how much that is. Word of a change may be lost: a beat looks too."""
        (customer_id,) = CUSTOMER.parse(request.parent, "parent")
        ends_at = time.monotonic() + max_age_s(request, context)
        shown: set[UUID] = set()
        told, beat_at = -1, 0.0
        names = (await groups_of(self.db, [customer_id])).everybody
        with self.inboxes.watched(names) as changed:
            while True:
                changed.clear()
                rows = await store.NEWEST_UNREAD.all(self.db, customer_id=customer_id, at_most=SHOWN_AT_ONCE)
                unread = await unread_of(self.db, customer_id)
                new = [each for each in reversed(rows) if each.id not in shown]
                for row in new:
                    yield self._told(unread, to_message(InboxMessage, row))
                    shown.add(row.id)
                if not new and (unread != told or time.monotonic() >= beat_at):
                    yield self._told(unread)
                told, beat_at = unread, time.monotonic() + HEARTBEAT_S
                left_s = ends_at - time.monotonic()
                if left_s <= 0:
                    return
                await asyncio.sleep(min(left_s, PAUSE_S))
                await woken(changed, max(0.0, min(beat_at, ends_at) - time.monotonic()))

    def _told(self, unread: int, message: InboxMessage | None = None) -> pb.WatchInboxResponse:
        now = timestamp(self.db.clock.now())
        return pb.WatchInboxResponse(inbox_message=message, unread_count=unread, send_time=now)
