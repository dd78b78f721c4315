"""An administrator who works while a test runs: makes the next one's database, drops that of the last."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any

import asyncpg


class Beside:
    """One connection, by the superuser's URL, in a thread of its own: it does one thing after the other."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def begin(self, sql: str) -> Future[None]:
        """Have a statement run, after those before it."""
        return self._run(self._execute(sql))

    def stop(self) -> None:
        """Finish what was begun, and end."""
        self._run(self._close()).result(timeout=60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _execute(self, sql: str) -> None:
        async with self._turn:
            if self._connection is None or self._connection.is_closed():  # a test may have stopped the server
                self._connection = await asyncpg.connect(self._url)
            await self._connection.execute(sql)

    async def _close(self) -> None:
        async with self._turn:
            if self._connection is not None:
                await self._connection.close()
