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


class PeerError(grpc.RpcError):
    def __init__(self, code):
        self._code = code

    def code(self):
        return self._code


def of_peer(refusal):
    refusal.of_peer = True
    return refusal


CASES = [
    (Malformed("KeyError"), Verdict.POISON),
    (invalid("field", "REQUIRED", "must be given"), Verdict.POISON),
    (FailedPrecondition("CASE_CLOSED", "closed"), Verdict.POISON),
    (NotFound("cases/1"), Verdict.POISON),
    (PermissionDenied("PERMISSION_DENIED", "no"), Verdict.POISON),
    (PeerError(grpc.StatusCode.NOT_FOUND), Verdict.RETRY),
    (PeerError(grpc.StatusCode.PERMISSION_DENIED), Verdict.RETRY),
    (PeerError(grpc.StatusCode.INVALID_ARGUMENT), Verdict.UNKNOWN),
    (of_peer(NotFound("cases/1")), Verdict.RETRY),
    (of_peer(FailedPrecondition("CASE_CLOSED", "closed")), Verdict.UNKNOWN),
    (of_peer(Unavailable("DATABASE_UNAVAILABLE", "theirs")), Verdict.RETRY),
    (ResourceExhausted("OVERLOADED", "busy"), Verdict.RETRY),
    (OutcomeUnknown("COMMIT_UNKNOWN", "who knows"), Verdict.DOWN),
    (asyncpg.ReadOnlySQLTransactionError(), Verdict.DOWN),
    (asyncpg.InterfaceError("the server expects 2 arguments"), Verdict.UNKNOWN),
    (PeerError(grpc.StatusCode.UNAVAILABLE), Verdict.RETRY),
    (PeerError(grpc.StatusCode.INTERNAL), Verdict.UNKNOWN),
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
