"""What a service serves over HTTP, asked by those who do not ask."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from chassis import web
from chassis.web import WebServer
from rapport_testing.engines.ports import free_port
from rapport_testing.wait import eventually

Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[..., Awaitable[Opened]]
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
_given_up: list[str] = []  # the streams whose reader has gone
_last: ContextVar[str] = ContextVar("last", default="nobody")


async def site(scope: Any, receive: Any, send: Any) -> None:
    """Reads the whole body unless asked at `/early`, and tells who set a variable of the context before."""
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()
        gone = asyncio.ensure_future(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
        _given_up.append(scope["path"])
        return
    told = _last.get()
    _last.set(scope["path"])
    while scope["path"] != "/early" and (message := await receive())["type"] == "http.request":
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
    await send({"type": "http.response.body", "body": told.encode()[:6]})


@pytest.fixture
async def connect(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Serves, as impatient as the test wants it, and connects."""
    monkeypatch.setattr(web, "REQUEST_S", 0.3)
    monkeypatch.setattr(web, "CONNECTIONS_MAX", 8)
    port, running, writers = free_port(), [], []

    async def connect(sent: bytes = b"") -> Opened:
        if not running:
            server = WebServer(site, "127.0.0.1", port)
            running.extend([server, asyncio.create_task(server.run())])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        writers.append(writer)
        return reader, writer

    yield connect
    for writer in writers:
        writer.close()
    server, task = running
    await server.stop(1)
    task.cancel()


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What comes until the end."""
    with contextlib.suppress(ConnectionResetError):
        return await asyncio.wait_for(reader.read(), 20)
    return b""


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nX-", POST + b"half"])
async def test_a_request_that_does_not_come_to_its_end_is_not_waited_for(connect: Open, sent: bytes) -> None:
    reader, _ = await connect(sent)
    assert await closed(reader) == b""


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\n", POST.replace(b"9", b"9999")])
async def test_a_drip_is_no_sign_of_life(connect: Open, begun: bytes) -> None:
    reader, writer = await connect(begun)
    ended = asyncio.create_task(closed(reader))
    dripped = 0
    with contextlib.suppress(ConnectionError):
        while not ended.done():
            writer.write(b"X: a\r\n")
            await writer.drain()
            dripped += 1
            await asyncio.wait({ended}, timeout=0.05)
    assert dripped > 1


async def test_what_is_left_of_a_request_that_was_answered_early_is_not_waited_for(connect: Open) -> None:
    reader, _ = await connect(POST.replace(b"/", b"/early", 1))
    assert (await closed(reader)).startswith(b"HTTP/1.1 200")


async def test_an_answer_that_comes_in_parts_and_is_not_read_is_not_waited_for(connect: Open) -> None:
    reader, writer = await connect(GET.replace(b"/", b"/stream", 1))
    assert b"200" in await reader.readuntil(b"\r\n\r\n")
    writer.transport.pause_reading()

    await eventually(lambda: _given_up, 20)
    assert _given_up.pop() == "/stream"


async def test_a_connection_is_used_again_for_as_long_as_somebody_asks(connect: Open) -> None:
    reader, writer = await connect()
    for sent in (GET, POST + b"123456789", GET):
        writer.write(sent)
        assert b"200" in await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(6)


async def test_an_answer_says_when_it_was_given_and_not_by_what(connect: Open) -> None:
    reader, _ = await connect(GET)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert b"\r\ndate: " in head
    assert b"server:" not in head


async def test_connections_that_never_ask_keep_nobody_out(connect: Open) -> None:
    held = [await connect(b"GET ") for _ in range(40)]
    reader, _ = await connect(GET)
    assert b"200" in await reader.readuntil(b"\r\n\r\n")
    for each, _ in held[:32]:
        assert await closed(each) == b""


async def test_requests_that_follow_each_other_at_once_have_nothing_in_common(connect: Open) -> None:
    reader, _ = await connect(GET.replace(b"/", b"/one", 1) + GET)
    for _ in range(2):
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(6) == b"nobody"


async def test_a_process_keeps_files_for_what_else_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    assert web._most() == 512
