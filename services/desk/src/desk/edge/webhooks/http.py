"""Webhooks over HTTP: `POST /webhooks/{source}`, signed as Standard Webhooks have it, or with a token."""

import asyncio
import time

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from chassis.clock import Clock
from chassis.errors import Refusal, Unauthenticated, invalid
from chassis.grpc import status
from chassis.telemetry import tracing
from chassis.telemetry.metrics import RPC_DURATION
from desk.edge import problems, reading
from desk.edge.webhooks.receiving import Receiving, refused
from desk.edge.webhooks.sources import Source, Sources

PREFIX = "/webhooks/"
METHOD = "webhooks/Receive"
READ_S = 30.0
TOLERANCE_S = 300  # between the sender's clock and ours
ID_MAX = 256
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Webhooks:
    """Answers what is sent to `/webhooks/{source}`.

    Args:
        sources: who may send.
        receiving: keeps it.
        clock: the source of time.
    """

    def __init__(self, sources: Sources, receiving: Receiving, clock: Clock) -> None:
        self._sources = sources
        self._receiving = receiving
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        arrived = request.headers.get("traceparent", "")
        traceparent, sampled = tracing.decide(arrived if reading.is_plain(arrived) else "")
        began, code = time.perf_counter(), "CANCELLED"
        try:
            with tracing.server_span(METHOD, traceparent) if sampled else tracing.NOTHING as span:
                traceparent = tracing.carried(traceparent)
                try:
                    response, code = await self._answer(request, traceparent), "OK"
                except ClientDisconnect:
                    raise
                except Exception as error:
                    refusal = status.refusal_of(error, traceparent)
                    code = refusal.code
                    told = {**HEADERS, "traceparent": traceparent, "Connection": "close"}
                    response = problems.answer(refusal, tracing.trace_id(traceparent), told)
                span.set_attribute("rpc.response.status_code", code)
                await response(scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            RPC_DURATION.observe((METHOD, code), time.perf_counter() - began)

    async def _answer(self, request: Request, traceparent: str) -> Response:
        name = request.scope["path"].removeprefix(PREFIX)
        source = self._sources.get(name)
        if source is None:
            raise problems.SourceNotFound()
        if request.method != "POST":
            raise problems.MethodNotAllowed("POST")
        try:
            with self._receiving.room.for_one(source.name) as take:
                self._look(source, request)
                kind = source.what
                async with asyncio.timeout(READ_S):
                    body = await reading.body_of(request, take, kind.body_max_bytes, kind.media_type)
                if source.secrets:
                    _verify(source, request, body)
                sent_id = request.headers.get("webhook-id", "")
                kept_as = await self._receiving.keep(source, body, sent_id, traceparent)
        except Refusal as refusal:
            refused(source, refusal.reason.lower())
            raise
        return JSONResponse({"id": str(kept_as)}, 202, {**HEADERS, "traceparent": traceparent})

    def _look(self, source: Source, request: Request) -> None:
        """Refuse by the headers what need not be read. Unauthenticated, InvalidArgument."""
        sent_id = request.headers.get("webhook-id", "")
        if len(sent_id) > ID_MAX or (sent_id and not reading.is_plain(sent_id)):
            raise invalid("webhook-id", "INVALID_TEXT", f"must be of at most {ID_MAX} characters of ASCII")
        if source.tokens:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not source.knows(token.strip()):
                raise Unauthenticated(
                    "TOKEN_INVALID", "`Authorization` must be `Bearer <token>` of this source."
                )
            return
        if not sent_id or not request.headers.get("webhook-signature"):
            named = "`webhook-id`, `webhook-timestamp` and `webhook-signature`"
            raise Unauthenticated("SIGNATURE_INVALID", f"The headers {named} are required.")
        stamp = request.headers.get("webhook-timestamp", "")
        seconds = int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) < 12 else 0
        if abs(self._clock.now().timestamp() - seconds) > TOLERANCE_S:
            described = f"`webhook-timestamp` must be seconds since 1970, at most {TOLERANCE_S} from now."
            raise Unauthenticated("TIMESTAMP_INVALID", described)


def _verify(source: Source, request: Request, body: bytes) -> None:
    """Unauthenticated unless the body is signed."""
    headers = request.headers
    if not source.signed(
        headers["webhook-id"], headers["webhook-timestamp"], body, headers["webhook-signature"]
    ):
        described = (
            "`webhook-signature` must be `v1,` and the HMAC-SHA256 of `{id}.{timestamp}.{body}` in base64."
        )
        raise Unauthenticated("SIGNATURE_INVALID", described)
