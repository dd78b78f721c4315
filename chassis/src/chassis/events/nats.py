"""Connections to NATS with the settings that survive outages."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import nats
import nats.errors
import structlog
from nats.aio.client import DEFAULT_PENDING_SIZE, Client
from nats.js import JetStreamContext

from chassis import tls

CONNECT_TIMEOUT_S = 5
REQUEST_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 2.0
# uvloop raises RuntimeError for a write to a socket that has just been closed
BROKER_ERRORS = (TimeoutError, OSError, RuntimeError, nats.errors.Error)

_log = structlog.get_logger()


class Connection:
    """One connection to NATS. Made by `connect`."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.js: JetStreamContext = client.jetstream(timeout=REQUEST_TIMEOUT_S)
        # Called after each interruption: what was asked of the server before it is forgotten.
        self.restored: set[Callable[[], None]] = set()
        self.closing = False

    async def problem(self) -> str:
        """Why the broker cannot be used, in words; "" when it answers.

        It is asked: the client's flag can stay true on a dead connection.
        """
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self.client.rtt()
        except BROKER_ERRORS:
            return "the broker does not answer"
        return ""

    def is_reconnecting(self) -> bool:
        """Whether the client knows that it is cut off, and works at it."""
        return bool(self.client.is_reconnecting)

    async def close(self) -> None:
        """Send what is buffered and close. Not `drain`, which waits for messages that nobody will read."""
        self.closing = True
        if self.client.is_connected:
            try:
                await self.client.flush(timeout=2)
            except BROKER_ERRORS:
                _log.warning("closing the connection to the broker with messages unsent")
        with contextlib.suppress(RuntimeError):  # what is buffered for a broker that is away: see above
            await self.client.close()


class Encrypting(Client):
    """A client that asks for its certificates with every handshake, and keeps to `tls://`."""

    def __init__(self, tls_dir: Path | None) -> None:
        super().__init__()
        self._tls_dir = tls_dir

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """Of a folder, as it is now, or of the system."""
        return tls.context(self._tls_dir) if self._tls_dir else ssl.create_default_context()

    async def _process_pong(self) -> None:
        """Take an answer that nobody waits for any more: the library would stop reading, unnoticed."""
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    def _connect_command(self) -> bytes:
        """Tell nothing in the clear to whoever says that there is no TLS here: the library would."""
        server = self._current_server
        if server and server.uri.scheme == "tls" and not self._server_info.get("tls_required"):
            raise nats.errors.Error("nats: the server speaks no TLS, and its URL begins with tls://")
        return super()._connect_command()


async def connect(
    url: str | Callable[[], str],
    name: str,
    *,
    closed: Callable[[], None] = lambda: None,
    pending_size: int | None = None,
    tls_dir: Path | None = None,
) -> Connection:
    """Connect to NATS at `nats://user:password@host:port`, or several separated by commas.

    User and password are those of the first; what is special in a URL is percent-encoded there. A function is
    asked for them whenever the client connects again, so that others need no new start. Replies come to
    `_INBOX_<name>.>`, which only the service of that name may read. `closed` is called when the connection is
    gone for good, for example after its password was changed: the process should end then, nothing else
    brings it back. `pending_size` are bytes kept while disconnected: 0 makes a publish fail at once, not go
    out later. `tls_dir` is the folder of `chassis.tls.context`, for `tls://`; without it, whom the system
    trusts.

    OSError, TimeoutError or nats.errors.Error when it takes more than 5 seconds; AuthorizationError at once
    where we are nobody.
    """
    client = Encrypting(tls_dir)
    connection = Connection(client)
    urls = url if callable(url) else lambda: url
    servers, told = parted(urls())
    credentials: dict[str, Any] = {kind: _now(urls, kind) for kind in told}
    starting = True

    async def on_error(error: Exception) -> None:
        if starting and "authorization violation" in str(error).lower():
            raise nats.errors.AuthorizationError from error  # the library would go on asking
        if isinstance(error, OSError):
            return  # an attempt while the server is away; that it is away is said once
        _log.warning("nats reported an error", error=type(error).__name__, detail=str(error))

    async def on_disconnected() -> None:
        if not connection.closing:
            _log.warning("disconnected from nats")

    async def on_reconnected() -> None:
        _log.info("connected to nats again")
        for action in connection.restored:
            action()

    async def on_closed() -> None:
        if not connection.closing:
            closed()

    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        await client.connect(
            servers,
            name=name,
            **credentials,
            inbox_prefix=f"_INBOX_{name}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=CONNECT_TIMEOUT_S,
            ping_interval=10,
            max_outstanding_pings=2,
            pending_size=DEFAULT_PENDING_SIZE if pending_size is None else pending_size,
            error_cb=on_error,
            disconnected_cb=on_disconnected,
            reconnected_cb=on_reconnected,
            closed_cb=on_closed,
        )
    starting = False  # from now on a refusal may be of a password that is just being changed
    return connection


def _now(urls: Callable[[], str], kind: str) -> Callable[[], str]:
    return lambda: str(parted(urls())[1].get(kind, ""))


def parted(url: str) -> tuple[list[str], dict[str, Any]]:
    """The servers, and who we are there: the client library would send the password as it is in the URL."""
    parts = [urlsplit(each) for each in url.split(",")]
    servers = [each._replace(netloc=each.netloc.rpartition("@")[2]).geturl() for each in parts]
    user, password = parts[0].username, parts[0].password
    if user is None:
        return servers, {}
    if password is None:
        return servers, {"token": unquote(user)}
    return servers, {"user": unquote(user), "password": unquote(password)}
