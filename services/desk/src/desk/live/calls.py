"""Calls that ring at an agent, told to the agent's open pages at once, whichever replica heard of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import grpc

from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.errors import Refusal
from chassis.events.broadcast import Broadcast
from chassis.timeouts import woken
from desk.live.owners import Owner, owners_of
from desk.store import webhooks as store
from desk.store.received import Received

if TYPE_CHECKING:
    from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceAsyncStub

LOOK_EVERY_S = 5.0  # while a word of another replica may be lost
KNOWN_WITHIN_S = 1.5  # the telephone rings: better a number now than a name later
_WORD = b"ringing "


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call that rings at an agent.

    Attributes:
        call: its id here.
        number: who calls; empty when it is withheld. Personal.
        ring_time: since when.
        owners: who may be calling: nobody known, one, or several of whom the agent chooses.
        is_known: whether `owners` could be asked for; otherwise nobody knows.

    """

    call: UUID
    number: str = field(repr=False)
    ring_time: datetime
    owners: Sequence[Owner]
    is_known: bool = True

    @property
    def customer(self) -> str:
        """Whose page may open by itself: that of the one owner; empty when the agent has to choose."""
        return self.owners[0].customer if len(self.owners) == 1 else ""


@dataclass(frozen=True, slots=True)
class Over:
    """A call that was told of, and is over or was answered by somebody else; `call` as of `Ringing`."""

    call: UUID


class Calls:
    """Tells agents which calls ring at them.

    Words between replicas hold an agent's code and nothing personal: whoever listens reads the call from the
    database, so that a lost word costs some seconds and no call.

    Args:
        db: the desk's database.
        broadcast: reaches its other replicas.
        customers: the customer service, asked with the desk's own identity.

    """

    def __init__(self, db: Database, broadcast: Broadcast, customers: CustomerServiceAsyncStub) -> None:
        self._db = db
        self._broadcast = broadcast
        self._customers = customers
        self._listening: dict[str, set[asyncio.Event]] = defaultdict(set)
        broadcast.listen(self._hear)

    def ring(self, agent: str) -> None:
        """Say, after the commit, that a call rings at an agent, or does no longer."""
        self._wake(agent)
        self._broadcast.send(_WORD + agent.encode())

    async def listen(self, agent: str) -> AsyncGenerator[Ringing | Over, None]:
        """Each call that rings at an agent, by code such as `alice`, once: those of now, and those to come.

        When it is over, or somebody else answered it, that too. Ends when it is closed:
        `async with contextlib.aclosing(calls.listen(agent)) as ringing`. While the database is away it waits.
        """
        told: set[UUID] = set()
        wake = asyncio.Event()
        self._listening[agent].add(wake)
        try:
            while True:
                wake.clear()
                epoch = self._broadcast.epoch
                ringing = await self._ringing(agent)
                if ringing is None:
                    await self._news(wake, epoch)
                    continue
                for gone in told - {each.id for each in ringing}:
                    told.discard(gone)
                    yield Over(gone)
                for each in ringing:
                    if each.id not in told and not each.answered:
                        told.add(each.id)
                        yield await self._known(each)
                await self._news(wake, epoch)
        finally:
            self._listening[agent].discard(wake)
            if not self._listening[agent]:
                del self._listening[agent]

    async def _news(self, wake: asyncio.Event, epoch: int | None) -> None:
        """Wait until something may have changed."""
        while not wake.is_set():
            await woken(wake, LOOK_EVERY_S)
            if self._broadcast.epoch is None or self._broadcast.epoch != epoch:
                return

    async def _ringing(self, agent: str) -> list[Received] | None:
        """What rings; None when nobody can tell now."""
        try:
            return await store.RINGING.all(self._db, agent=agent, since=self._db.clock.now() - store.RINGS)
        except (Refusal, *DATABASE_ERRORS):
            return None

    async def _known(self, call: Received) -> Ringing:
        assert call.ring_time is not None, "the statement asks for a time"
        owners: Sequence[Owner] = ()
        is_known = True
        if call.caller.startswith("+"):
            with acting(Call("calls.listen", service_itself(self._db.service))):  # not as who looks
                try:
                    owners = await owners_of(self._customers, call.caller, KNOWN_WITHIN_S)
                except (grpc.aio.AioRpcError, Refusal):
                    is_known = False
        return Ringing(call.id, call.caller, call.ring_time, owners, is_known)

    def _hear(self, word: bytes) -> None:
        if word.startswith(_WORD):
            self._wake(word.removeprefix(_WORD).decode(errors="replace"))

    def _wake(self, agent: str) -> None:
        for each in self._listening.get(agent, ()):
            each.set()
