"""A service's gRPC server: what it serves is found from its servicers, what guards it is the same for all."""

import asyncio
import errno
import functools
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from grpc_reflection.v1alpha._async import ReflectionServicer

from chassis.api.checks import Look, checker
from chassis.auth.permissions import permissions
from chassis.auth.tokens import Verifier
from chassis.clock import Clock
from chassis.grpc.bounds import SIZES
from chassis.grpc.interceptor import Interceptor
from chassis.grpc.readings import Audit, Readings
from chassis.tls import Certificates, Held

OPTIONS = [
    *SIZES,
    ("grpc.so_reuseport", 0),  # or two servers share a port and each gets half of the calls
    ("grpc.server_handshake_timeout_ms", 10_000),  # a connection that never says it speaks HTTP/2
    ("grpc.max_concurrent_streams", 2048),  # of one connection
    # A stream that nobody reads yet gets 64 KB. With probing it gets what the network could carry, megabytes.
    ("grpc.http2.bdp_probe", 0),
    # Clients come back through the name service and find new replicas.
    ("grpc.max_connection_age_ms", 60_000),
    ("grpc.max_connection_age_grace_ms", 31 * 60_000),  # the longest stream in the contracts, and a minute
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
]
# From the moment it shuts down, gRPC cancels calls that have not begun, whoever still sends them. Callers
# that watch `accepting`, as those of the chassis do, send none a moment after it is withdrawn; others are
# waited for only so long.
QUIET_S = 0.1
QUIET_MAX_S = 2.0
READINESS = ("", "readiness")
LIVENESS = "liveness"
ACCEPTING = "accepting"


class Server:
    """Serves the servicers of one service, with health and reflection.

    `liveness` says that the event loop turns; `readiness` and "" say what `set_ready` was told; `accepting`
    is withdrawn when the server is about to stop.

    Servicers are instances of generated `*Servicer` classes: ValueError for a method without a permission and
    for one with a stream of requests. With certificates only callers that show one, too, are served.
    """

    def __init__(
        self,
        service: str,
        servicers: Sequence[object],
        verifier: Verifier,
        audit: Audit,
        clock: Clock | None = None,
        certificates: Certificates | None = None,
    ) -> None:
        self._certificates = certificates
        self._servicers = servicers
        self._descriptors = [descriptor(servicer) for servicer in servicers]
        for found in self._descriptors:
            _refuse_request_streams(found)
        needed = {
            method: p for found in self._descriptors for method, p in permissions(found, service).items()
        }
        kinds: list[Any] = [type(servicer) for servicer in servicers]
        checks = {method: look for kind in kinds for method, look in _checks(kind).items()}
        readings = Readings(self._descriptors, audit)
        self._interceptor = Interceptor(service, verifier, needed, checks, clock or Clock(), readings)
        self._health = HealthServicer()
        self._telling: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen, not ready yet. Returns the port. OSError when it is taken."""
        self._server = grpc.aio.server(interceptors=[self._interceptor], options=OPTIONS)
        registry: Any = _Registry(self._server)
        for servicer in self._servicers:
            add_servicer(registry, servicer)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, registry)
        names = [found.full_name for found in self._descriptors]
        names += [health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME]
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(ReflectionServicer(names), registry)
        await self._tell(False)
        for name in (LIVENESS, ACCEPTING):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        try:
            bound = self._bind(f"{host}:{port}")
        except RuntimeError as error:
            raise OSError(errno.EADDRINUSE, f"cannot listen on {host}:{port}; is the port taken?") from error
        await self._server.start()
        return bound

    def set_ready(self, ready: bool) -> None:
        """Tell health checks whether to send calls here."""
        telling = asyncio.get_running_loop().create_task(self._tell(ready))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def stop(self, grace_s: float) -> None:
        """Serve on until callers have gone elsewhere, then wait up to `grace_s` seconds for calls."""
        await self._tell(False)
        await self._health.set(ACCEPTING, health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._interceptor.quiet(QUIET_S, QUIET_MAX_S)
        self._interceptor.drain()
        await self._server.stop(grace_s)

    def _bind(self, address: str) -> int:
        """RuntimeError when the port is taken."""
        if self._certificates is None:
            return self._server.add_insecure_port(address)
        return self._server.add_secure_port(address, _credentials(self._certificates))

    async def _tell(self, ready: bool) -> None:
        said = health_pb2.HealthCheckResponse
        for name in READINESS:
            await self._health.set(name, said.SERVING if ready else said.NOT_SERVING)


class _Registry:
    """Takes what generated code registers with a server: the servicer as a whole, not each method as well.

    For every call, grpc.aio waits anew for the next call of each registered method, on a future for each one:
    about 50 us of a call to a service of thirty methods.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Do without: the generic handler finds the same methods."""


def _credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """With each handshake the newest is shown. Who shows none of the same authority is refused."""
    shown = certificates.newest()

    def other() -> Any:
        nonlocal shown
        before, shown = shown, certificates.newest()
        return None if shown is before else _configuration(shown)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(shown), other, require_client_authentication=True
    )


def _configuration(held: Held) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(held.key, held.certificate)], held.ca)


def add_servicer(server: grpc.aio.Server, servicer: object) -> None:
    """Register a servicer by the `add_XServicer_to_server` beside its generated base class."""
    base = _generated_base(type(servicer))
    getattr(sys.modules[base.__module__], f"add_{base.__name__}_to_server")(servicer, server)


def descriptor(servicer: object) -> ServiceDescriptor:
    return _described(type(servicer))


def _described(servicer: type) -> ServiceDescriptor:
    base = _generated_base(servicer)
    messages: Any = sys.modules[base.__module__.removesuffix("_grpc")]
    found: ServiceDescriptor = messages.DESCRIPTOR.services_by_name[base.__name__.removesuffix("Servicer")]
    return found


@functools.cache
def _checks(servicer: type) -> Mapping[str, Look]:
    """The check of each method's request, with the rules of the servicer."""
    service, rules = _described(servicer), getattr(servicer, "rules", {})
    return {f"/{service.full_name}/{each.name}": checker(each.input_type, rules) for each in service.methods}


def _generated_base(servicer: type) -> type:
    for cls in servicer.__mro__:
        if cls.__module__.endswith("_pb2_grpc") and cls.__name__.endswith("Servicer"):
            return cls
    raise TypeError(f"{servicer.__name__} must inherit from a generated Servicer")


def _refuse_request_streams(service: ServiceDescriptor) -> None:
    for method in service.methods:
        if method.client_streaming:
            raise ValueError(
                f"{service.full_name}.{method.name} streams requests: only responses may be streamed"
            )
