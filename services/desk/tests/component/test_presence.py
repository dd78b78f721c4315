"""Who looks at the same customer is told to each other, on whichever replica their pages are open."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from chassis.lifecycle import Lifecycle
from desk.live import presence
from desk.live.presence import Presence
from desk.service import service as desk_service
from rapport_testing.engines.ports import free_port


class Page:
    """A customer's open page."""

    def __init__(self, at: Presence, customer: str, agent: str) -> None:
        self._told = at.others(customer, f"agents/{agent}")

    async def sees(self, *agents: str) -> None:
        """Wait until exactly these are said to be there."""
        expected = [f"agents/{each}" for each in agents]
        async with asyncio.timeout(15):
            while await anext(self._told) != expected:
                pass

    async def close(self) -> None:
        await self._told.aclose()


@pytest.fixture
async def replicas(open_desk, clock) -> AsyncIterator[tuple[Presence, Presence]]:
    """Two replicas of one desk."""
    desk = await open_desk()
    ports = {"grpc_port": free_port(), "http_port": free_port(), "web_port": free_port()}
    app = desk_service.app(desk.running.app.settings.model_copy(update=ports), clock)
    lifecycle = Lifecycle(app)
    await lifecycle.start()
    yield Presence(desk.running.app.broadcast), Presence(app.broadcast)
    await lifecycle.stop()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has left is gone at once."""
    monkeypatch.setattr(presence, "LINGERS_S", 0.01)


async def test_who_comes_and_who_is_there_see_each_other_and_who_leaves_is_gone(replicas) -> None:
    here, there = replicas
    customer = f"customers/{uuid4()}"
    alice, elsewhere = Page(here, customer, "alice"), Page(there, f"customers/{uuid4()}", "eve")
    for page in (alice, elsewhere):
        await page.sees()
    dora = Page(there, customer, "dora")
    await dora.sees("alice")
    await alice.sees("dora")
    sam = Page(here, customer, "sam")
    await sam.sees("alice", "dora")
    await alice.sees("dora", "sam")
    await dora.close()
    await alice.sees("sam")
    for page in (alice, sam, elsewhere):
        await page.close()
    assert (here._open, here._until, there._open, there._until) == ({}, {}, {}, {})


async def test_a_replica_that_ends_without_a_word_and_words_that_are_none_leave_nobody_behind(
    replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = replicas
    customer = f"customers/{uuid4()}"
    alice = Page(here, customer, "alice")
    await alice.sees()
    monkeypatch.setattr(presence, "LASTS_S", 0.5)
    monkeypatch.setattr(presence, "SAID_EVERY_S", 0.1)  # of pages that open from now on
    dora = Page(there, customer, "dora")
    await dora.sees("alice")
    await alice.sees("dora")
    for word in (b"", b"here", b"\xff \xfe", b"here  ", f"gone {customer} agents/eve".encode()):
        there._broadcast.send(word)
    monkeypatch.setattr(
        there._broadcast, "send", lambda _: None
    )  # it says nothing more, not even that it ends
    await alice.sees()
    await dora.close()
    await alice.close()
    assert here._until == {}


async def test_somebody_with_two_pages_is_there_until_both_are_closed(replicas) -> None:
    here, there = replicas
    customer = f"customers/{uuid4()}"
    alice, again = Page(here, customer, "alice"), Page(there, customer, "alice")
    for page in (alice, again):
        await page.sees()
    await again.close()
    dora = Page(there, customer, "dora")
    await dora.sees("alice")
    await alice.close()
    await dora.sees()
    await dora.close()
