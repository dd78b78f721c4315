"""A database behind a proxy that loses answers, or falls silent, when a test says so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from chassis.clock import Clock
from chassis.db.database import Database
from chassis.events.facts import FactCodec
from rapport.cases.v1 import cases_events_pb2
from rapport_testing.engines.ports import free_port


class Proxy:
    """Passes bytes on in both directions until it is told otherwise.

    Attributes:
        passes: cleared, nothing passes any more, and nobody is told.
        cuts: asked with each message to the server; once it says yes, the message is delivered and the
            connection of the client is broken before any answer.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = host, port
        self._writers: list[asyncio.StreamWriter] = []
        self.passes = asyncio.Event()
        self.passes.set()
        self.cuts: Callable[[bytes], bool] = lambda _: False

    async def open(self, port: int) -> None:
        """Listen on a port of loopback."""
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", port)

    async def close(self) -> None:
        """Break every connection and listen no more."""
        self._listener.close()
        self.passes.set()
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._server)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, server_writer]
        back = asyncio.create_task(self._pass_on(server_reader, writer))
        while data := await self._read(reader):
            if self.cuts(data):
                back.cancel()
                server_writer.write(data)
                await server_writer.drain()
                writer.transport.abort()
                return  # the server's side stays open: it is not told that nobody listens
            server_writer.write(data)
        server_writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await self._read(reader):
            writer.write(data)
        writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        try:
            data = await reader.read(65536)
        except OSError:
            return b""
        await self.passes.wait()
        return data


@pytest.fixture
async def direct(database: Callable[..., Awaitable[Database]]) -> Database:
    return await database()


@pytest.fixture
async def proxied(direct: Database) -> AsyncIterator[tuple[Database, Proxy]]:
    """The database of `direct` through a proxy."""
    url: Any = urlsplit(direct._url)
    proxy, port = Proxy(url.hostname, url.port), free_port()
    await proxy.open(port)
    there = urlunsplit(url._replace(netloc=url.netloc.replace(str(url.port), str(port))))
    db = Database(there, "cases", FactCodec(cases_events_pb2), Clock(), pool_size=4)
    await db.open()
    yield db, proxy
    proxy.passes.set()  # or closing would wait for who is cut off
    await db.close()
    await proxy.close()
