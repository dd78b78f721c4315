"""What a consumer does about an error: give up, try again later, or wait until a dependency is back."""

import enum

import grpc
from google.protobuf.message import DecodeError

from chassis.db.failures import refusal_of
from chassis.errors import Refusal
from chassis.grpc import status

_PERMANENT = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED"}
_RETRIABLE = {"ABORTED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "UNAVAILABLE"}
_DOWN = {"DATABASE_UNAVAILABLE", "COMMIT_UNKNOWN"}  # what was done shows in the inbox
# What another service may see otherwise when it has caught up, or has been told of our rights.
_RETRIABLE_AT_PEERS = _RETRIABLE | {"NOT_FOUND", "PERMISSION_DENIED"}


class Verdict(enum.Enum):
    """What becomes of the event."""

    POISON = "poison"  # no repetition can help
    RETRY = "retry"  # the next attempt may succeed
    UNKNOWN = "unknown"  # a bug, perhaps: some attempts, then poison
    DOWN = "down"  # nothing is wrong with the event: the database is away


def judge(error: BaseException) -> Verdict:
    """The verdict on an error that a handler, or reading its event, raised."""
    if isinstance(error, DecodeError | Malformed):
        return Verdict.POISON
    if isinstance(error, TimeoutError):
        return Verdict.RETRY
    if isinstance(error, grpc.aio.AioRpcError):
        error = status.refusal(error)
    refusal = error if isinstance(error, Refusal) else refusal_of(error)
    if refusal is None:
        return Verdict.UNKNOWN
    if refusal.of_peer:
        retriable = status.is_passing(refusal) or refusal.code in _RETRIABLE_AT_PEERS
        return Verdict.RETRY if retriable else Verdict.UNKNOWN
    if refusal.reason in _DOWN:
        return Verdict.DOWN
    if refusal.code in _PERMANENT:
        return Verdict.POISON
    return Verdict.RETRY if refusal.code in _RETRIABLE else Verdict.UNKNOWN


class Malformed(Exception):
    """A message that is no event: a header is missing or wrong, or the body does not decode."""
