"""How much of everything one process takes: message and header sizes, calls, bytes and streams at once."""

import asyncio
import time
from typing import Any
from weakref import WeakValueDictionary

from chassis.errors import ResourceExhausted, Unavailable, overloaded
from chassis.shares import Shares
from chassis.timeouts import Timeout, Timeouts

MESSAGE_MAX_BYTES = 4 * 1024 * 1024
# Soft and hard limit are one: between the two, gRPC refuses at random.
METADATA_MAX_BYTES = 48 * 1024  # two tokens, and what else a call carries
TOKEN_MAX_BYTES = 16 * 1024
STREAM_REQUEST_MAX_BYTES = 64 * 1024  # a stream's request is held as long as the stream
# Requests on their way: each may be of the largest size, and what has come of it is held.
TURNS = 32
RECEIVING_S = 10.0  # for its turn and its arrival
TURN_S = 1.0  # while others wait: for 4 MB at 32 Mbit/s
EXPECTED_MAX = 2048
CALLS_MAX = 512
BYTES_MAX = 128 * 1024 * 1024
STREAMS_MAX = 4000
# A caller has a quarter: the subject, by way of whom it calls.
TURNS_OF_A_CALLER = TURNS // 4
EXPECTED_OF_A_CALLER = CALLS_OF_A_CALLER = CALLS_MAX // 4
BYTES_OF_A_CALLER = BYTES_MAX // 4
STREAMS_OF_A_CALLER = STREAMS_MAX // 4

SIZES = [
    ("grpc.max_receive_message_length", MESSAGE_MAX_BYTES),
    ("grpc.max_send_message_length", MESSAGE_MAX_BYTES),
    ("grpc.max_metadata_size", METADATA_MAX_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_MAX_BYTES),
]
"""Channel arguments of servers and clients alike."""


def too_many_streams(message: str, most: int) -> ResourceExhausted:
    return ResourceExhausted("TOO_MANY_STREAMS", message, {"most": most}, retry_after_s=5)


def streams() -> Shares:
    return Shares(STREAMS_MAX, STREAMS_OF_A_CALLER, "streams open", too_many_streams)


def draining() -> Unavailable:
    """The refusal of a call that another replica will answer."""
    return Unavailable("DRAINING", "This replica stops. Call again.", retry_after_s=0.1)


class CallsInFlight:
    """The unary calls that are being answered, and their requests."""

    def __init__(self) -> None:
        self.calls = Shares(CALLS_MAX, CALLS_OF_A_CALLER, "calls being answered")
        self.bytes = Shares(BYTES_MAX, BYTES_OF_A_CALLER, "bytes of requests being answered")

    def check(self, caller: str) -> None:
        """Raise ResourceExhausted OVERLOADED when there is no room for one more of `caller`."""
        self.calls.check(caller)
        self.bytes.check(caller)

    def begin(self, caller: str, size: int) -> None:
        """A call with a request of `size` bytes begins. OVERLOADED."""
        self.calls.take(caller)
        try:
            self.bytes.take(caller, size)
        except ResourceExhausted:
            self.calls.give_back(caller)
            raise

    def end(self, caller: str, size: int) -> None:
        self.calls.give_back(caller)
        self.bytes.give_back(caller, size)


class Receiving:
    """The requests that are on their way, of callers who are known.

    They are received in turn; whoever waits for a turn does so on the side of who sends. One caller has a
    part of the turns. Many together may have them all and send nothing: so once others wait, a turn lasts as
    long as the largest request needs, and whoever has had one for longest loses it.
    """

    def __init__(self) -> None:
        self._expected = Shares(EXPECTED_MAX, EXPECTED_OF_A_CALLER, "requests on their way")
        self._turns = asyncio.Semaphore(TURNS)
        self._by_caller: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._limits = Timeouts()
        self._waiting = 0
        self._at_leisure: dict[Timeout, float] = {}  # turns for which nobody waits, and since when they are

    async def next(self, context: Any, caller: str) -> Any:
        """The next message of `context`, EOF when none comes. OVERLOADED."""
        own = self._by_caller.get(caller)
        if own is None:
            own = self._by_caller[caller] = asyncio.Semaphore(TURNS_OF_A_CALLER)
        self._expected.take(caller)
        try:
            with self._limits.limit(RECEIVING_S) as limit:
                async with own:
                    if self._turns.locked():
                        await self._wait()
                    else:
                        await self._turns.acquire()
                    return await self._read(context, limit)
        except TimeoutError:
            raise overloaded() from None
        finally:
            self._expected.give_back(caller)

    async def _wait(self) -> None:
        """Wait for a turn: for one more of those who have one it will soon be over."""
        if self._at_leisure:
            limit = next(iter(self._at_leisure))
            limit.shorten(self._at_leisure.pop(limit) + TURN_S)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1

    async def _read(self, context: Any, limit: Timeout) -> Any:
        now = time.monotonic()
        if self._waiting:
            limit.shorten(now + TURN_S)
        else:
            self._at_leisure[limit] = now
        try:
            return await context.read()
        finally:
            self._at_leisure.pop(limit, None)
            self._turns.release()
