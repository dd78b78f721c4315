"""The gRPC service of who is there."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, ClassVar

from cases.domain.presence import AgentPresence
from cases.names import PRESENCE
from cases.store.presences import LIST_PRESENCES
from cases.usecases.presence import go_on, hold_presence, presence_of, set_presence
from chassis.api.checks import Rules
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.api.wellknown import time_of
from chassis.grpc.methods import change
from chassis.grpc.watching import max_age_s
from chassis.servicer import Rpc
from rapport.cases.v1 import presence_service_pb2 as pb
from rapport.cases.v1.presence_pb2 import Presence
from rapport.cases.v1.presence_service_pb2_grpc import PresenceServiceServicer

HELD_EVERY_S = 15.0


def check_until(check: Check, sent: pb.SetPresenceRequest, now: datetime) -> None:
    """Until a moment that is to come."""
    until = time_of(sent, "until_time")
    if until and until <= now:
        check.refuse("until_time", "INVALID_TIME", "must be later than now")


class PresenceRpc(Rpc, PresenceServiceServicer):
    """Whether agents are there."""

    rules: ClassVar[Rules] = {pb.SetPresenceRequest: check_until}

    SetPresence = change(pb.SetPresenceRequest, set_presence, Presence)

    async def HoldPresence(self, request: pb.HoldPresenceRequest, context: Any) -> AsyncIterator[Presence]:
        """Hold a presence while the stream lasts: what it has said is believed for a minute, each time."""
        (agent_id,) = PRESENCE.parse(request.name)
        ends_at = time.monotonic() + max_age_s(request, context)
        held = None
        while True:
            if held is not None:
                held = await go_on(self.db, agent_id, self.db.clock.now())
            if held is None:
                async with self.db.transaction() as tx:
                    held = await hold_presence(tx, agent_id=agent_id)
            yield to_message(Presence, held)
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                return
            await asyncio.sleep(min(left_s, HELD_EVERY_S * random.uniform(0.8, 1)))  # noqa: S311 - no secret

    async def GetPresence(self, request: pb.GetPresenceRequest, context: Any) -> Presence:
        """Whether an agent is there."""
        (agent_id,) = PRESENCE.parse(request.name)
        return to_message(Presence, await presence_of(self.db, agent_id, self.db.clock.now()))

    async def ListPresences(self, request: pb.ListPresencesRequest, context: Any) -> pb.ListPresencesResponse:
        """A page of agents, with whether they are there."""
        now = self.db.clock.now()

        def shown(row: AgentPresence) -> Presence:
            return to_message(Presence, row.at(now))

        page, token = await LIST_PRESENCES.page(self.db, request, shown)
        return pb.ListPresencesResponse(presences=page, next_page_token=token)
