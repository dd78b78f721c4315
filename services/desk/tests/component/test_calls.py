"""A call that rings reaches the agent at whom it rings, on whichever replica their page is open."""

import asyncio
import contextlib
import itertools
from datetime import timedelta
from typing import Any

import pytest

from chassis.lifecycle import Lifecycle
from desk.live.calls import Calls, Over, Ringing
from desk.service import service as desk_service
from rapport_testing.engines.ports import free_port

NUMBER = "+4930901820"


@pytest.fixture
async def elsewhere(desk, clock):
    """The calls of another replica."""
    ports = {"grpc_port": free_port(), "http_port": free_port(), "web_port": free_port()}
    app = desk_service.app(desk.running.app.settings.model_copy(update=ports), clock)
    lifecycle = Lifecycle(app)
    await lifecycle.start()
    yield Calls(app.db, app.broadcast)
    await lifecycle.stop()


class Page:
    """An agent's open page."""

    def __init__(self, calls: Calls, agent: str) -> None:
        self._ringing = calls.listen(agent)
        self._next: asyncio.Task[Ringing | Over] = asyncio.ensure_future(anext(self._ringing))

    async def hears(self) -> Any:
        heard = await asyncio.wait_for(self._next, 15)
        self._next = asyncio.ensure_future(anext(self._ringing))
        return heard

    async def close(self) -> None:
        self._next.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._next
        await self._ringing.aclose()


@pytest.fixture
async def page(elsewhere):
    """Opens pages."""
    opened = []

    def begin(agent: str) -> Page:
        opened.append(Page(elsewhere, agent))
        return opened[-1]

    yield begin
    for each in opened:
        await each.close()


@pytest.fixture
def tells(sender):
    """Tells what happens in calls, in that order."""
    count = itertools.count()

    async def of(call: str, event: str, agent: str = "alice", **more: str) -> None:
        told = {"call": call, "event": event, "agent": agent, "from": NUMBER} | more
        await sender("telephony").send(told, str(next(count)))

    return of


async def test_a_ringing_call_reaches_an_open_page_on_another_replica(tells, page) -> None:
    alices, bobs = page("alice"), page("bob")
    await tells("c-1", "ringing")
    assert (await alices.hears()).number == NUMBER
    await tells("c-2", "ringing", "bob", **{"from": "anonymous"})
    assert (await bobs.hears()).number == "anonymous"


async def test_a_call_that_is_transferred_rings_at_the_second_agent(tells, page) -> None:
    alices, bobs = page("alice"), page("bob")
    await tells("c-1", "ringing")
    first = await alices.hears()
    await tells("c-1", "answered")
    await tells("c-1", "ringing", "bob")
    assert (await bobs.hears()).call == first.call


async def test_a_page_that_opens_late_hears_what_rings_and_nothing_that_is_answered(
    tells, page, clock
) -> None:
    await tells("too-old", "ringing")
    clock.advance(timedelta(minutes=3))
    await tells("answered", "ringing")
    await tells("answered", "answered")
    await tells("rings", "ringing", **{"from": "+49301"})
    await tells("answered-first", "answered")
    await tells("answered-first", "ringing")
    alices = page("alice")
    assert (await alices.hears()).number == "+49301"
    for n in range(2):  # each of which wakes who listens: nothing else was to be told before
        await tells(f"later-{n}", "ringing", **{"from": f"+4930{n}"})
        assert (await alices.hears()).number == f"+4930{n}"


async def test_a_call_is_over_for_the_others_when_it_is_answered_and_for_who_answered_at_its_end(
    tells, page, clock
) -> None:
    alices, bobs = page("alice"), page("bob")
    await tells("c-1", "ringing")
    await tells("c-1", "ringing", "bob")
    told = (await alices.hears()).call
    assert (await bobs.hears()).call == told
    await tells("c-1", "answered")
    assert await bobs.hears() == Over(told)
    clock.advance(timedelta(minutes=10))  # they still speak
    await tells("c-1", "ended")
    assert await alices.hears() == Over(told)
