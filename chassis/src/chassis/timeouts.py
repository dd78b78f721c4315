"""Time limits, for many calls on one timer, and of a wait; and work that must not be left half way.

`asyncio.timeout` sets and cancels a timer for each call: 11 us, more than everything else that surrounds a
call. Nearly all calls end long before their limit, so one timer, set to the earliest limit, has next to
nothing to do.
"""

import asyncio
import functools
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Any


class Timeouts:
    """The limits of the calls under way."""

    def __init__(self) -> None:
        self._under_way: dict[Timeout, float] = {}  # when each ends, monotonic seconds
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = float("inf")

    def limit(self, seconds: float) -> "Timeout":
        """A context that raises TimeoutError in the current task when it lasts longer than `seconds`."""
        return Timeout(self, time.monotonic() + seconds)

    def end(self) -> None:
        """Let every limit be reached now."""
        for limit in self._under_way:
            limit.expire()

    def _enter(self, limit: "Timeout", at: float) -> None:
        self._under_way[limit] = at
        if at < self._wakes_at:
            self._wake(at)

    def _wake(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = at
        self._timer = asyncio.get_running_loop().call_later(max(0.0, at - time.monotonic()), self._sweep)

    def _sweep(self) -> None:
        now = time.monotonic() + 0.001  # the loop's timers may be early by their resolution
        for limit, at in self._under_way.items():
            if at <= now:
                limit.expire()
        waiting = [at for limit, at in self._under_way.items() if not limit.expired]
        self._timer, self._wakes_at = None, float("inf")
        if waiting:
            self._wake(min(waiting))


class Timeout:
    """One call's limit. Behaves as `asyncio.timeout` does."""

    __slots__ = ("_at", "_cancelling", "_limits", "_task", "expired")

    def __init__(self, limits: Timeouts, at: float) -> None:
        self._limits = limits
        self._at = at
        self.expired = False

    def __enter__(self) -> "Timeout":
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._limits._enter(self, self._at)
        return self

    def shorten(self, at: float) -> None:
        """Let it be reached at `at`, in monotonic seconds, if that is earlier."""
        if at < self._at:
            self._at = at
            self._limits._enter(self, at)

    def expire(self) -> None:
        if not self.expired:
            self.expired = True
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        del self._limits._under_way[self]
        # A caller that goes away at the same time also cancels, and that must stay a cancellation.
        if self.expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


async def woken(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, or for the time to be up. Whether it was the event."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def finished(work: Coroutine[Any, Any, Any]) -> None:
    """Await `work` to its end, however often the caller is cancelled meanwhile, and only then let it go."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        ended = loop.create_future()  # asyncio.wait does the same in twice the time
        task.add_done_callback(functools.partial(_end, ended))
        try:
            await ended
        except asyncio.CancelledError as gone:
            cancelled = gone
    failure = task.exception()
    if cancelled is not None:
        raise cancelled from failure
    if failure is not None:
        raise failure


def _end(ended: asyncio.Future[None], _: asyncio.Task[Any]) -> None:
    if not ended.done():
        ended.set_result(None)
