"""Channels for callers that are not services, tools and tests: with a token, and with a deadline."""

from typing import Any, NamedTuple

import grpc
import grpc.aio

from chassis.grpc.bounds import SIZES
from chassis.tls import Held

STREAM_TIMEOUT_S = 3600.0
OPTIONS = [
    *SIZES,
    ("grpc.max_reconnect_backoff_ms", 1000),  # a restarted service is found at once
]


class Tls(NamedTuple):
    """What is shown and trusted; `name` is whom the other side must be, when its address does not say."""

    held: Held
    name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """For a channel."""
        return grpc.ssl_channel_credentials(self.held.ca, self.held.key, self.held.certificate)

    def options(self) -> list[tuple[str, Any]]:
        """For a channel."""
        return [*OPTIONS, ("grpc.ssl_target_name_override", self.name)] if self.name else OPTIONS


def blocking_channel(address: str, token: str, timeout_s: float, tls: Tls | None = None) -> grpc.Channel:
    """A channel for blocking stubs. Calls get `timeout_s`, streams an hour, unless they say otherwise."""
    if tls:
        channel = grpc.secure_channel(address, tls.credentials(), tls.options())
    else:
        channel = grpc.insecure_channel(address, OPTIONS)
    return grpc.intercept_channel(channel, _Blocking(token, timeout_s))


def aio_channel(address: str, token: str, timeout_s: float, tls: Tls | None = None) -> grpc.aio.Channel:
    """A channel for asyncio stubs, as `blocking_channel`. The caller closes it."""
    both: list[Any] = [_Unary(token, timeout_s), _Stream(token, STREAM_TIMEOUT_S)]
    if tls:
        return grpc.aio.secure_channel(address, tls.credentials(), tls.options(), interceptors=both)
    return grpc.aio.insecure_channel(address, OPTIONS, interceptors=both)


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: tuple[tuple[str, str], ...]
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class _Blocking(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    def __init__(self, token: str, timeout_s: float) -> None:
        self._authorization = ("authorization", f"Bearer {token}")
        self._timeout_s = timeout_s

    def intercept_unary_unary(self, proceed: Any, details: Any, request: Any) -> Any:
        return proceed(self._completed(details, self._timeout_s), request)

    def intercept_unary_stream(self, proceed: Any, details: Any, request: Any) -> Any:
        return proceed(self._completed(details, STREAM_TIMEOUT_S), request)

    def _completed(self, details: Any, timeout_s: float) -> Any:
        return _Details(
            method=details.method,
            timeout=details.timeout if details.timeout is not None else timeout_s,
            metadata=(*(details.metadata or ()), self._authorization),
            credentials=details.credentials,
            wait_for_ready=details.wait_for_ready,
            compression=details.compression,
        )


class _Aio:
    def __init__(self, token: str, timeout_s: float) -> None:
        self._authorization = f"Bearer {token}"
        self._timeout_s = timeout_s

    def completed(self, details: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        if "authorization" not in metadata:  # a test may bring another one
            metadata.add("authorization", self._authorization)
        timeout = details.timeout if details.timeout is not None else self._timeout_s
        return details._replace(metadata=metadata, timeout=timeout)


class _Unary(_Aio, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
    async def intercept_unary_unary(self, proceed: Any, details: Any, request: Any) -> Any:
        return await proceed(self.completed(details), request)


class _Stream(_Aio, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    async def intercept_unary_stream(self, proceed: Any, details: Any, request: Any) -> Any:
        return await proceed(self.completed(details), request)
