"""What tests share: begun once for a key, ended by another; none of them moves its clock or stops it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rapport_testing.sharing import Shared, StandingClock, is_alone

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Started:
    """What starts nothing, and keeps what was asked of it, and when it ended."""

    def __init__(self) -> None:
        self.said: list[str] = []

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[Any]:
        async def start(service: Any, **settings: Any) -> Any:
            self.said.append(f"start {service.name}")
            return SimpleNamespace(app=SimpleNamespace(name=service.name, draining=asyncio.Event()))

        yield start
        self.said.append("end")


@pytest.fixture
def started() -> Started:
    return Started()


@pytest.fixture
def shared(started: Started) -> Shared:
    return Shared(StandingClock(NOON), started.starting)


CASES, LOYALTY = SimpleNamespace(name="cases"), SimpleNamespace(name="loyalty")


async def test_a_service_is_started_once_and_ends_before_another(shared: Any, started: Started) -> None:
    first = await shared.service(CASES)
    assert await shared.service(CASES) is first
    await shared.service(CASES, pool_size=4)
    await shared.service(LOYALTY)
    await shared.close()
    assert started.said == ["start cases", "end", "start cases", "end", "start loyalty", "end"]


async def test_of_facts_only_those_are_told_that_come_after_a_test_begins(shared: Any) -> None:
    before = (await shared.service(CASES)).published_after
    assert (await shared.service(CASES)).published_after > before


async def test_what_a_test_stopped_is_no_service_for_the_next(shared: Any) -> None:
    (await shared.service(CASES)).app.draining.set()
    with pytest.raises(AssertionError, match="a test before stopped"):
        await shared.service(CASES)


def test_nobody_moves_a_clock_that_others_read(shared: Shared) -> None:
    with pytest.raises(AssertionError, match="takes the fixture `clock`"):
        shared.clock.advance(timedelta(seconds=1))


@pytest.mark.parametrize(
    ("marks", "fixtures", "alone"),
    [
        ([], ["desk"], True),
        (["together"], ["desk"], False),
        (["together"], ["desk", "clock"], True),
        (["together", "alone"], ["desk"], True),
    ],
)
def test_who_shares_says_so_and_neither_takes_the_clock_nor_is_marked(
    marks: list[str], fixtures: list[str], alone: bool
) -> None:
    told = dict.fromkeys(marks, object())
    node = SimpleNamespace(fixturenames=fixtures, get_closest_marker=told.get)
    request: Any = SimpleNamespace(node=node)
    assert is_alone(request) == alone
