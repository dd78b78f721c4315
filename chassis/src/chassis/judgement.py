"""What an error means for who tries again: give up, try later, or wait until a dependency is back."""

import enum

import grpc
from google.protobuf.message import DecodeError

from chassis.db.failures import refusal_of
from chassis.errors import Malformed, Refusal
from chassis.grpc import status

_PERMANENT = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED"}
_RETRIABLE = {"ABORTED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "UNAVAILABLE"}
_DOWN = {"DATABASE_UNAVAILABLE", "COMMIT_UNKNOWN"}  # what was done shows in the inbox
# What another service may see otherwise when it has caught up, or has been told of our rights.
_RETRIABLE_AT_PEERS = _RETRIABLE | {"NOT_FOUND", "PERMISSION_DENIED"}


class Judgement(enum.Enum):
    """What becomes of an event, or of other work."""

    POISON = "poison"  # no repetition can help
    RETRY = "retry"  # the next attempt may succeed
    UNKNOWN = "unknown"  # a bug, perhaps: some attempts, then poison
    DOWN = "down"  # nothing is wrong with it: the database is away


def judge(error: BaseException) -> Judgement:
    """The judgement on an error that a handler, or reading its event, raised."""
    if isinstance(error, DecodeError | Malformed):
        return Judgement.POISON
    if isinstance(error, TimeoutError):
        return Judgement.RETRY
    if isinstance(error, grpc.aio.AioRpcError):
        error = status.refusal(error)
    refusal = error if isinstance(error, Refusal) else refusal_of(error)
    if refusal is None:
        return Judgement.UNKNOWN
    if refusal.of_peer:
        retriable = status.is_passing(refusal) or refusal.code in _RETRIABLE_AT_PEERS
        return Judgement.RETRY if retriable else Judgement.UNKNOWN
    if refusal.reason in _DOWN:
        return Judgement.DOWN
    if refusal.code in _PERMANENT:
        return Judgement.POISON
    return Judgement.RETRY if refusal.code in _RETRIABLE else Judgement.UNKNOWN


def is_transient(error: BaseException) -> bool:
    """Whether the same may succeed soon: a lock that is held elsewhere, an outage. No bug of ours."""
    return judge(error) in (Judgement.RETRY, Judgement.DOWN)
