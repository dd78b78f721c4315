"""Methods that change something: one transaction, answered once for each request id.

The work runs first and its response is stored by the commit that makes it true, so the usual case pays for
one row. A repeat finds out at that commit, or when its work is refused because it was done before; its own
work is rolled back and it gets the stored response.
"""

import functools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
<<<<<<< HEAD
from uuid import UUID
=======
from weakref import WeakKeyDictionary
>>>>>>> df46f7f (Owners and answers are noted by the act that they belong to)

import asyncpg
import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.context import Call, current_call
from chassis.db.database import Database
from chassis.db.schema import IDEMPOTENCY
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from chassis.errors import Aborted, OutcomeUnknown, Refusal, Unavailable, invalid, response_too_large
from chassis.grpc.bounds import MESSAGE_MAX_BYTES
from chassis.grpc.requests import Request, request_of

CONSISTENCY = "consistency-token"

_STORED = Statement[Any](
    sa.select(
        IDEMPOTENCY.c.method,
        IDEMPOTENCY.c.request_hash,
        IDEMPOTENCY.c.response,
        IDEMPOTENCY.c.consistency_token,
    ).where(IDEMPOTENCY.c.request_id == sa.bindparam("request_id"))
)
# What a repeat may meet before the idempotency row: a rule, another unique column, a lock of its twin.
_MAYBE_A_REPEAT = (Refusal, asyncpg.IntegrityConstraintViolationError)


@dataclass(slots=True)
class Reply:
    """A serialised response and the consistency token of the transaction that made it."""

    data: bytes
    token: str


Work = Callable[[Any, Sequence[Any], Sequence[Call], Transaction], Awaitable[Sequence[Message | Refusal]]]


def mutation(method: Callable[[Any, Any, Transaction], Awaitable[Message]]) -> Any:
    """Make a servicer's method of `async def Verb(self, request, tx) -> Message`.

    The servicer has its `Database` in `self.db`. The transaction commits when the method returns and rolls
    back when it raises. The consistency token goes out as trailing metadata `consistency-token`.
    """

    async def work(
        self: Any, requests: Sequence[Any], _: Sequence[Call], tx: Transaction
    ) -> Sequence[Message | Refusal]:
        return [await method(self, requests[0], tx)]

    @functools.wraps(method)
    async def serve(self: Any, message: Any, context: Any) -> bytes:
        request = request_of(message)
<<<<<<< HEAD
        return answered(await once(self, work, request), context)
=======
        return _answered(await _once(self, work, request), context)
>>>>>>> df46f7f (Owners and answers are noted by the act that they belong to)

    return serve


<<<<<<< HEAD
async def once(servicer: Any, work: Work, request: Request) -> Reply:
=======
def ingest(read: Callable[[Any, Any, datetime], Any]) -> Callable[[Work], Any]:
    """Make a servicer's method of `async def Verb(self, commands, calls, tx) -> Sequence[Message | Refusal]`.

    Calls that arrive while a transaction commits share the next one, up to 128 and without waiting for
    more. The method says `tx.act(calls[i])` before it records the facts of call i, and answers a call that
    cannot be done with a refusal, having written nothing for it. Whoever is refused, fails or waits for a
    lock leaves the group and runs alone, so that it hurts nobody else.

    Args:
        read: `read(self, request, now)` validates one request, before it joins others, and makes the command.

    """

    def decorated(method: Work) -> Any:
        groups: WeakKeyDictionary[Any, _Group] = WeakKeyDictionary()

        @functools.wraps(method)
        async def serve(self: Any, message: Any, context: Any) -> bytes:
            request = request_of(message)
            request.command = read(self, message, self.db.clock.now())
            group = groups.get(self)
            if group is None:
                group = groups[self] = _Group(self, method)
            return _answered(await group.join(request), context)

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

    def __init__(self, servicer: Any, work: Work) -> None:
        self._servicer = servicer
        self._work = work
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
        members = [member for member in self._waiting[:GROUP_MAX] if not member.future.done()]
        del self._waiting[:GROUP_MAX]
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
            replies = await _transact(self._servicer, self._work, requests, GROUP_LOCK_TIMEOUT_MS)
        except Exception as error:
            if _is_outage(error):
                for member in members:
                    _fail(member.future, error)
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
                elif not member.future.done():
                    member.future.set_result(reply)

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
                reply = await _once(self._servicer, self._work, request)
            except Exception as error:
                _fail(future, error)
            else:
                if not future.done():
                    future.set_result(reply)


