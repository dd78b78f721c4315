"""What it means that a service did not answer what we asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from chassis.work.outcome import Later, NotDone, Ours, code_of

if TYPE_CHECKING:
    from grpc.aio import AioRpcError

# Nothing that passes by itself: our permissions, our token, our request.
_OURS = (
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
)


def not_answered(service: str, error: AioRpcError) -> NotDone:
    """Later, or Ours when somebody of ours has to mend something. It is called `cases-unavailable`."""
    kind = Ours if error.code() in _OURS else Later
    return kind(code_of(f"{service}_{error.code().name}"))
