"""Calls to other services: channels that add identity, deadline, retries and the current trace."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from chassis.context import current_call
from chassis.errors import DeadlineExceeded
from chassis.files import Reread
from chassis.grpc.bounds import SIZES
from chassis.grpc.open_methods import LASTING_S
from chassis.grpc.retries import Retries, may_repeat
from chassis.telemetry import tracing
from chassis.telemetry.metrics import RPC_CLIENT_DURATION
from chassis.tls import Certificates, Held

deadline: ContextVar[float] = ContextVar("deadline")
"""The monotonic moment until which the current work has time. Unset outside of RPCs."""

LONGEST_S = 5.0
MARGIN_S = 0.05  # for the way back, so that we can still answer when the other service took all it had

_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        # A replica that is about to stop says so, and gets no more calls.
        "healthCheckConfig": {"serviceName": "accepting"},
    }
)
OPTIONS = [
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.enable_http_proxy", 0),  # what is set is for the world outside, not for other services
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.max_reconnect_backoff_ms", 5_000),  # the default, two minutes, is longer than any restart
    ("grpc.dns_min_time_between_resolutions_ms", 10_000),
    *SIZES,
]


class Identity:
    """A service's own token, from a file that is read again when it changes.

    No file, no token: then a call is made as whoever began it, and not on their behalf.
    """

    def __init__(self, token_file: Path | None) -> None:
        self._file = token_file
        self._held: Reread[str] | None = None

    def token(self) -> str:
        """The token. OSError or ValueError when the first look at the file finds none."""
        if self._file is None:
            return ""
        if self._held is None:
            self._held = Reread([self._file], partial(_token, self._file))
        return self._held.newest()


def _token(file: Path) -> str:
    """What a file holds. An empty one is being written: without it we would lend the caller's own rights."""
    token = file.read_text().strip()
    if not token:
        raise ValueError(f"{file} holds no token")
    return token


class Channels:
    """Channels to the services that may be called, by their addresses, opened by the first call.

    With this service's token, and TLS with all of them, if there are certificates.
    """

    def __init__(
        self, peers: Mapping[str, str], token_file: Path | None, certificates: Certificates | None = None
    ) -> None:
        self._peers = peers
        self._identity = Identity(token_file)
        self._certificates = certificates
        self._open: dict[str, Peer] = {}

    def to(self, service: str) -> Any:
        """The channel to a service, for its stub's constructor. KeyError when it has no address."""
        if service not in self._open:
            self._open[service] = Peer(self._peers[service], self._identity, self._certificates)
        return self._open[service]

    def __contains__(self, service: str) -> bool:
        return service in self._peers

    def __iter__(self) -> Iterator[str]:
        return iter(self._peers)

    async def close(self) -> None:
        await asyncio.gather(*(peer.close() for peer in self._open.values()))


class Peer:
    """What a stub needs of a channel: unary and server-streaming calls. Connects with the first call.

    Made before the event loop runs, unlike a `grpc.aio.Channel`, which belongs to the loop it is made in.
    """

    def __init__(self, target: str, identity: Identity, certificates: Certificates | None = None) -> None:
        self._target = target
        self._identity = identity
        self._certificates = certificates
        self._retries = Retries()
        self._channel: grpc.aio.Channel | None = None
        self._shown: Held | None = None
        self._closing: dict[asyncio.Task[None], grpc.aio.Channel] = {}

    def unary_unary(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        _registered_method: Any = None,
    ) -> Callable[..., Any]:
        """The callable for a unary method: `await call(request, timeout=seconds)`.

        Given a dictionary as `trailing`, it adds the trailing metadata of the answer.
        """

        async def call(
            request: Any,
            *,
            timeout: float | None = None,  # noqa: ASYNC109 - as gRPC has it
            trailing: dict[str, Any] | None = None,
        ) -> Any:
            seconds = _timeout(timeout)
            with tracing.client_span(method[1:], self._attributes(method)) as span:
                metadata = self._metadata()

                async def attempt(seconds_left: float) -> Any:
                    multi = self._connected().unary_unary(method, request_serializer, response_deserializer)
                    made = multi(request, timeout=seconds_left, metadata=metadata)
                    response = await made
                    if trailing is not None:
                        trailing.update(await made.trailing_metadata())
                    return response

                began, code = time.perf_counter(), "CANCELLED"
                try:
                    response = await self._retries.call(attempt, seconds, may_repeat(method, request))
                except grpc.aio.AioRpcError as error:
                    code = error.code().name
                    error.add_note(method[1:])  # which call it was, gRPC does not say
                    raise
                else:
                    code = "OK"
                    return response
                finally:
                    RPC_CLIENT_DURATION.labels(method[1:], code).observe(time.perf_counter() - began)
                    span.set_attribute("rpc.response.status_code", code)

        return call

    def unary_stream(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        _registered_method: Any = None,
    ) -> Callable[..., Any]:
        """The callable for a server-streaming method: `async for r in call(request, timeout=seconds)`."""

        async def call(request: Any, *, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109 - as gRPC has it
            multi = self._connected().unary_stream(method, request_serializer, response_deserializer)
            async for response in multi(request, timeout=timeout, metadata=self._metadata()):
                yield response

        return call

    async def close(self) -> None:
        for channel in (*self._closing.values(), self._channel):
            if channel is not None:
                await channel.close(None)

    def _connected(self) -> grpc.aio.Channel:
        held = self._certificates.newest() if self._certificates else None
        if self._channel is None or held is not self._shown:
            self._retire()
            self._shown = held
            self._channel = _opened(self._target, held)
        return self._channel

    def _retire(self) -> None:
        """A channel keeps its certificates for ever. Calls that are on their way over it may end there."""
        if self._channel is not None:
            closing = asyncio.get_running_loop().create_task(self._channel.close(LASTING_S))
            self._closing[closing] = self._channel
            closing.add_done_callback(self._closing.pop)

    def _attributes(self, method: str) -> dict[str, str]:
        return {"rpc.system.name": "grpc", "rpc.method": method[1:], "server.address": self._target}

    def _metadata(self) -> list[tuple[str, str]]:
        metadata = []
        token = self._identity.token()
        if token:
            metadata.append(("authorization", f"Bearer {token}"))
        if context := tracing.traceparent():
            metadata.append(("traceparent", context))
        call = current_call.get(None)
        if call is not None:
            if call.correlation_id:
                metadata.append(("correlation-id", call.correlation_id))
            if call.credential:  # whoever began this: no service lends them rights that they lack
                metadata.append(("on-behalf-of" if token else "authorization", call.credential))
            if call.purpose:
                metadata.append(("access-purpose", call.purpose))
        return metadata


def _opened(target: str, held: Held | None) -> grpc.aio.Channel:
    if held is None:
        return grpc.aio.insecure_channel(target, options=OPTIONS)
    credentials = grpc.ssl_channel_credentials(held.ca, held.key, held.certificate)
    return grpc.aio.secure_channel(target, credentials, options=OPTIONS)


def _timeout(asked_s: float | None) -> float:
    """The time for a call: what was asked for, what is left of our own, or 5 seconds, whichever is least."""
    seconds = LONGEST_S if asked_s is None else asked_s
    until = deadline.get(None)
    if until is not None:
        seconds = min(seconds, until - time.monotonic() - MARGIN_S)
        if seconds <= 0:
            raise DeadlineExceeded("DEADLINE_EXCEEDED", "No time is left for a call to another service.")
    return seconds
