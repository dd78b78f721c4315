"""Services that the tests of a module share: to start them for each test costs more than most tests do."""

import contextlib
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from chassis import ids
from chassis.service import Service
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running

TOGETHER = "together"  # marks a module whose tests share services
ALONE = "alone"  # marks a test there that has services of its own nevertheless, and says why


def is_alone(request: pytest.FixtureRequest) -> bool:
    """Whether a test has services of its own, as all have whose module does not say otherwise.

    In one that does, who takes the clock, to move it, has, and who is marked so.
    """
    shares = request.node.get_closest_marker(TOGETHER) is not None
    return (
        not shares
        or "clock" in request.node.fixturenames
        or request.node.get_closest_marker(ALONE) is not None
    )


class StandingClock(ManualClock):
    """The clock of services that tests share: none of them moves it."""

    def advance(self, by: timedelta) -> NoReturn:
        raise AssertionError("tests share this clock: one that moves it takes the fixture `clock`")


class Shared:
    """What the tests of a module share, one thing at a time, as its services share a broker.

    `starting` makes, for a block, what starts services.
    """

    def __init__(
        self, clock: StandingClock, starting: Callable[[], contextlib.AbstractAsyncContextManager[Any]]
    ) -> None:
        self.clock = clock
        self._starting = starting
        self._stack = contextlib.AsyncExitStack()
        self._running: list[Running] = []
        self._key: Hashable = None
        self._opened: Any = None

    async def open(self, key: Hashable, begin: Callable[[Any], Awaitable[Any]]) -> Any:
        """What `begin` made of a start, now or for an earlier test with that key; another key ends it."""
        if self._key != key:
            await self.close()
            start = await self._stack.enter_async_context(self._starting())

            async def started(*service: Any, **how: Any) -> Running:
                self._running.append(await start(*service, **how))
                return self._running[-1]

            self._opened = await begin(started)
            self._key = key
        stopped = [each.app.name for each in self._running if each.app.draining.is_set()]
        assert not stopped, f"a test before stopped {stopped}, which others share: mark it `{ALONE}`"
        return self._opened

    async def service(self, service: Service[Any], **settings: Any) -> Running:
        """One service, of whose facts only those of the test that begins are told."""
        key = (service.name, *settings.items())
        running: Running = await self.open(key, lambda start: start(service, **settings))
        running.published_after = ids.uuid7(self.clock.now())
        return running

    async def close(self) -> None:
        """Stop what is open."""
        self._key = self._opened = None
        self._running.clear()
        await self._stack.aclose()
