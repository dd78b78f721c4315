"""Pages are timed by their route, and those who watch are counted while they do."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from sse_starlette import EventSourceResponse

from desk.pages.app import Measured


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None)
    app.add_middleware(Measured)

    @app.get("/things/{uuid}")
    async def thing(uuid: str) -> str:
        return uuid

    @app.get("/watched")
    async def watched() -> EventSourceResponse:
        async def events() -> AsyncIterator[dict[str, str]]:
            viewers.append(value("rapport_live_viewers"))
            yield {"data": "x"}

        return EventSourceResponse(events())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as opened:
        yield opened


viewers: list[float] = []


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def answered(route: str, status: str) -> float:
    return value("http_server_request_duration_seconds_count", method="GET", route=route, status=status)


async def test_an_answer_is_counted_by_its_route_and_never_by_its_path(client: httpx.AsyncClient) -> None:
    before = answered("/things/{uuid}", "200"), answered("none", "404")
    await asyncio.gather(client.get("/things/1"), client.get("/things/2"), client.get("/nothing"))
    assert (answered("/things/{uuid}", "200"), answered("none", "404")) == (before[0] + 2, before[1] + 1)


async def test_who_watches_is_counted_while_they_do_and_not_timed(client: httpx.AsyncClient) -> None:
    before = value("rapport_live_viewers")
    await client.get("/watched")
    assert (viewers.pop(), value("rapport_live_viewers")) == (before + 1, before)
    assert answered("/watched", "200") == 0
