"""How much of everything one process takes: message and header sizes, calls, bytes and streams at once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakValueDictionary

from chassis.errors import ResourceExhausted, Unavailable
from chassis.limits import Limits

MESSAGE_MAX_BYTES = 4 * 1024 * 1024
# Soft and hard limit are one: between the two, gRPC refuses at random.
METADATA_MAX_BYTES = 48 * 1024  # two tokens, and what else a call carries
TOKEN_MAX_BYTES = 16 * 1024
STREAM_REQUEST_MAX_BYTES = 64 * 1024  # a stream's request is held as long as the stream
# Requests on their way: each may be of the largest size, and what has come of it is held.
RECEIVED_AS_THEY_COME = 16
RECEIVED_IN_TURN = 16
TURNS_OF_A_CALLER = 4
RECEIVING_S = 10.0  # for its turn and its arrival
CALLS_MAX = 512
BYTES_MAX = 128 * 1024 * 1024
STREAMS_MAX = 4000
STREAMS_OF_A_CALLER_MAX = 1000

SIZES = [
    ("grpc.max_receive_message_length", MESSAGE_MAX_BYTES),
    ("grpc.max_send_message_length", MESSAGE_MAX_BYTES),
    ("grpc.max_metadata_size", METADATA_MAX_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_MAX_BYTES),
]
"""Channel arguments of servers and clients alike."""


def overloaded() -> ResourceExhausted:
    """The refusal of a call for which there is no room."""
    return ResourceExhausted("OVERLOADED", "Too many calls at once. Try again.", retry_after_s=1)


def draining() -> Unavailable:
    """The refusal of a call that another replica will answer."""
    return Unavailable("DRAINING", "This replica stops. Call again.", retry_after_s=0.1)


class CallsInFlight:
    """The unary calls that are being answered.

    Args:
        calls: at once.
        bytes: of their requests together.

    """

    def __init__(self, calls: int = CALLS_MAX, bytes: int = BYTES_MAX) -> None:
        self._most = calls, bytes
        self._calls = self._bytes = 0

    def check(self) -> None:
        """Raise ResourceExhausted OVERLOADED when there is no room for one more."""
        if self._calls >= self._most[0] or self._bytes >= self._most[1]:
            raise overloaded()

    def begin(self, size: int) -> None:
        """A call with a request of `size` bytes begins. OVERLOADED."""
        self.check()
        self._calls += 1
        self._bytes += size

    def end(self, size: int) -> None:
        """It ended."""
        self._calls -= 1
        self._bytes -= size


class Receiving:
    """The requests that are on their way, of callers who are known.

    The first are received as they come, which costs nothing. While so many have not arrived, others are
    received in turn: they wait on the side of who sends them, and are refused when they are not here in time.
    One caller has a part of the turns, so that who sends half a request and stops holds up no others.
    """

    def __init__(self) -> None:
        self._coming: set[asyncio.Task[Any] | None] = set()
        self._turns = asyncio.Semaphore(RECEIVED_IN_TURN)
        self._by_caller: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._limits = Limits()

    def expect(self) -> bool:
        """Whether the request of the call whose task this is may come; it has until `arrived`, or its end."""
        if len(self._coming) >= RECEIVED_AS_THEY_COME:
            return False
        task = asyncio.current_task()
        assert task is not None
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)
        return True

    def arrived(self) -> None:
        """It is here."""
        self._coming.discard(asyncio.current_task())

    async def in_turn(self, context: Any, caller: str) -> Any:
        """The next message of `context`, EOF when none comes. OVERLOADED."""
        own = self._by_caller.get(caller)
        if own is None:
            own = self._by_caller[caller] = asyncio.Semaphore(TURNS_OF_A_CALLER)
        try:
            with self._limits.limit(RECEIVING_S):
                async with own, self._turns:
                    return await context.read()
        except TimeoutError:
            raise overloaded() from None


class Streams:
    """The streams that are open, of each caller and together.

    Args:
        most: together.
        of_a_caller: of one caller, so that none can take the places of all.

    """

    def __init__(self, most: int = STREAMS_MAX, of_a_caller: int = STREAMS_OF_A_CALLER_MAX) -> None:
        self._most, self._of_a_caller = most, of_a_caller
        self._open: Counter[str] = Counter()

    @contextmanager
    def open(self, caller: str) -> Iterator[None]:
        """One more stream of `caller`. ResourceExhausted TOO_MANY_STREAMS."""
        if self._open[caller] >= self._of_a_caller:
            raise _too_many(f"A caller may have {self._of_a_caller} streams open.", self._of_a_caller)
        if self._open.total() >= self._most:
            raise _too_many(f"This replica takes {self._most} streams.", self._most)
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]


def _too_many(message: str, most: int) -> ResourceExhausted:
    return ResourceExhausted(
        "TOO_MANY_STREAMS", f"{message} Close one, or try again.", {"most": most}, retry_after_s=5
    )
