"""Ways to the services that wait for one that is late or away."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from chassis.backoff import Backoff
from chassis.errors import Refusal
from chassis.grpc.status import is_passing, refusal
from rapport_imports.people import Channels

PATIENCE_S = 180.0
LATE_S = 5.0
WAITS = Backoff(0.5, 10.0)


@asynccontextmanager
async def opened_channels(
    open_channel: Channels | None, say: Callable[[str], None]
) -> AsyncIterator[Channels]:
    """Channels by service, closed at the end. Where none can be opened they lead nowhere and are not used."""
    async with AsyncExitStack() as stack:
        opened: dict[str, Any] = {}

        def channel(service: str) -> Any:
            if service not in opened:
                found = open_channel(service) if open_channel else grpc.aio.insecure_channel("localhost:1")
                stack.push_async_exit(found)
                opened[service] = Patient(found, service, say)
            return opened[service]

        yield channel


@dataclass(eq=False)
class Patient:
    """What a stub needs of a channel, for calls that do no harm when they are made again, as all of imports.

    Each has a request id, says by its rows what was done already, or only reads. `say` is told that the
    service does not answer, once in the time that a call is made again.
    """

    channel: grpc.aio.Channel
    service: str
    say: Callable[[str], None]
    _quiet_until: float = 0.0

    def unary_unary(self, *method: Any, **further: Any) -> Callable[[Any], Awaitable[Any]]:
        ask = self.channel.unary_unary(*method, **further)

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
                        if not passes(peers) or time.monotonic() + wait_s > until:
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
            self.say(
                f"the {self.service} service does not answer, trying again: for {PATIENCE_S / 60:.0f} "
                "minutes at most; Ctrl-C stops, and another run goes on"
            )


def passes(peers: Refusal) -> bool:
    return is_passing(peers) or peers.code == "DEADLINE_EXCEEDED" or peers.reason == "OVERLOADED"