def _is_outage(error: Exception) -> bool:
    """Whether nobody's request is the reason. What may have been committed must not be tried again here."""
    return isinstance(error, Unavailable | OutcomeUnknown) or getattr(error, "reason", "") == "OVERLOADED"


def _fail(future: asyncio.Future[Reply], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


async def _once(servicer: Any, work: Work, request: Request) -> Reply:
>>>>>>> df46f7f (Owners and answers are noted by the act that they belong to)
    """Do the work, or find that it was done."""
    try:
        (reply,) = await transact(servicer, work, [request])
        if isinstance(reply, Refusal):
            raise reply
        return reply
    except _MAYBE_A_REPEAT as error:
        if request.id is None or is_outage(error):
            raise
        stored = await _STORED.maybe(servicer.db, request_id=request.id)
        if stored is None:
            if isinstance(error, Refusal) and error.reason == "LOCK_TIMEOUT":
                raise Aborted(
                    "REQUEST_IN_FLIGHT",
                    "This request, or another change of the same resource, is still in flight. Try again.",
                    retry_after_s=1,
                ) from error
            raise
        if (stored["method"], stored["request_hash"]) != (request.call.what, request.digest()):
            raise invalid(
                "request_id", "REQUEST_ID_REUSED", "must be new: it was used for a different request"
            ) from None
        return Reply(stored["response"], stored["consistency_token"])


async def transact(
    servicer: Any, work: Work, requests: Sequence[Request], lock_timeout_ms: int | None = None
) -> list[Reply | Refusal]:
    """Do the work of `requests` in one transaction, each under its own call. Raises when none can be done."""
    db: Database = servicer.db
    calls = [request.call for request in requests]
    replies: list[Reply | Refusal] = []
    async with db.transaction(lock_timeout_ms) as tx:
        responses = await work(servicer, [request.command for request in requests], calls, tx)
        for request, response in zip(requests, responses, strict=True):
            if isinstance(response, Refusal):
                tx.forget(request.call)
                replies.append(response)
                continue
            data = response.SerializeToString()
            if len(data) > MESSAGE_MAX_BYTES:  # found out later, it would have happened and nobody be told
                raise response_too_large()
            tx.act(request.call)
            tx.answer(response)
            if request.id is not None:
                tx.store_response(request.stored(data))
            replies.append(Reply(data, tx.consistency_token))
        refused = [reply for reply in replies if isinstance(reply, Refusal)]
        if len(refused) == len(replies):
            raise refused[0]
    return replies


def is_outage(error: Exception) -> bool:
    """Whether nobody's request is the reason. What may have been committed must not be tried again here."""
    return isinstance(error, Unavailable | OutcomeUnknown) or getattr(error, "reason", "") == "OVERLOADED"


def answered(reply: Reply, context: Any) -> bytes:
    """The body of the answer; the token goes with it."""
    if reply.token:
        context.set_trailing_metadata(((CONSISTENCY, reply.token),))
    return reply.data
<<<<<<< HEAD


def request_of(message: Any) -> Request:
    """The call that is under way. InvalidArgument when its request id is missing or no UUID."""
    text: str = message.request_id
    if not text:
        if _requires_id(message.DESCRIPTOR):
            raise invalid(
                "request_id", "REQUEST_ID_REQUIRED", "must be a UUID that the caller made for this request"
            )
        return Request(message, current_call.get(), None, message)
    try:
        return Request(message, current_call.get(), UUID(text), message)
    except ValueError:
        raise invalid("request_id", "INVALID_UUID", "must be a UUID") from None


@functools.cache
def _requires_id(descriptor: Any) -> bool:
    options = descriptor.fields_by_name["request_id"].GetOptions()
    return field_behavior_pb2.REQUIRED in options.Extensions[field_behavior_pb2.field_behavior]
=======
>>>>>>> df46f7f (Owners and answers are noted by the act that they belong to)
