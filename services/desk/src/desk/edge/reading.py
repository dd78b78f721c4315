"""What of a request over HTTP is no message: who asks and what for, how long they wait, and its bytes."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import parse_qsl

from starlette.requests import Request

from chassis import web
from chassis.context import Call, Principal
from chassis.errors import Unauthenticated, invalid
from chassis.grpc import admission
from chassis.grpc.bounds import MESSAGE_MAX_BYTES, TOKEN_MAX_BYTES
from chassis.shares import Shares

BODY_MAX_BYTES = MESSAGE_MAX_BYTES
BODIES_MAX_BYTES = 32 * 1024 * 1024  # of all requests at once; one caller has a quarter
QUERY_MAX_FIELDS = 1000
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def headers_of(request: Request) -> Mapping[str, str]:
    """The headers by their names in small letters. Who asks must be said, and once: Unauthenticated."""
    headers = admission.unambiguous(request.headers.items())
    token = headers.get(admission.AUTHORIZATION, "")
    if not token:
        raise Unauthenticated("TOKEN_MISSING", "The header `Authorization` must be `Bearer <token>`.")
    if len(token) > TOKEN_MAX_BYTES or not is_plain(token):
        described = f"The header `Authorization` must be ASCII of at most {TOKEN_MAX_BYTES} bytes."
        raise Unauthenticated("TOKEN_INVALID", described)
    if admission.ON_BEHALF_OF in headers:  # to leave it out would lend the bearer's own rights
        raise Unauthenticated("TOKEN_INVALID", "Nobody calls on behalf of another here: use gRPC.")
    return headers


def is_plain(text: str) -> bool:
    """Whether gRPC takes it as metadata."""
    return text.isascii() and text.isprintable()


def call_of(method: str, headers: Mapping[str, str], caller: Principal, traceparent: str) -> Call:
    """The call that a request begins. INVALID_TEXT, INVALID_CODE."""
    return Call(
        method,
        caller,
        correlation_id=admission.correlation_id(headers),
        traceparent=traceparent,
        purpose=admission.purpose(headers) if admission.PURPOSE in headers else "",
        credential=headers[admission.AUTHORIZATION],
    )


def seconds_of(headers: Mapping[str, str], usual: float, most: float) -> float:
    """How long the caller waits, from `Grpc-Timeout: 500m`, as gRPC writes it. INVALID_TIME."""
    told = headers.get("grpc-timeout")
    if told is None:
        return usual
    if not (match := _TIMEOUT.fullmatch(told)):
        raise invalid("Grpc-Timeout", "INVALID_TIME", "must be like 2S or 500m: at most 8 digits and a unit")
    return min(int(match[1]) * _UNITS[match[2]], most)


def query_of(request: Request) -> list[tuple[str, str]]:
    """The pairs of the query. MALFORMED_REQUEST."""
    try:
        query = request.scope["query_string"].decode()
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=QUERY_MAX_FIELDS)
    except ValueError:  # what it says repeats the query
        described = f"must be pairs of UTF-8, at most {QUERY_MAX_FIELDS}"
        raise invalid("query", "MALFORMED_REQUEST", described) from None


class Room:
    """What the bodies of all requests under way may take, and of those the bodies of one caller."""

    def __init__(self, of_one: int = BODIES_MAX_BYTES // 4) -> None:
        self._shares = Shares(BODIES_MAX_BYTES, of_one, "bytes of requests being answered")

    @contextmanager
    def for_one(self, caller: str) -> Iterator[Callable[[int], None]]:
        """Gives what takes some bytes, for the time of the block. OVERLOADED."""
        held = 0

        def take(size: int) -> None:
            nonlocal held
            self._shares.take(caller, size)
            held += size

        try:
            yield take
        finally:
            self._shares.give_back(caller, held)


async def body_of(
    request: Request,
    take: Callable[[int], None],
    most: int = BODY_MAX_BYTES,
    media_type: str = "application/json",
) -> bytes:
    """The body. BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, OVERLOADED; ClientDisconnect."""
    if int(request.headers.get("content-length", "0")) > most:
        raise too_large(most)
    body = await web.body_of(request, most, take)
    if body is None:
        raise too_large(most)
    kind = request.headers.get("content-type", media_type).partition(";")[0].strip().lower()
    if body and kind != media_type:
        raise invalid("body", "UNSUPPORTED_MEDIA_TYPE", f"must be {media_type}")
    return body


def may_be_long(request: Request) -> bool:
    """Whether the body is so large, or of unknown size, that an answer is better lost than waited for."""
    size = int(request.headers.get("content-length", "0"))
    return size > 4 * BODY_MAX_BYTES or "transfer-encoding" in request.headers


def too_large(most: int) -> Exception:
    return invalid("body", "BODY_TOO_LARGE", f"must be of at most {most} bytes")
