"""Calls that are made again for some minutes while a service is late, overloaded or away."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from chassis.backoff import Backoff
from chassis.errors import Refusal
from chassis.grpc.status import is_passing, refusal

PATIENCE_S = 180.0
LATE_S = 5.0
WAITS = Backoff(0.5, 10.0)


class Patient:
    """What a stub needs of a channel, for calls that do no harm when they are made again, as all of imports.

    Each has a request id, says by its rows what was done already, or only reads.

    Args:
        channel: to the service.
        service: its name.
        say: is told that it does not answer, once in the time that a call is made again.
    """

    def __init__(self, channel: grpc.aio.Channel, service: str, say: Callable[[str], None]) -> None:
        self._channel = channel
        self._service = service
        self._say = say
        self._quiet_until = 0.0

    def unary_unary(self, *method: Any, **further: Any) -> Callable[[Any], Awaitable[Any]]:
        """The callable for a unary method."""
        ask = self._channel.unary_unary(*method, **further)

        async def call(request: Any) -> Any:
            until = time.monotonic() + PATIENCE_S
            late = asyncio.get_running_loop().call_later(LATE_S, self._tell)
            try:
                for failures in itertools.count(1):
                    try:
                        return await ask(request)
                    except grpc.aio.AioRpcError as error:
                        peers = refusal(error)
                        wait_s = peers.retry_after_s + WAITS.wait(failures)
                        if not _passes(peers) or time.monotonic() + wait_s > until:
                            raise
                    self._tell()
                    await asyncio.sleep(wait_s)
            finally:
                late.cancel()

        return call

    def _tell(self) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + PATIENCE_S
            self._say(
                f"the {self._service} service does not answer, trying again: for {PATIENCE_S / 60:.0f} "
                "minutes at most; Ctrl-C stops, and another run goes on"
            )


def _passes(peers: Refusal) -> bool:
    return is_passing(peers) or peers.code == "DEADLINE_EXCEEDED" or peers.reason == "OVERLOADED"
