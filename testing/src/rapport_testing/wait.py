"""Waiting for conditions instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(condition: Callable[[], T | Awaitable[T]], timeout_s: float = 15) -> T:
    """The first truthy result of `condition`, tried again and again, the less often the longer that takes.

    An AssertionError raised by the condition counts as "not yet", and is what the test fails with at the end.
    """
    begun = time.monotonic()
    while True:
        failure: AssertionError | None = None
        try:
            result = condition()
            value = await result if inspect.isawaitable(result) else result
            if value:
                return value
        except AssertionError as error:
            failure = error
        waited_s = time.monotonic() - begun
        if waited_s > timeout_s:
            raise failure or AssertionError(f"{condition} did not come true within {timeout_s} s")
        # Each look costs who is looked at: a fifth more of waiting costs less than ten times as many looks.
        await asyncio.sleep(min(max(0.02, waited_s / 5), 0.2))
