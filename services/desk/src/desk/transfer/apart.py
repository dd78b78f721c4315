"""Reading files in a thread of its own, whose calls to services are made from the desk's event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from chassis.context import Call, current_call
from chassis.grpc.client import Channels

T = TypeVar("T")
ANSWER_S = 30.0  # of a call with a thousand rows


async def apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Await it in a thread with an event loop of its own: what it computes keeps no page waiting.

    Cancelled, it is cancelled there, and waited for.
    """
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = Future()

    async def main() -> T:
        task = asyncio.current_task()
        assert task, "a coroutine runs in a task"
        begun.set_result((asyncio.get_running_loop(), task))
        return await work()

    thread = asyncio.ensure_future(asyncio.to_thread(lambda: asyncio.run(main())))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        loop, task = await asyncio.wrap_future(begun)
        with suppress(RuntimeError):  # it has ended meanwhile
            loop.call_soon_threadsafe(task.cancel)
        await asyncio.wait({thread})
        raise


class Lines:
    """Channels for such a thread, made in the desk's loop; `call` says as whom, before each call."""

    def __init__(self, channels: Channels, call: Callable[[], Awaitable[Call]]) -> None:
        self.channels, self.call = channels, call
        self.loop = asyncio.get_running_loop()

    def __call__(self, service: str) -> Any:
        """What a stub needs of a channel to a service."""
        return _Line(self, service)


class _Line:
    """What a stub needs of a channel, and whoever closes one."""

    def __init__(self, lines: Lines, service: str) -> None:
        self._lines, self._service = lines, service

    def unary_unary(self, *method: Any, **further: Any) -> Callable[[Any], Awaitable[Any]]:
        lines = self._lines

        async def asked(request: Any) -> Any:
            current_call.set(await lines.call())
            ask = lines.channels.to(self._service).unary_unary(*method, **further)
            return await ask(request, timeout=ANSWER_S)

        async def call(request: Any) -> Any:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asked(request), lines.loop))

        return call

    async def __aenter__(self) -> "_Line":
        return self

    async def __aexit__(self, *failed: object) -> None:
        """The channel is the desk's, and stays open."""
