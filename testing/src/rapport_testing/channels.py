"""Channels for callers that are not services, tools and tests: with a token, and with a deadline."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import grpc
import grpc.aio

from chassis.grpc.bounds import SIZES
from chassis.tls import Held

Token = str | Callable[[], str]  # or what says the one of now, asked at each call
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
        return grpc.ssl_channel_credentials(self.held.ca, self.held.key, self.held.certificate)

    def options(self) -> list[tuple[str, Any]]:
        return [*OPTIONS, ("grpc.ssl_target_name_override", self.name)] if self.name else OPTIONS


def blocking_channel(address: str, token: Token, timeout_s: float, tls: Tls | None = None) -> grpc.Channel:
    """A channel for blocking stubs. Calls get `timeout_s`, streams an hour, unless they say otherwise."""
    if tls:
        channel = grpc.secure_channel(address, tls.credentials(), tls.options())
    else:
        channel = grpc.insecure_channel(address, OPTIONS)
    return grpc.intercept_channel(channel, _Blocking(token, timeout_s))


def aio_channel(address: str, token: Token, timeout_s: float, tls: Tls | None = None) -> grpc.aio.Channel:
    """A channel for asyncio stubs, as `blocking_channel`. The caller closes it.

    RuntimeError outside a loop: gRPC would take whichever loop the thread had last, or fail if that is gone.
    """
    asyncio.get_running_loop()
    both: list[Any] = [_Unary(token, timeout_s), _Stream(token, timeout_s)]
    if tls:
        return grpc.aio.secure_channel(address, tls.credentials(), tls.options(), interceptors=both)
    return grpc.aio.insecure_channel(address, OPTIONS, interceptors=both)


class _Caller:
    def __init__(self, token: Token, timeout_s: float) -> None:
        self._token = token
        self._timeout_s = timeout_s

    def completed(self, details: Any, timeout_s: float) -> Any:
        """The call with a deadline, and with our token unless a test brought another one."""
        told = list(details.metadata or ())
        if all(key != "authorization" for key, _ in told):
            token = self._token if isinstance(self._token, str) else self._token()
            told.append(("authorization", f"Bearer {token}"))
        timeout = details.timeout if details.timeout is not None else timeout_s
        return details._replace(metadata=grpc.aio.Metadata(*told), timeout=timeout)


class _Blocking(_Caller, grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    def intercept_unary_unary(self, proceed: Any, details: Any, request: Any) -> Any:
        return proceed(self.completed(details, self._timeout_s), request)

    def intercept_unary_stream(self, proceed: Any, details: Any, request: Any) -> Any:
        return proceed(self.completed(details, STREAM_TIMEOUT_S), request)


class _Unary(_Caller, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
    async def intercept_unary_unary(self, proceed: Any, details: Any, request: Any) -> Any:
        return await proceed(self.completed(details, self._timeout_s), request)


class _Stream(_Caller, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
    async def intercept_unary_stream(self, proceed: Any, details: Any, request: Any) -> Any:
        return await proceed(self.completed(details, STREAM_TIMEOUT_S), request)
