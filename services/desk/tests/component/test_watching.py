import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from rapport_testing.wait import eventually

pytestmark = pytest.mark.together


@contextlib.asynccontextmanager
async def events(client: httpx.AsyncClient, url: str) -> AsyncIterator[AsyncIterator[dict]]:
    """The events of a stream, each as its lines say."""
    async with client.stream("GET", url, timeout=None) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream"), await answer.aread()
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers

        async def read() -> AsyncIterator[dict]:
            told: dict = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    told[name] = value
                elif "data" in told:
                    yield told | {"data": json.loads(told["data"])}
                    told = {}

        yield read()


@pytest.fixture
async def erika(alice: httpx.AsyncClient) -> str:
    return (await alice.post("/v1/customers", json={"displayName": "Erika Sommer"})).json()["name"]


async def test_a_watched_view_shows_a_change_and_nobody_logs_it(alice, erika, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    async with events(alice, f"/v1/{erika}/view:watch") as told:
        assert (await anext(told))["data"]["customerView"]["displayName"] == "Erika Sommer"
        await alice.patch(f"/v1/{erika}?updateMask=displayName", json={"displayName": "Erika Winter"})
        async for event in told:
            if event["data"]["customerView"]["displayName"] == "Erika Winter":
                break
    assert "Erika" not in "".join(each.message for each in caplog.records if "httpc" not in each.name)


async def test_a_watch_that_is_refused_is_refused_with_a_status(desk, alice) -> None:
    async with alice.stream("GET", f"/v1/customers/{uuid4()}/view:watch") as answer:
        assert answer.status_code == 404
        assert json.loads(await answer.aread())["reason"] == "RESOURCE_NOT_FOUND"
    async with desk.client("cases.cases.read").stream("GET", f"/v1/customers/{uuid4()}/view:watch") as answer:
        assert answer.status_code == 403


async def test_a_watch_ends_with_a_farewell_when_its_time_is_over(alice, erika) -> None:
    async with alice.stream("GET", f"/v1/{erika}/view:watch", headers={"grpc-timeout": "500m"}) as answer:
        told = (await answer.aread()).decode()
    assert told.count("event: ") == told.count("event: farewell\r\ndata: {}\r\nretry: ") == 1


@pytest.mark.alone("a service is stopped")
async def test_when_the_desk_stops_every_watcher_is_told_when_to_come_back(desk, alice, erika) -> None:
    farewells = []

    async def watch(seen: asyncio.Event) -> None:
        async with events(desk.client(), f"/v1/{erika}/view:watch") as told:
            async for event in told:
                seen.set()
                if event.get("event") == "farewell":
                    farewells.append(int(event["retry"]))

    watching = [asyncio.Event() for _ in range(30)]
    async with asyncio.TaskGroup() as group:
        for seen in watching:
            group.create_task(watch(seen))
        await asyncio.gather(*(seen.wait() for seen in watching))
        await desk.running.stop()
    assert len(farewells) == 30
    assert max(farewells) - min(farewells) > 1000
    assert all(500 <= each <= 5500 for each in farewells)


@pytest.mark.alone("a service is stopped")
async def test_a_service_that_stops_ends_its_watches_and_not_the_desk(desk, alice, erika) -> None:
    async with events(alice, f"/v1/{erika}/view:watch") as told:
        await anext(told)
        stopping = asyncio.create_task(desk.services["customer"].stop())
        last = [event async for event in told][-1]
        await stopping
    assert (last["event"], last["data"]["reason"]) == ("problem", "DRAINING")
    assert (await alice.get("/v1/services/desk/backlog")).status_code == 200


async def test_whoever_leaves_is_forgotten_by_the_service(desk, alice, erika) -> None:
    async with events(alice, f"/v1/{erika}/view:watch") as told:
        await anext(told)
        streams = desk.services["customer"].lifecycle.server._interceptor._open_streams
        assert streams.taken == 1
    await eventually(lambda: streams.taken == 0)
