"""Agents who are there as long as something holds their presence."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from cases.rpc import presences as rpc
from rapport.cases.v1.presence_pb2 import Presence
from rapport.cases.v1.presence_service_pb2 import (
    GetPresenceRequest,
    HoldPresenceRequest,
    SetPresenceRequest,
)

DELIVERY = "departments/delivery"
AVAILABLE, BUSY, AWAY, OFFLINE = (
    getattr(Presence, f"STATE_{each}") for each in ("AVAILABLE", "BUSY", "AWAY", "OFFLINE")
)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(rpc, "HELD_EVERY_S", 0.05)


@pytest.fixture
async def bob(desk):
    return f"{await desk.agent('agents/bob', DELIVERY)}/presence"


def seen(desk, name):
    return desk.presences.GetPresence(GetPresenceRequest(name=name))


def say(desk, name, state, **said):
    return desk.presences.SetPresence(SetPresenceRequest(name=name, state=state, **said))


@asynccontextmanager
async def held(desk, name):
    stream = desk.presences.HoldPresence(HoldPresenceRequest(name=name))

    async def until(state):
        async with asyncio.timeout(20):
            async for told in stream:
                if told.state == state:
                    return told
        raise AssertionError("the stream has ended")

    try:
        yield until
    finally:
        stream.cancel()


async def test_nobody_is_there_of_whom_nothing_is_known(desk, bob):
    found = await seen(desk, bob)
    assert (found.state, found.department, found.HasField("since_time")) == (OFFLINE, DELIVERY, False)


async def test_who_holds_their_presence_is_there_and_for_a_minute_after_that(desk, bob):
    async with held(desk, bob) as until:
        await until(AVAILABLE)
        for _ in range(3):  # longer than one word lasts
            desk.clock.advance(timedelta(seconds=40))
            await until(AVAILABLE)
            await until(AVAILABLE)
        assert (await seen(desk, bob)).state == AVAILABLE
    desk.clock.advance(timedelta(seconds=61))
    assert (await seen(desk, bob)).state == OFFLINE


async def test_what_somebody_says_goes_on_while_they_are_there(desk, bob):
    async with held(desk, bob) as until:
        await until(AVAILABLE)
        await say(desk, bob, BUSY)
        assert not (await until(BUSY)).HasField("until_time")
        desk.clock.advance(timedelta(seconds=40))
        await until(BUSY)
        await say(desk, bob, OFFLINE)
        await until(OFFLINE)
        desk.clock.advance(timedelta(minutes=5))
        await until(OFFLINE)  # a page that is still open makes nobody come back
        await say(desk, bob, AVAILABLE)
        await until(AVAILABLE)


async def test_who_was_lost_and_is_held_again_is_there(desk, bob):
    async with held(desk, bob) as until:
        await until(AVAILABLE)
        desk.clock.advance(timedelta(minutes=10))  # for which nothing could be written
        await until(AVAILABLE)


async def test_until_when_is_to_come(desk, bob, violations):
    past = {"until_time": {"seconds": int(desk.clock.now().timestamp())}}
    wrong = await violations(say(desk, bob, AWAY, **past))
    assert wrong == {"until_time": "INVALID_TIME: must be later than now"}
