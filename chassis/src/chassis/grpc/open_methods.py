"""Health and reflection: anybody may call them, so few at once, and nobody for long without asking."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.message import Message

from chassis.errors import Refusal, ResourceExhausted, overloaded
from chassis.grpc.bounds import draining
from chassis.grpc.status import status
from chassis.shares import Shares
from chassis.timeouts import Timeouts

PREFIXES = (
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1alpha.ServerReflection/",
)  # neither data nor permission
AT_ONCE = 512  # of each method, so that who watches takes no place of who checks
OF_A_HOST = 64
READING_AT_ONCE = 32
READING_OF_A_HOST = READING_AT_ONCE // 4
READING_S = 2.0
LASTING_S = 30 * 60.0


class NotWatched(Refusal, code="UNIMPLEMENTED"):
    """There is no room for one more who watches health.

    With any other code gRPC's clients take the replica for unhealthy and send it no calls; with this one they
    do without being told.
    """


class OpenMethods:
    """Wraps the handlers of methods without a permission.

    A request is read only while few others are, because it may be large, and by a reader that gives up.
    """

    def __init__(self, domain: str) -> None:
        self._domain = domain
        self._under_way, self._reads = Timeouts(), Timeouts()
        self._reading = Shares(READING_AT_ONCE, READING_OF_A_HOST, "requests on their way")
        self._draining = False

    def drain(self) -> None:
        self._draining = True
        self._under_way.end()

    def wrap(self, handler: Any) -> Any:
        """The handler, bounded. Whatever the method streams, to gRPC both sides are streams here."""
        behaviour = handler.unary_unary or handler.unary_stream or handler.stream_stream
        watches = handler.unary_stream is not None
        places = Shares(AT_ONCE, OF_A_HOST, "of these calls")

        async def serve(requests: AsyncIterator[Any], context: Any) -> None:
            if handler.request_streaming:
                async for response in behaviour(requests, context):
                    await context.write(response)
                return
            request = await self._read(context)
            if not isinstance(request, Message):  # the caller closed without asking
                return
            response = await behaviour(request, context)
            if response is not None:
                await context.write(response)

        async def bounded(requests: AsyncIterator[Any], context: Any) -> None:
            try:
                await self._bounded(serve(requests, context), places, _host(context))
            except Refusal as refusal:
                if watches and isinstance(refusal, ResourceExhausted):
                    refusal = NotWatched(refusal.reason, refusal.message, refusal.metadata)
                await context.abort_with_status(status(refusal, self._domain))

        return grpc.stream_stream_rpc_method_handler(
            bounded, handler.request_deserializer, handler.response_serializer
        )

    async def _bounded(self, serving: Any, places: Shares, host: str) -> None:
        try:
            if self._draining:
                raise draining()
            with places.held(host), self._under_way.limit(LASTING_S):
                await serving
        except TimeoutError:
            raise (draining() if self._draining else overloaded()) from None
        finally:
            serving.close()

    async def _read(self, context: Any) -> Any:
        with self._reading.held(_host(context)), self._reads.limit(READING_S):
            return await context.read()


def _host(context: Any) -> str:
    peer: str = context.peer()  # such as ipv4:10.0.0.7:40312
    return peer.rpartition(":")[0]
