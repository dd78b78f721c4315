"""What a failure of the database means: the one place where the driver's errors become refusals.

`Database` and `Transaction` raise refusals, so that calls, consumers and timers judge the same failure alike.
What is left as the driver raised it is a mistake of ours, or a constraint that the use case knows.
"""

from typing import Any

import asyncpg
import structlog

from chassis.errors import Aborted, DeadlineExceeded, OutcomeUnknown, Refusal, Unavailable

_log = structlog.get_logger()

DRIVER_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresError,
)
"""Everything that the driver raises."""

DATABASE_ERRORS = (Refusal, *DRIVER_ERRORS)
"""Everything that work on the database may raise: for loops that log it and go on."""

_HELD = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InvalidCachedStatementError,  # a migration changed what is answered: the next try prepares anew
)
_ENDED = (asyncpg.IdleInTransactionSessionTimeoutError, asyncpg.TransactionTimeoutError)
_AWAY = (
    ConnectionError,
    asyncpg.InternalClientError,  # raised when a connection breaks in the middle of a statement
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby since a failover
)
# After these the session is gone, or of no more use. The driver's own TimeoutError comes long after the
# server should have answered, so nobody answers.
_LOST = (
    OSError,
    TimeoutError,
    *_ENDED,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.DatabaseDroppedError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
)


def refusal_of(error: BaseException) -> Refusal | None:
    """The refusal that an error of the driver amounts to; None when it is a mistake or a constraint."""
    if isinstance(error, _HELD):
        return held_by_others()
    if isinstance(error, (asyncpg.QueryCanceledError, *_ENDED)):
        return DeadlineExceeded("DEADLINE_EXCEEDED", "The call was not done in its time.")
    return unavailable() if isinstance(error, _AWAY) else None


def held_by_others() -> Aborted:
    """The refusal where a concurrent change was first: the transaction is tried again from its beginning."""
    told = "A concurrent change holds what this one needs. Try again."
    return Aborted("LOCK_TIMEOUT", told, retry_after_s=0.2)


def refusal_discarding(error: Exception, connection: Any) -> Refusal | None:
    """What to tell of an error that `connection` raised, see `refusal_of`. A lost connection is discarded."""
    if not is_lost(error, connection):
        return refusal_of(error)
    _log.warning("a database connection is lost", error=type(error).__name__)
    discard(connection)
    return refusal_of(error) or unavailable()


def is_lost(error: Exception, connection: Any) -> bool:
    """Whether the session is over, so that what it was doing may have been done or not."""
    return isinstance(error, _LOST) or is_closed(connection)


def is_closed(connection: Any) -> bool:
    """Whether the connection is closed, as far as is known here."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # it has left the pool
        return True


def discard(connection: Any) -> None:
    """Close a connection without a word to the server."""
    if not is_closed(connection):
        connection.terminate()


def unavailable() -> Unavailable:
    """The refusal when the database cannot be reached: nothing was done."""
    return Unavailable(
        "DATABASE_UNAVAILABLE", "The service's database cannot be reached. Try again.", retry_after_s=1
    )


def outcome_unknown() -> OutcomeUnknown:
    """The refusal when a commit got no answer, and the database cannot be asked what became of it."""
    return OutcomeUnknown(
        "COMMIT_UNKNOWN",
        "The database was lost while this was being committed. It may be done: "
        "ask again with the same request id, or read before you repeat it.",
        retry_after_s=1,
    )
