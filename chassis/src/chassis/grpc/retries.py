"""Which calls to another service are made again, and when.

Not gRPC's own retries: those know a method, and whether a repeat is harmless depends on the request.
"""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool

from chassis.backoff import Backoff
from chassis.grpc.status import is_passing, refusal

T = TypeVar("T")

ATTEMPTS = 3
WAITS = Backoff(0.1, 1.0)
TOKENS_MAX = 10.0
TOKENS_PER_SUCCESS = 0.1

_READ = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS


class Retries:
    """The second and third tries of calls to one service.

    They cease while most calls fail (gRPC's retry throttling, with its numbers): a service that is down is
    not asked three times as much.
    """

    def __init__(self) -> None:
        self._tokens = TOKENS_MAX

    async def call(self, attempt: Callable[[float], Awaitable[T]], seconds: float, again: bool) -> T:
        """What `attempt(seconds left)` returns; tried up to three times where `again` says that it may be.

        Raises the last attempt's grpc.aio.AioRpcError.
        """
        until = time.monotonic() + seconds
        for attempts in range(1, ATTEMPTS + 1):
            try:
                response = await attempt(until - time.monotonic())
            except grpc.aio.AioRpcError as error:
                peers = refusal(error)
                if not is_passing(peers):
                    raise
                self._tokens = max(0.0, self._tokens - 1)
                wait_s = peers.retry_after_s + WAITS.wait(attempts)
                worth = self._tokens > TOKENS_MAX / 2 and time.monotonic() + wait_s < until
                if not again or attempts == ATTEMPTS or not worth:
                    raise
            else:
                self._tokens = min(TOKENS_MAX, self._tokens + TOKENS_PER_SUCCESS)
                return response
            await asyncio.sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")


def may_repeat(method: str, request: Any) -> bool:
    """Whether a repeat does no harm: it is a read by its contract, or its request id makes it one effect."""
    is_read, has_request_id = _kind(method)
    return is_read or (has_request_id and bool(request.request_id))


@functools.cache
def _kind(method: str) -> tuple[bool, bool]:
    try:
        found = descriptor_pool.Default().FindMethodByName(method[1:].replace("/", "."))
    except KeyError:
        return False, False
    return found.GetOptions().idempotency_level == _READ, "request_id" in found.input_type.fields_by_name
