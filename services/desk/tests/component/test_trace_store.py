"""The desk reads what a trace store answers, and says what is wrong with one that answers otherwise."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.telemetry.logging import QUIET
from chassis.web import WebServer
from desk.pages.traces import route as listing
from desk.pages.traces import store
from desk.pages.traces.store import TraceStore, TracesUnavailable
from desk.pages.traces.waterfall import waterfall
from rapport_testing.engines.ports import free_port
from rapport_testing.infrastructure import Infrastructure
from rapport_tools.local.spans import SpanStore, StoredSpan
from rapport_tools.local.trace_queries import queries

NOW = datetime.now(UTC)
CUSTOMER = "customers/0198c0de-0000-7000-8000-000000000001"
Serve = Callable[[ASGIApp], TraceStore]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Has the desk ask an application that listens on a port."""
    opened: list[tuple[WebServer, asyncio.Task[None], asyncio.Task[None]]] = []

    def begin(app: ASGIApp) -> TraceStore:
        port = free_port()
        server = WebServer(app, "127.0.0.1", port)
        asked = TraceStore(f"http://asker:secret@127.0.0.1:{port}")
        opened.append((server, asyncio.create_task(server.run()), asyncio.create_task(asked.keep())))
        return asked

    yield begin
    for server, *tasks in opened:
        await server.stop(1)
        for task in tasks:
            task.cancel()


@pytest.fixture
async def local(infrastructure: Infrastructure) -> AsyncIterator[SpanStore]:
    """The trace store of the local stack, with a call through two services that fails."""
    await infrastructure.execute("CREATE DATABASE traces_of_the_desk")
    url = infrastructure.database_url("traces_of_the_desk")
    opened = await SpanStore.open(url)
    call = StoredSpan("a" * 32, "1" * 16, "", "cases", "CreateCase", NOW, 2000.0, False)
    called = StoredSpan(
        "a" * 32,
        "2" * 16,
        "1" * 16,
        "loyalty",
        "GetAccount",
        NOW + timedelta(milliseconds=5),
        1.0,
        True,
        attributes={"error.type": "INTERNAL", "rapport.resource": [CUSTOMER]},
    )
    await opened.add([call, called])
    yield opened
    await opened.close()
    await infrastructure.drop_database(url)


async def test_a_trace_of_the_local_stack_is_a_waterfall(serve: Serve, local: SpanStore) -> None:
    made = waterfall(await serve(queries(local)).trace("a" * 32))
    assert made is not None
    assert [(row.depth, row.span.service, row.begin_ms, row.span.error) for row in made.rows] == [
        (0, "cases", 0.0, ""),
        (1, "loyalty", 5.0, "INTERNAL"),
    ]
    assert (made.duration_ms, made.customers) == (2000.0, [CUSTOMER])


async def test_a_trace_that_is_not_known_has_no_spans(serve: Serve, local: SpanStore) -> None:
    assert await serve(queries(local)).trace("b" * 32) == []


async def test_failed_and_slow_traces_are_found_once_whatever_services_they_crossed(
    serve: Serve, local: SpanStore
) -> None:
    asked, now = serve(queries(local)), NOW + timedelta(minutes=1)
    services = ["cases", "loyalty", "customer"]
    [failed] = listing.failed(await asked.failed(services, now))
    [slow] = listing.slow(await asked.slow(services, now, 1500), 1500)
    assert (failed.worst.name, failed.customers) == ("GetAccount", [CUSTOMER])
    assert (slow.worst.name, slow.services) == ("CreateCase", ["cases", "loyalty"])


def answers(body: bytes, status: int = 200) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(body, status)(scope, receive, send)

    return app


async def for_members(scope: Scope, receive: Receive, send: Send) -> None:
    """A store that asks for a password."""
    shown = Request(scope).headers.get("authorization")
    expected = f"Basic {b64encode(b'asker:secret').decode()}"
    await Response(b'{"result": {}}', 200 if shown == expected else 401)(scope, receive, send)


async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("app", "why"),
    [
        pytest.param(answers(b"<html>"), "something else", id="html"),
        pytest.param(answers(b"", 401), "401", id="refusal"),
        pytest.param(answers(b" " * 2048), "more than", id="huge"),
        pytest.param(hangs, "does not answer", id="silent"),
    ],
)
async def test_what_is_wrong_with_a_trace_store_is_said(
    serve: Serve, app: Any, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ANSWERS_MAX_BYTES", 1024)
    monkeypatch.setattr(store, "PATIENCE_S", 0.5)
    with pytest.raises(TracesUnavailable, match=why) as refused:
        await serve(app).trace("a" * 32)
    assert refused.value.reason == "TRACES_UNAVAILABLE"


async def test_whoever_waits_for_their_turn_at_a_store_that_is_silent_is_told_in_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ALL_S", 0.5)
    asked = serve(hangs)
    readers = [asked.trace("a" * 32), asked.failed(["cases", "loyalty"], NOW), asked.trace("b" * 32)]
    async with asyncio.timeout(store.PATIENCE_S):
        told = await asyncio.gather(*readers, return_exceptions=True)
    assert [type(each) for each in told] == [TracesUnavailable] * 3


async def test_what_one_page_asks_for_has_a_size_together(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ANSWERS_MAX_BYTES", 1024)
    asked = serve(answers(b'{"result": {}}' + b" " * 600))
    assert await asked.failed(["cases"], NOW) == []
    with pytest.raises(TracesUnavailable, match="more than"):
        await asked.failed(["cases", "loyalty"], NOW)


async def test_a_trace_store_is_asked_one_thing_after_another(serve: Serve) -> None:
    asking, most = 0, 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        await Response(b'{"result": {}}')(scope, receive, send)
        asking -= 1

    asked = serve(app)
    await asyncio.gather(*(asked.slow(["cases", "loyalty"], NOW, 1000) for _ in range(5)))
    assert most == 1


async def test_a_password_in_the_url_is_shown_to_the_store_and_to_no_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for name in QUIET:
            caplog.set_level(logging.WARNING, name)
        assert await serve(for_members).trace("a" * 32) == []
    assert "secret" not in caplog.text


async def test_a_trace_store_that_is_not_there_does_not_answer() -> None:
    with pytest.raises(TracesUnavailable, match="does not answer"):
        await TraceStore("http://127.0.0.1:9").trace("a" * 32)
