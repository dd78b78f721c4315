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
from chassis.judgement import Judgement, Malformed, judge


def peer_error(code):
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())


def of_peer(refusal):
    refusal.of_peer = True
    return refusal


CASES = [
    (Malformed("KeyError"), Judgement.POISON),
    (invalid("field", "REQUIRED", "must be given"), Judgement.POISON),
    (FailedPrecondition("CASE_CLOSED", "closed"), Judgement.POISON),
    (NotFound("cases/1"), Judgement.POISON),
    (PermissionDenied("PERMISSION_DENIED", "no"), Judgement.POISON),
    (peer_error(grpc.StatusCode.NOT_FOUND), Judgement.RETRY),
    (peer_error(grpc.StatusCode.PERMISSION_DENIED), Judgement.RETRY),
    (peer_error(grpc.StatusCode.INVALID_ARGUMENT), Judgement.UNKNOWN),
    (of_peer(NotFound("cases/1")), Judgement.RETRY),
    (of_peer(FailedPrecondition("CASE_CLOSED", "closed")), Judgement.UNKNOWN),
    (of_peer(Unavailable("DATABASE_UNAVAILABLE", "theirs")), Judgement.RETRY),
    (ResourceExhausted("OVERLOADED", "busy"), Judgement.RETRY),
    (OutcomeUnknown("COMMIT_UNKNOWN", "who knows"), Judgement.DOWN),
    (asyncpg.ReadOnlySQLTransactionError(), Judgement.DOWN),
    (asyncpg.InterfaceError("the server expects 2 arguments"), Judgement.UNKNOWN),
    (peer_error(grpc.StatusCode.UNAVAILABLE), Judgement.RETRY),
    (peer_error(grpc.StatusCode.CANCELLED), Judgement.RETRY),
    (of_peer(OutcomeUnknown("COMMIT_UNKNOWN", "who knows")), Judgement.RETRY),
    (of_peer(OutcomeUnknown("UNKNOWN", "a bug of theirs")), Judgement.UNKNOWN),
    (peer_error(grpc.StatusCode.INTERNAL), Judgement.UNKNOWN),
    (Aborted("ETAG_MISMATCH", "stale"), Judgement.RETRY),
    (Unavailable("PEER_UNAVAILABLE", "away"), Judgement.RETRY),
    (TimeoutError(), Judgement.RETRY),
    (asyncpg.SerializationError(), Judgement.RETRY),
    (asyncpg.DeadlockDetectedError(), Judgement.RETRY),
    (asyncpg.LockNotAvailableError(), Judgement.RETRY),
    (asyncpg.QueryCanceledError(), Judgement.RETRY),
    (Unavailable("DATABASE_UNAVAILABLE", "down"), Judgement.DOWN),
    (ConnectionResetError(), Judgement.DOWN),
    (asyncpg.AdminShutdownError(), Judgement.DOWN),
    (asyncpg.ConnectionDoesNotExistError(), Judgement.DOWN),
    (asyncpg.DataError("a wrong argument"), Judgement.UNKNOWN),
    (asyncpg.UniqueViolationError(), Judgement.UNKNOWN),
    (KeyError("bug"), Judgement.UNKNOWN),
]


@pytest.mark.parametrize(
    ("error", "verdict"), CASES, ids=lambda value: getattr(value, "value", type(value).__name__)
)
def test_an_error_decides_what_becomes_of_its_event(error, verdict):
    assert judge(error) is verdict
