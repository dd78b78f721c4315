"""Refusals as RFC 9457 has them: problem+json, with the reason that programs decide by."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from chassis.errors import InvalidArgument, Refusal

MEDIA_TYPE = "application/problem+json"
STATUS: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
# What HTTP has a status of its own for.
BY_REASON: Mapping[str, int] = {
    "METHOD_NOT_ALLOWED": 405,
    "ETAG_MISMATCH": 412,
    "BODY_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "UNIMPLEMENTED": 501,
}


class PathNotFound(Refusal, code="NOT_FOUND"):
    """No RPC, or no service, answers the path (`PATH_NOT_FOUND`)."""

    def __init__(self) -> None:
        super().__init__("PATH_NOT_FOUND", "Nothing is served at this path: see /openapi.json.")


class SourceNotFound(Refusal, code="NOT_FOUND"):
    """Nobody of that name sends webhooks (`SOURCE_NOT_FOUND`)."""

    def __init__(self) -> None:
        super().__init__("SOURCE_NOT_FOUND", "No source of webhooks has this name.")


class MethodNotAllowed(Refusal, code="UNIMPLEMENTED"):
    """The path takes other methods (`METHOD_NOT_ALLOWED`)."""

    def __init__(self, allowed: str) -> None:
        super().__init__("METHOD_NOT_ALLOWED", f"This path takes {allowed}.", {"allowed": allowed})


def status_of(refusal: Refusal) -> int:
    return BY_REASON.get(refusal.reason) or STATUS.get(refusal.code, 500)


def problem(refusal: Refusal, trace_id: str) -> dict[str, Any]:
    """The refusal as the members of a problem."""
    told: dict[str, Any] = {
        "type": f"urn:rapport:reason:{refusal.reason}",
        "title": refusal.reason.replace("_", " ").capitalize(),
        "status": status_of(refusal),
        "detail": refusal.message,
        "code": refusal.code,
        "reason": refusal.reason,
        "metadata": dict(refusal.metadata),
        "trace_id": trace_id,
    }
    if isinstance(refusal, InvalidArgument):
        told["violations"] = [
            {"field": each.field, "reason": each.reason, "description": each.description}
            for each in refusal.violations
        ]
    return told


def answer(refusal: Refusal, trace_id: str, headers: Mapping[str, str]) -> JSONResponse:
    told = problem(refusal, trace_id)
    more = {}
    if told["status"] == 401:
        more["WWW-Authenticate"] = "Bearer"
    if told["status"] == 405:
        more["Allow"] = refusal.metadata["allowed"]
    if refusal.retry_after_s:
        more["Retry-After"] = str(max(1, round(refusal.retry_after_s)))
    return JSONResponse(told, told["status"], {**headers, **more}, MEDIA_TYPE)
