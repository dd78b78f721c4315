"""A service under test, running in this process behind a real socket."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import grpc
import msgspec
import nats
import pytest
import sqlalchemy as sa
from google.protobuf.message import Message
from google.protobuf.symbol_database import Default

from chassis import ids
from chassis.app import App
from chassis.clock import Clock
from chassis.db.schema import OUTBOX, TIMERS
from chassis.db.statement import Statement
from chassis.db.tables import among
from chassis.events.broadcast import Beat
from chassis.events.envelope import headers
from chassis.events.registry import subject_of
from chassis.grpc.status import reason
from chassis.lifecycle import Lifecycle
from chassis.work.timers import TimerRunner
from rapport_testing.channels import aio_channel
from rapport_testing.tokens import TestIssuer

T = TypeVar("T")
_PUBLISHED = Statement[Any](sa.select(OUTBOX).order_by(OUTBOX.c.id))
_DUE = Statement[Any](
    sa.select(sa.func.count().label("count")).where(
        among(TIMERS.c.kind, "kinds"), TIMERS.c.due_at <= sa.bindparam("now", type_=TIMERS.c.due_at.type)
    )
)
_DEADLINE_S = 5.0


@dataclass(frozen=True)
class Published:
    """A fact that the service recorded for publication."""

    id: UUID
    type: str
    resource: str
    version: int
    causation_id: UUID
    actor: str
    data: Any


class Running:
    """A started service: `app` is its composition, `address` where its gRPC server listens."""

    def __init__(
        self, app: App[Any], lifecycle: Lifecycle, issuer: TestIssuer, nats_url: str, clock: Clock
    ) -> None:
        self.app = app
        self.db = app.db
        self.lifecycle = lifecycle
        self.address = f"127.0.0.1:{lifecycle.grpc_port}"
        self._issuer = issuer
        self._nats_url = nats_url
        self._clock = clock
        self._channels: list[grpc.aio.Channel] = []
        self.published_after = ids.floor(datetime.fromtimestamp(0, UTC))

    def stub(
        self,
        stub: Callable[[grpc.aio.Channel], T],
        permissions: Sequence[str] = ("*",),
        subject: str = "agent:alice",
        department: str = "front-desk",
    ) -> T:
        """A client of the service, with a token and a deadline of 5 seconds unless the call gives one."""
        token = self._issuer.token(subject, permissions, department)
        channel = aio_channel(self.address, token, _DEADLINE_S)
        self._channels.append(channel)
        return stub(channel)

    async def published(self) -> list[Published]:
        """Everything the service recorded for publication after `published_after`, oldest first."""
        return [
            Published(
                row["id"],
                row["type"],
                row["resource"],
                row["resource_version"],
                row["causation_id"],
                row["actor"],
                Default().GetSymbol(row["type"]).FromString(row["data"]),
            )
            for row in await _PUBLISHED.all(self.db)
            if row["id"] > self.published_after
        ]

    async def fire(self, *kinds: str) -> None:
        """Have everything be done that is due of these timers, by the service itself or here."""
        runner = TimerRunner(self.db, {kind: self.app.timers[kind] for kind in kinds})
        due = True
        while due:
            await runner.fire()
            due = (await _DUE.one(self.db, kinds=list(kinds), now=self._clock.now()))["count"] > 0
            await asyncio.sleep(0)

    async def deliver(
        self,
        message: Message,
        *,
        resource: str,
        version: int = 1,
        source: str,
        event_id: UUID | None = None,
        actor: str = "",
    ) -> UUID:
        """Publish an event as its owner would, and return its id. The same id again is a redelivery."""
        now = self._clock.now()
        event_id = event_id or ids.uuid7(now)
        row: Mapping[str, Any] = {
            "id": event_id,
            "type": message.DESCRIPTOR.full_name,
            "resource": resource,
            "resource_version": version,
            "time": now,
            "actor": actor or f"service:{source}",
            "correlation_id": str(event_id),
            "causation_id": ids.uuid7(now),
            "traceparent": "",
            "data": message.SerializeToString(),
        }
        envelope = headers(row, source)
        # The broker's window must not hide what the inbox has to catch.
        envelope["Nats-Msg-Id"] = str(ids.uuid7(now))
        connection: Any = await nats.connect(self._nats_url)
        try:
            await connection.jetstream().publish(
                subject_of(type(message)),
                message.SerializeToString(),
                headers=envelope,
                stream=source.upper(),
            )
        finally:
            await connection.close()
        return event_id

    async def beat(self, *sources: str) -> None:
        """Say of services that do not run that they have no facts on their way, until cancelled.

        Without it, what waits until it is known that nothing is on its way waits for ever.
        """
        connection: Any = await nats.connect(self._nats_url)
        try:
            while True:
                alive = msgspec.json.encode(Beat(unpublished=0, lag_s=0, sequence=0, sent_at=time.time()))
                for source in sources:
                    await connection.publish(f"beat.{source}", alive)
                await asyncio.sleep(0.5)
        finally:
            await connection.close()

    async def stop(self) -> None:
        await asyncio.gather(*(channel.close(None) for channel in self._channels))
        await self.lifecycle.stop()


async def error_of(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """The error of a call that must be refused."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def refusal(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str]:
    """The code and the reason of a call that must be refused."""
    error = await error_of(call)
    return error.code(), reason(error)


async def refused(call: Awaitable[Any]) -> str:
    """The reason of a call that must be refused: `RESOURCE_NOT_FOUND`."""
    return reason(await error_of(call))


__all__ = ["Published", "Running", "error_of", "reason", "refusal", "refused"]
