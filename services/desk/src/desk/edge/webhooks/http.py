"""Webhooks over HTTP: `POST /webhooks/{source}`, signed as Standard Webhooks have it, or with a token."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from chassis.clock import Clock
from chassis.errors import Refusal, Unauthenticated, invalid
from desk.edge import answering, problems, reading
from desk.edge.webhooks.receiving import Receiving, refused
from desk.edge.webhooks.sources import TOLERANCE_S, Source, Sources

PREFIX = "/webhooks/"
METHOD = "webhooks/Receive"
READ_S = 30.0
ID_MAX = 256
_JWT = (
    "`Authorization` must be `Bearer` and a JWT by HS256 of now, with the body's SHA-256 as `payload_hash`."
)


class Webhooks:
    """Answers what is sent to `/webhooks/{source}`."""

    def __init__(self, sources: Sources, receiving: Receiving, clock: Clock) -> None:
        self._sources = sources
        self._receiving = receiving
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await answering.answer(METHOD, request, send, lambda told: self._answer(request, told))

    async def _answer(self, request: Request, told: dict[str, str]) -> Response:
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
                    _verify(source, request, body, self._clock)
                sent_id = request.headers.get("webhook-id", "")
                kept_as = await self._receiving.keep(source, body, sent_id, told["traceparent"])
        except Refusal as refusal:
            refused(source, refusal.reason.lower())
            raise
        return JSONResponse({"id": str(kept_as)}, 202, told)

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
        if source.what.by_jwt:
            if not request.headers.get("authorization", "").lower().startswith("bearer "):
                raise Unauthenticated("SIGNATURE_INVALID", _JWT)
            return
        if not sent_id or not request.headers.get("webhook-signature"):
            named = "`webhook-id`, `webhook-timestamp` and `webhook-signature`"
            raise Unauthenticated("SIGNATURE_INVALID", f"The headers {named} are required.")
        stamp = request.headers.get("webhook-timestamp", "")
        seconds = int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) < 12 else 0
        if abs(self._clock.now().timestamp() - seconds) > TOLERANCE_S:
            described = f"`webhook-timestamp` must be seconds since 1970, at most {TOLERANCE_S} from now."
            raise Unauthenticated("TIMESTAMP_INVALID", described)


def _verify(source: Source, request: Request, body: bytes, clock: Clock) -> None:
    """Unauthenticated unless the body is signed."""
    if source.what.by_jwt:
        token = request.headers["authorization"].partition(" ")[2].strip()
        if not source.signed_by_jwt(token, body, clock.now()):
            raise Unauthenticated("SIGNATURE_INVALID", _JWT)
        return
    sent_id, timestamp, signature = (
        request.headers[f"webhook-{each}"] for each in ("id", "timestamp", "signature")
    )
    if not source.signed(sent_id, timestamp, body, signature):
        described = (
            "`webhook-signature` must be `v1,` and the HMAC-SHA256 of `{id}.{timestamp}.{body}` in base64."
        )
        raise Unauthenticated("SIGNATURE_INVALID", described)
