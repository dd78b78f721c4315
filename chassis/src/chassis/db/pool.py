"""Connections lent to one after another: the last to come back is the first to go, to who waits longest.

Nothing is awaited when a connection comes back, so that no cancellation can lose one. What it left behind,
a query to be cancelled or an open transaction, is tidied up by a task of the pool before it is lent again.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable

import asyncpg

from chassis.db.failures import DRIVER_ERRORS
from chassis.db.session import Session
from chassis.timeouts import woken

KEPT = 2  # connections that stay open though nobody needs them
IDLE_S = 300.0
AGE_S = 3600.0  # a session's memory grows with what it prepared, and after a failover all are of one moment
TIDY_S = 2.0


class Pool:
    """At most `most` connections, made by `connect` when they are needed.

    Attributes:
        in_line: how many wait for a connection, or for one to be made.
    """

    def __init__(self, connect: Callable[[], Awaitable[Session]], most: int) -> None:
        self.in_line = 0
        self._connect = connect
        self._places = most  # for how many more there is room
        self._idle: list[tuple[Session, float]] = []  # and since when, the latest last
        self._lent: set[Session] = set()
        self._waiting: deque[asyncio.Future[Session | None]] = deque()  # None: there is room to make one
        self._tidying: set[asyncio.Task[None]] = set()
        self._closed = False
        self._all_back = asyncio.Event()

    @property
    def idle(self) -> int:
        """How many are open and not lent."""
        return sum(not session.is_closed() for session, _ in self._idle)

    @property
    def lent(self) -> int:
        """How many are lent, or are being tidied up."""
        return len(self._lent)

    def take(self) -> Session | None:
        """A connection that is there for the taking. InterfaceError when the pool is closed."""
        if self._closed:
            raise _closed()
        while self._idle:
            session, _ = self._idle.pop()
            if not session.is_closed():
                self._lent.add(session)
                return session
            self._make_room()
        return None

    async def acquire(self) -> Session:
        """The next connection, in turn. InterfaceError when the pool is closed; what `connect` raises."""
        session = self.take()
        if session is not None:
            return session
        self.in_line += 1
        try:
            if self._places:
                self._places -= 1
                return await self._made()
            return await self._waited() or await self._made()
        finally:
            self.in_line -= 1

    def release(self, session: Session) -> None:
        """Take a connection back. What is broken or has lived its time is not lent again."""
        if session.is_closed() or self._closed or time.monotonic() > session.until:
            self._drop(session)
        elif session.is_clean():
            self._lend(session)
        else:
            task = asyncio.get_running_loop().create_task(self._tidy(session))
            self._tidying.add(task)
            task.add_done_callback(self._tidying.discard)

    async def close(self, patience_s: float) -> None:
        """Lend nothing more, wait for what is lent for so long, and end every connection."""
        self._closed = True
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(_closed())
        for session, _ in self._idle:
            session.terminate()
        self._idle.clear()
        if self._lent:
            await woken(self._all_back, patience_s)
        for session in tuple(self._lent):
            self._drop(session)

    async def _waited(self) -> Session | None:
        waiter: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.exception() is None:  # it came as its waiter left
                given = waiter.result()
                self._make_room() if given is None else self.release(given)
            raise

    async def _made(self) -> Session:
        """A new connection, for which there is room."""
        try:
            session = await self._connect()
        except BaseException:
            self._make_room()
            raise
        session.until = time.monotonic() + AGE_S * random.uniform(0.75, 1)  # noqa: S311 - not all at once
        session.siblings = self._sessions
        self._lent.add(session)
        if self._closed:
            self._drop(session)
            raise _closed()
        return session

    def _lend(self, session: Session) -> None:
        """Give it to who waits longest, or let it wait itself."""
        if not self._next(session):
            self._lent.remove(session)
            now = time.monotonic()
            self._idle.append((session, now))
            if len(self._idle) > KEPT and self._idle[0][1] < now - IDLE_S:
                self._idle.pop(0)[0].terminate()
                self._make_room()

    def _drop(self, session: Session) -> None:
        if session in self._lent:  # or the pool was closed meanwhile
            self._lent.remove(session)
            session.terminate()
            self._make_room()
            if self._closed and not self._lent:
                self._all_back.set()

    def _make_room(self) -> None:
        """Room for a new connection: who waits longest may make it."""
        if not self._next(None):
            self._places += 1

    def _next(self, given: Session | None) -> bool:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(given)
                return True
        return False

    async def _tidy(self, session: Session) -> None:
        try:
            async with asyncio.timeout(TIDY_S):
                await session.tidy()
        except DRIVER_ERRORS:
            self._drop(session)
        except BaseException:  # the loop ends
            self._drop(session)
            raise
        self.release(session)

    def _sessions(self) -> list[Session]:
        return [*self._lent, *(session for session, _ in self._idle)]


def _closed() -> Exception:
    told: Exception = asyncpg.InterfaceError("the pool is closed")
    return told
