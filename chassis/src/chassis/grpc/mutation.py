"""Methods that change something: one transaction, answered once for each request id.

The work runs first and its response is stored by the commit that makes it true, so the usual case pays for
one row. A repeat finds out at that commit, or when its work is refused because it was done before; its own
work is rolled back and it gets the stored response.
"""

import functools
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.api.secret import kept
from chassis.context import Call, current_call
from chassis.db.database import Database
from chassis.db.records import StoredResponse
from chassis.db.schema import IDEMPOTENCY
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from chassis.errors import Aborted, OutcomeUnknown, Refusal, Unavailable, invalid, response_too_large
from chassis.grpc.bounds import MESSAGE_MAX_BYTES

CONSISTENCY = "consistency-token"
HASTE_MS = 20  # most rows are let go of in less

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


@dataclass(slots=True)
class Request:
    """One call of a mutation; `command` is what its method gets."""

    message: Any
    call: Call
    id: UUID | None
    command: Any

    def digest(self) -> bytes:
        """What tells a repeat from another request with the same id, or from somebody else's."""
        principal = self.call.principal
        who = f"{principal.subject}\0{principal.department}\0".encode()
        return hashlib.sha256(who + self.message.SerializeToString(deterministic=True)).digest()


Method = Callable[[Any, Sequence[Any], Sequence[Call], Transaction], Awaitable[Sequence[Message | Refusal]]]


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
        return answered(await once(self, work, request), context)

    return serve


async def once(servicer: Any, method: Method, request: Request) -> Reply:
    """Do the work, or find that it was done."""
    try:
        (reply,) = await _in_patience(servicer, method, request)
        if isinstance(reply, Refusal):
            raise reply
        return reply
    except _MAYBE_A_REPEAT as error:
        if request.id is None or is_outage(error):
            raise
        stored = await _STORED.maybe(servicer.db, request_id=request.id)
        if stored is None:
            if _waited_for_its_twin(error):
                told = "This very request is still being worked on: it was sent before. Try again."
                raise Aborted("REQUEST_IN_FLIGHT", told, retry_after_s=1) from error
            raise
        if (stored["method"], stored["request_hash"]) != (request.call.what, request.digest()):
            raise invalid(
                "request_id", "REQUEST_ID_REUSED", "must be new: it was used for a different request"
            ) from None
        return Reply(stored["response"], stored["consistency_token"])


def _waited_for_its_twin(error: BaseException) -> bool:
    """Whether a lock that was waited for in vain is that of the row by which a repeat is known."""
    waited = isinstance(error, Refusal) and error.reason == "LOCK_TIMEOUT"
    where = getattr(error.__cause__, "context", None) or ""
    return waited and IDEMPOTENCY.name in where  # or its key


async def _in_patience(servicer: Any, method: Method, request: Request) -> list[Reply | Refusal]:
    """Do the work; and again, with few others at once, when it would have to wait for a lock for long.

    Or all who want to write one row would sit on the pool's connections, and keep everybody from theirs.
    """
    db: Database = servicer.db
    try:
        return await transact(servicer, method, [request], HASTE_MS, strictly=False)
    except Aborted as error:
        if error.reason != "LOCK_TIMEOUT":
            raise
        try:
            async with db.patiently():
                return await transact(servicer, method, [request])
        except TimeoutError:
            raise error from None


async def transact(
    servicer: Any,
    method: Method,
    requests: Sequence[Request],
    lock_timeout_ms: int | None = None,
    strictly: bool = True,
) -> list[Reply | Refusal]:
    """Do the work of `requests` in one transaction, each under its own call. Raises when none can be done."""
    db: Database = servicer.db
    calls = [request.call for request in requests]
    replies: list[Reply | Refusal] = []
    async with db.transaction(lock_timeout_ms, strictly) as tx:
        responses = await method(servicer, [request.command for request in requests], calls, tx)
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
            if request.id is not None:  # kept for a repeat
                tx.store_response(
                    StoredResponse(request.id, request.call.what, request.digest(), kept(response), tx.now)
                )
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
    context.set_trailing_metadata(((CONSISTENCY, reply.token),))
    return reply.data


def request_of(message: Any) -> Request:
    text: str = message.request_id
    return Request(message, current_call.get(), UUID(text) if text else None, message)
