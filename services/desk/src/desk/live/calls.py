"""Calls that ring at an agent, told to their pages at once, whichever replica heard of them; and of whom."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.db.database import Database
from chassis.db.failures import DATABASE_ERRORS
from chassis.events.broadcast import Broadcast
from chassis.timeouts import woken
from desk.store import received as store
from desk.store.received import Received
from rapport.customer.v1 import customer_service_pb2 as pb

if TYPE_CHECKING:
    from rapport.customer.v1.customer_pb2 import Customer
    from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceAsyncStub

LOOK_EVERY_S = 5.0  # while a word of another replica may be lost
_WORD = b"ringing "
OWNERS_MAX = 20  # of a number that more share, a person knows by other means whose it is


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call that rings at an agent."""

    call: UUID  # its id here
    # Of whom the agent is about to speak with; empty when it is withheld. Personal.
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Over:
    """A call that was told of, and is over or was answered by somebody else; `call` as of `Ringing`."""

    call: UUID


class Calls:
    """Tells agents which calls ring at them.

    Words between replicas hold an agent's code and nothing personal: whoever listens reads the call from the
    database, so that a lost word costs some seconds and no call.
    """

    def __init__(self, db: Database, broadcast: Broadcast) -> None:
        self._db = db
        self._broadcast = broadcast
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
                    if each.id not in told and agent not in each.talking:
                        told.add(each.id)
                        yield Ringing(each.id, each.caller)
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
        except DATABASE_ERRORS:
            return None

    def _hear(self, word: bytes) -> None:
        if word.startswith(_WORD):
            self._wake(word.removeprefix(_WORD).decode(errors="replace"))

    def _wake(self, agent: str) -> None:
        for each in self._listening.get(agent, ()):
            each.set()


async def owners_of(
    customers: CustomerServiceAsyncStub, value: str, within_s: float | None = None
) -> Sequence[Customer]:
    """Those who have a handle with this value, as far as whoever asks may see; at most 20. AioRpcError."""
    request = pb.SearchCustomersRequest(query=value, page_size=OWNERS_MAX)
    found = await customers.SearchCustomers(request, timeout=within_s)
    return [
        match.customer
        for match in found.matches
        if any(each.normalized_value == value for each in match.customer.identifiers)
    ]
