"""What a consumer does about an error: give up, try again later, or wait until a dependency is back."""

import enum

import asyncpg
from google.protobuf.message import DecodeError

from chassis.errors import Refusal

_PERMANENT = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED"}
_RETRIABLE = {"ABORTED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED"}


class Verdict(enum.Enum):
    """What becomes of the event."""

    POISON = "poison"  # no repetition can help
    RETRY = "retry"  # the next attempt may succeed
    UNKNOWN = "unknown"  # a bug, perhaps: some attempts, then poison
    DOWN = "down"  # nothing is wrong with the event: the database is away


def judge(error: BaseException) -> Verdict:
    """The verdict on an error that a handler, or reading its event, raised."""
    code = _code(error)
    if code in _PERMANENT or isinstance(error, DecodeError | Malformed):
        return Verdict.POISON
    if isinstance(error, asyncpg.DataError):  # a mistake of ours, though the driver calls it the connection's
        return Verdict.UNKNOWN
    if code in _RETRIABLE or isinstance(error, TimeoutError | _CONFLICTS):
        return Verdict.RETRY
    if getattr(error, "reason", "") == "DATABASE_UNAVAILABLE" or isinstance(error, _DOWN):
        return Verdict.DOWN
    return Verdict.RETRY if code == "UNAVAILABLE" else Verdict.UNKNOWN


class Malformed(Exception):
    """A message that is no event: a header is missing or wrong, or the body does not decode."""


def _code(error: BaseException) -> str:
    """The gRPC status code of a refusal, ours or that of a service we called; "" for anything else."""
    if isinstance(error, Refusal):
        return error.code
    code = getattr(error, "code", None)
    return str(getattr(code(), "name", "")) if callable(code) else ""


_DOWN = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
_CONFLICTS = asyncpg.TransactionRollbackError | asyncpg.LockNotAvailableError | asyncpg.QueryCanceledError
