"""Mutations of which many come at once: those that arrive together share a transaction."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from chassis.context import current_call
from chassis.errors import Refusal
from chassis.grpc.mutation import Method, Reply, Request, answered, is_outage, once, request_of, transact

GROUP_MAX = 128
GROUP_LOCK_TIMEOUT_MS = 10  # who waits for a lock does so alone, not with a hundred others behind it
ALONE_AT_ONCE = 4  # of the pool's connections


def ingest(read: Callable[[Any, Any, datetime], Any]) -> Callable[[Method], Any]:
    """Make a servicer's method of `async def Verb(self, commands, calls, tx) -> Sequence[Message | Refusal]`.

    Calls that arrive while a transaction commits share the next one, up to 128 and without waiting for more.
    The method says `tx.act(calls[i])` before it records the facts of call i, and answers a call that cannot
    be done with a refusal, having written nothing for it. Whoever is refused, fails or waits for a lock
    leaves the group and runs alone, so that it hurts nobody else. `read(self, request, now)` validates one
    request, before it joins others, and makes the command.
    """

    def decorated(method: Method) -> Any:
        groups: WeakKeyDictionary[Any, _Group] = WeakKeyDictionary()

        @functools.wraps(method)
        async def serve(self: Any, message: Any, context: Any) -> bytes:
            request = request_of(message)
            request.command = read(self, message, self.db.clock.now())
            group = groups.get(self)
            if group is None:
                group = groups[self] = _Group(self, method)
            return answered(await group.join(request), context)

        return serve

    return decorated


@dataclass(slots=True)
class _Member:
    """A call of a group, who waits for its reply, and where: its trace shows what is done for it."""

    request: Request
    future: asyncio.Future[Reply]
    context: Context


class _Group:
    """The calls of one method of one servicer that wait for the next transaction."""

    def __init__(self, servicer: Any, method: Method) -> None:
        self._servicer = servicer
        self._method = method
        self._waiting: list[_Member] = []
        self._running: asyncio.Task[None] | None = None
        self._alone: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(ALONE_AT_ONCE)

    async def join(self, request: Request) -> Reply:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting.append(_Member(request, future, copy_context()))
        if self._running is None:
            self._next()
        return await future

    def _next(self, ended: asyncio.Task[None] | None = None) -> None:
        """Start on those who wait, in the context of the first: its trace shows the group's statements."""
        self._running = None
        waiting = [member for member in self._waiting if not member.future.done()]
        members, self._waiting = waiting[:GROUP_MAX], waiting[GROUP_MAX:]
        if members:
            self._running = asyncio.get_running_loop().create_task(
                self._run(members), context=members[0].context
            )
            self._running.add_done_callback(self._next)

    async def _run(self, members: Sequence[_Member]) -> None:
        """One transaction for all; when it fails, one for each half, so that the reason is soon alone."""
        members = [member for member in members if not member.future.done()]
        if not members:
            return
        current_call.set(members[0].request.call)
        requests = [member.request for member in members]
        try:
            replies = await transact(self._servicer, self._method, requests, GROUP_LOCK_TIMEOUT_MS)
        except Exception as error:
            if is_outage(error):
                for member in members:
                    _end(member.future, error)
            elif len(members) == 1:
                self._leave(members[0])
            else:
                half = len(members) // 2
                await self._run(members[:half])
                await self._run(members[half:])
        else:
            for member, reply in zip(members, replies, strict=True):
                if isinstance(reply, Refusal):
                    self._leave(member)
                else:
                    _end(member.future, reply)

    def _leave(self, member: _Member) -> None:
        """Let a member run alone, without holding up the others."""
        task = asyncio.get_running_loop().create_task(
            self._by_itself(member.request, member.future), context=member.context.copy()
        )
        self._alone.add(task)
        task.add_done_callback(self._alone.discard)

    async def _by_itself(self, request: Request, future: asyncio.Future[Reply]) -> None:
        async with self._room:
            if future.done():
                return
            current_call.set(request.call)
            try:
                _end(future, await once(self._servicer, self._method, request))
            except Exception as error:
                _end(future, error)


def _end(future: asyncio.Future[Reply], outcome: Reply | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
