"""Mail by SMTP: what a mail server of ours hands over becomes a webhook of one source."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, syntax

from chassis.errors import InvalidArgument, Refusal, ResourceExhausted
from desk.edge import reading
from desk.edge.webhooks.kinds.mail import BODY_MAX_BYTES
from desk.edge.webhooks.receiving import Receiving, refused
from desk.edge.webhooks.sources import Source, Sources

SESSIONS_MAX = 20
TIMEOUT_S = 60
PIECE_MAX_BYTES = 64 * 1024
_LINE = b"\r\n"
_END = b"\r\n.\r\n"
_LATER = "451 4.3.0 It cannot be kept now: try again later."
_ANSWERS = {
    InvalidArgument: f"552 5.3.4 A message has at most {BODY_MAX_BYTES} bytes.",
    ResourceExhausted: "451 4.7.1 Too much: try again later.",
}

_log = structlog.get_logger()


class Listener:
    """Takes mail for one source.

    It knows nobody: whoever reaches its port hands over mail, so only mail servers of ours may. It relays
    nothing, and answers `250` when a message is kept.
    """

    def __init__(self, sources: Sources, name: str, receiving: Receiving, host: str, port: int) -> None:
        self._sources = sources
        self._name = name  # of the source, of the kind `email`
        self._receiving = receiving
        self._address = host, port
        self._sessions = 0

    async def run(self) -> None:
        """Listen until cancelled. OSError when the port is taken."""
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it tells who writes to whom
        listening = socket.create_server(self._address)
        server = await asyncio.get_running_loop().create_server(lambda: _Session(self), sock=listening)
        try:
            await server.serve_forever()
        finally:
            server.close()

    def source(self) -> Source | None:
        """Whose mail it is; None while nobody's is taken."""
        source = self._sources.get(self._name)
        if source is None or source.kind != "email":
            _log.error("mail is refused: no source of the kind email has this name", source=self._name)
            return None
        return source

    async def take(self, source: Source, pieces: AsyncIterator[bytes]) -> str:
        try:
            with self._receiving.room.for_one(source.name) as room:
                await self._receiving.keep(source, await _message(pieces, room))
        except Refusal as refusal:
            refused(source, refusal.reason.lower())
            async for _ in pieces:  # or the rest of it would be taken for commands
                pass
            return _ANSWERS.get(type(refusal), _LATER)
        return "250 2.0.0 Kept"

    async def handle_exception(self, error: Exception) -> str:
        """Say nothing of what was sent, which the error may repeat."""
        _log.error("mail could not be taken", error=type(error).__name__)
        return _LATER

    def enter(self) -> bool:
        """Whether there is room for one session more; then it is taken."""
        if self._sessions >= SESSIONS_MAX:
            return False
        self._sessions += 1
        return True

    def leave(self) -> None:
        self._sessions -= 1


class _Session(SMTP):
    """A connection, unless there are too many."""

    line_length_limit = PIECE_MAX_BYTES

    def __init__(self, listener: Listener) -> None:
        super().__init__(
            listener,
            data_size_limit=BODY_MAX_BYTES,
            enable_SMTPUTF8=True,
            hostname="rapport",
            ident="Rapport",
            timeout=TIMEOUT_S,
            loop=asyncio.get_running_loop(),
        )
        self._listener = listener
        self._entered = False

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        """Take a message, in pieces: the library's own way costs a hundred bytes more for each line."""
        assert self.envelope is not None
        if await self.check_helo_needed():
            return
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 Syntax: DATA" if arg else "503 Error: need RCPT command")
            return
        if (source := self._listener.source()) is None:
            await self.push(_LATER)
            return
        self._reader.feed_data(_LINE)  # before the client's first: so a message of none ends like all others
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        answer = await self._listener.take(source, _pieces(self._reader))
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(answer)

    def connection_made(self, transport: Any) -> None:
        self._entered = self._listener.enter()
        if self._entered:
            super().connection_made(transport)
        else:
            transport.write(b"421 4.3.2 Too many connections: try again later.\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._entered:
            self._listener.leave()
            super().connection_lost(error)


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """A message as it comes, to its end."""
    while True:
        try:
            yield (await reader.readuntil(_END)).removesuffix(_END) + _LINE
            return
        except asyncio.LimitOverrunError as more:
            yield await reader.read(more.consumed)


async def _message(pieces: AsyncIterator[bytes], take: Callable[[int], None]) -> bytes:
    """A message without what the protocol adds. BODY_TOO_LARGE, OVERLOADED."""
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > BODY_MAX_BYTES:
            raise reading.too_large(BODY_MAX_BYTES)
        take(len(piece))
    return bytes(body.replace(_LINE + b".", _LINE).removeprefix(_LINE))
