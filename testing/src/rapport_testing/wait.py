"""Waiting for conditions instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(condition: Callable[[], T | Awaitable[T]], timeout_s: float = 15) -> T:
    """The first truthy result of `condition`, tried again and again.

    An AssertionError raised by the condition counts as "not yet", and is what the test fails with at the end.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        failure: AssertionError | None = None
        try:
            result = condition()
            value = await result if inspect.isawaitable(result) else result
            if value:
                return value
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"{condition} did not come true within {timeout_s} s")
        await asyncio.sleep(0.02)
