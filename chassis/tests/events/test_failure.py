import asyncpg
import grpc
import pytest

from chassis.errors import (
    Aborted,
    FailedPrecondition,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    ResourceExhausted,
    Unavailable,
    invalid,
)
from chassis.events.failure import Malformed, Verdict, judge


def peer_error(code):
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())


def of_peer(refusal):
    refusal.of_peer = True
    return refusal


CASES = [
    (Malformed("KeyError"), Verdict.POISON),
    (invalid("field", "REQUIRED", "must be given"), Verdict.POISON),
    (FailedPrecondition("CASE_CLOSED", "closed"), Verdict.POISON),
    (NotFound("cases/1"), Verdict.POISON),
    (PermissionDenied("PERMISSION_DENIED", "no"), Verdict.POISON),
    (peer_error(grpc.StatusCode.NOT_FOUND), Verdict.RETRY),
    (peer_error(grpc.StatusCode.PERMISSION_DENIED), Verdict.RETRY),
    (peer_error(grpc.StatusCode.INVALID_ARGUMENT), Verdict.UNKNOWN),
    (of_peer(NotFound("cases/1")), Verdict.RETRY),
    (of_peer(FailedPrecondition("CASE_CLOSED", "closed")), Verdict.UNKNOWN),
    (of_peer(Unavailable("DATABASE_UNAVAILABLE", "theirs")), Verdict.RETRY),
    (ResourceExhausted("OVERLOADED", "busy"), Verdict.RETRY),
    (OutcomeUnknown("COMMIT_UNKNOWN", "who knows"), Verdict.DOWN),
    (asyncpg.ReadOnlySQLTransactionError(), Verdict.DOWN),
    (asyncpg.InterfaceError("the server expects 2 arguments"), Verdict.UNKNOWN),
    (peer_error(grpc.StatusCode.UNAVAILABLE), Verdict.RETRY),
    (peer_error(grpc.StatusCode.CANCELLED), Verdict.RETRY),
    (of_peer(OutcomeUnknown("COMMIT_UNKNOWN", "who knows")), Verdict.RETRY),
    (of_peer(OutcomeUnknown("UNKNOWN", "a bug of theirs")), Verdict.UNKNOWN),
    (peer_error(grpc.StatusCode.INTERNAL), Verdict.UNKNOWN),
    (Aborted("ETAG_MISMATCH", "stale"), Verdict.RETRY),
    (Unavailable("PEER_UNAVAILABLE", "away"), Verdict.RETRY),
    (TimeoutError(), Verdict.RETRY),
    (asyncpg.SerializationError(), Verdict.RETRY),
    (asyncpg.DeadlockDetectedError(), Verdict.RETRY),
    (asyncpg.LockNotAvailableError(), Verdict.RETRY),
    (asyncpg.QueryCanceledError(), Verdict.RETRY),
    (Unavailable("DATABASE_UNAVAILABLE", "down"), Verdict.DOWN),
    (ConnectionResetError(), Verdict.DOWN),
    (asyncpg.AdminShutdownError(), Verdict.DOWN),
    (asyncpg.ConnectionDoesNotExistError(), Verdict.DOWN),
    (asyncpg.DataError("a wrong argument"), Verdict.UNKNOWN),
    (asyncpg.UniqueViolationError(), Verdict.UNKNOWN),
    (KeyError("bug"), Verdict.UNKNOWN),
]


@pytest.mark.parametrize(
    ("error", "verdict"), CASES, ids=lambda value: getattr(value, "value", type(value).__name__)
)
def test_an_error_decides_what_becomes_of_its_event(error, verdict):
    assert judge(error) is verdict
