"""Work that must not be left half way."""

import asyncio
import functools
from collections.abc import Coroutine
from typing import Any


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
