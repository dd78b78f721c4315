"""The gRPC service of the queues."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cases.names import QUEUE, TEAM
from cases.usecases.queue import take_next_work
from cases.usecases.queue_reading import Place, Queues, beginning, is_capped, lanes_of, listed, queue_of
from chassis.api.messages import to_message
from chassis.api.pages import FRAME_BYTES, PAGE_MAX_BYTES, Page
from chassis.grpc.methods import change
from chassis.grpc.watching import max_age_s
from chassis.servicer import Rpc
from rapport.cases.v1 import queue_service_pb2 as pb
from rapport.cases.v1.queue_pb2 import Queue, QueuedWork
from rapport.cases.v1.queue_service_pb2_grpc import QueueServiceServicer

HEARTBEAT_S = 15.0
PAUSE_S = 1.0  # at least, between two looks of a watch
READ_AT_ONCE = 100


class QueueRpc(Rpc, QueueServiceServicer):
    """What is to be done next, and what waits."""

    queues: Queues

    TakeNextWork = change(pb.TakeNextWorkRequest, take_next_work, pb.TakeNextWorkResponse)

    async def GetQueue(self, request: pb.GetQueueRequest, context: Any) -> Queue:
        """What waits now."""
        department_id, team_id = _whose(request.name, request.team)
        return to_message(Queue, await queue_of(self.db, department_id, team_id, self.db.clock.now()))

    async def WatchQueue(self, request: pb.WatchQueueRequest, context: Any) -> AsyncIterator[Queue]:
        """What waits, whenever that changes. To a slow reader goes the latest: none is queued."""
        department_id, team_id = _whose(request.name, request.team)
        ends_at = time.monotonic() + max_age_s(request, context)
        sent, beat_at = None, 0.0
        while True:
            queue = to_message(Queue, await self.queues.look(department_id, team_id))
            now = time.monotonic()
            if queue != sent or now >= beat_at:
                yield queue
                sent, beat_at = queue, now + HEARTBEAT_S
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                return
            await asyncio.sleep(min(left_s, PAUSE_S * random.uniform(1, 1.2)))  # noqa: S311 - no secret

    async def ListQueuedWork(
        self, request: pb.ListQueuedWorkRequest, context: Any
    ) -> pb.ListQueuedWorkResponse:
        """A page of what waits. It ends at its size or at 3 MB, whichever comes first."""
        page = Page(request, datetime, int, datetime, UUID)
        department_id, team_id = _whose(request.parent, request.team, "parent")
        asked, ranked, at, last = page.after or beginning(self.db.clock.now())
        place = Place(asked, bool(ranked), at, last)
        lanes = await lanes_of(self.db, department_id, team_id)
        shown: list[QueuedWork] = []
        room = PAGE_MAX_BYTES
        while True:
            wanted = min(page.size - len(shown), READ_AT_ONCE)
            found = await listed(self.db, department_id, lanes, place, wanted + 1)
            for work, after in found[:wanted]:
                message = to_message(QueuedWork, work)
                room -= message.ByteSize() + FRAME_BYTES
                if room < 0 and shown:
                    return _page(shown, page, place, lanes)
                shown.append(message)
                place = after
            if len(found) <= wanted:
                return pb.ListQueuedWorkResponse(queued_works=shown, capped=is_capped(lanes))
            if len(shown) == page.size:
                return _page(shown, page, place, lanes)


def _page(
    shown: list[QueuedWork], page: Page, place: Place, lanes: Sequence[str]
) -> pb.ListQueuedWorkResponse:
    token = page.next_token((place.asked, int(place.ranked), place.time, place.id))
    return pb.ListQueuedWorkResponse(queued_works=shown, next_page_token=token, capped=is_capped(lanes))


def _whose(queue: str, team: str, argument: str = "name") -> tuple[str, str | None]:
    (department_id,) = QUEUE.parse(queue, argument)
    return department_id, TEAM.parse(team, "team")[0] if team else None
