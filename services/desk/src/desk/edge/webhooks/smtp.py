"""Mail by SMTP: what a mail server of ours hands over becomes a webhook of one source."""

import asyncio
import logging
import socket
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from chassis.errors import Refusal, ResourceExhausted
from desk.edge.webhooks.kinds.mail import BODY_MAX_BYTES
from desk.edge.webhooks.pace import Pace
from desk.edge.webhooks.receiving import Receiving, refused
from desk.edge.webhooks.sources import Sources

SESSIONS_MAX = 20  # each holds one message
TIMEOUT_S = 60
LINE_MAX_BYTES = 64 * 1024  # the standard allows 1000, and programs send more
_LATER = "451 4.3.0 It cannot be kept now: try again later."

_log = structlog.get_logger()


class Listener:
    """Takes mail for one source.

    It knows nobody: whoever reaches its port hands over mail, so only mail servers of ours may. It relays
    nothing, and answers `250` when a message is kept.

    Args:
        sources: who may send; read again as they change.
        name: of the source, of the kind `email`.
        receiving: keeps it.
        host, port: where it listens.

    """

    def __init__(self, sources: Sources, name: str, receiving: Receiving, host: str, port: int) -> None:
        self._sources = sources
        self._name = name
        self._receiving = receiving
        self._address = host, port
        self._pace = Pace()
        self._sessions = 0

    async def run(self) -> None:
        """Listen until cancelled. OSError when the port is taken."""
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it tells who writes to whom
        listening = socket.create_server(self._address)
        server = await asyncio.get_running_loop().create_server(self._session, sock=listening)
        try:
            await server.serve_forever()
        finally:
            server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a message, then answer."""
        source = self._sources.get(self._name)
        if source is None or source.kind != "email":
            _log.error("mail is refused: no source of the kind email has this name", source=self._name)
            return _LATER
        body = envelope.original_content or b""
        try:
            self._pace.take(source.name, source.per_second)
            await self._receiving.keep(source, await asyncio.to_thread(source.what.keep, body))
        except Refusal as refusal:
            refused(source, refusal.reason.lower())
            return (
                "451 4.7.1 Too much: try again later." if isinstance(refusal, ResourceExhausted) else _LATER
            )
        return "250 2.0.0 Kept"

    async def handle_exception(self, error: Exception) -> str:
        """Say nothing of what was sent, which the error may repeat."""
        _log.error("mail could not be taken", error=type(error).__name__)
        return _LATER

    def _session(self) -> SMTP:
        return _Session(self)

    def enter(self) -> bool:
        """Whether there is room for one session more; then it is taken."""
        if self._sessions >= SESSIONS_MAX:
            return False
        self._sessions += 1
        return True

    def leave(self) -> None:
        """A session has ended."""
        self._sessions -= 1


class _Session(SMTP):
    """A connection, unless there are too many."""

    line_length_limit = LINE_MAX_BYTES

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
