"""What surrounds every RPC, seen by a client over a socket."""

import asyncio
from typing import Any

import asyncpg
import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis.context import Call, current_call
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Violation
from chassis.grpc.bounds import CALLS_OF_A_CALLER
from chassis.grpc.status import reason
from rapport.customer.v1 import view_service_pb2
from rapport.loyalty.v1 import account_pb2, ledger_service_pb2
from rapport_testing.tokens import TestIssuer
from rapport_testing.wait import eventually

METHOD = "rapport.loyalty.v1.LedgerService/BatchGetAccounts"


def details(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """The details of an error by the name of their message."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    found = {}
    for packed in status.details:
        cls = getattr(error_details_pb2, packed.TypeName().rpartition(".")[2])
        found[cls.__name__] = cls()
        packed.Unpack(found[cls.__name__])
    return found


async def refused(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_the_method_knows_who_calls_and_in_which_flow(served: Any) -> None:
    seen: list[Call] = []

    async def look(_: Any) -> Any:
        seen.append(current_call.get())
        return ledger_service_pb2.BatchGetAccountsResponse()

    served.ledger.behave = look
    await served.get(("correlation-id", "flow-7"))
    assert seen[0].what == METHOD
    assert seen[0].principal.subject == "agent:alice"
    assert seen[0].principal.department == "front-desk"
    assert seen[0].correlation_id == "flow-7"
    assert seen[0].traceparent.endswith("-00")


async def test_stored_bytes_are_returned_as_they_are(served: Any) -> None:
    stored = ledger_service_pb2.BatchGetAccountsResponse(accounts=[account_pb2.Account(name="a", balance=7)])

    async def stored_bytes(_: Any) -> bytes:
        return stored.SerializeToString()

    served.ledger.behave = stored_bytes
    assert await served.get() == stored


@pytest.mark.parametrize(
    "metadata", [(), (("authorization", "Basic YTpi"),), (("authorization", "Bearer "),)]
)
async def test_a_call_without_a_token_is_refused(served: Any, metadata: Any) -> None:
    request = ledger_service_pb2.BatchGetAccountsRequest()
    error = await refused(served.stub.BatchGetAccounts(request, timeout=5, metadata=metadata))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason(error) == "TOKEN_MISSING"


async def test_a_malformed_token_is_refused(served: Any) -> None:
    served.identity = (("authorization", "Bearer not.a.token"),)
    error = await refused(served.get())
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason(error) == "TOKEN_INVALID"


async def test_an_expired_token_is_refused(served: Any, issuer: TestIssuer) -> None:
    served.identity = (("authorization", f"Bearer {issuer.token(lifetime_s=-31)}"),)
    assert reason(await refused(served.get())) == "TOKEN_EXPIRED"


async def test_a_caller_without_the_permission_is_told_which(served: Any, issuer: TestIssuer) -> None:
    served.identity = (("authorization", f"Bearer {issuer.token(permissions=['loyalty.transfers.write'])}"),)
    error = await refused(served.get())
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert error.details() == "Permission 'loyalty.accounts.read' denied."
    assert details(error)["ErrorInfo"].metadata == {"permission": "loyalty.accounts.read"}


async def test_permission_is_checked_before_the_request_is_read(served: Any, issuer: TestIssuer) -> None:
    served.identity = (("authorization", f"Bearer {issuer.token(permissions=[])}"),)
    call = served.channel.unary_unary(f"/{METHOD}")
    error = await refused(call(b"\xff\xff", timeout=5, metadata=served.identity))
    assert reason(error) == "PERMISSION_DENIED"


async def test_a_call_without_a_deadline_is_refused(served: Any) -> None:
    error = await refused(served.get(timeout=None))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason(error) == "DEADLINE_REQUIRED"


async def test_the_caller_gets_our_own_deadline_exceeded(served: Any) -> None:
    async def forever(_: Any) -> None:
        await asyncio.Event().wait()

    served.ledger.behave = forever
    error = await refused(served.get(timeout=0.3))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert details(error)["ErrorInfo"].domain == "loyalty.rapport"


async def test_a_client_that_cancels_stops_the_work(served: Any) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def wait(_: Any) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    served.ledger.behave = wait
    call = served.stub.BatchGetAccounts(
        ledger_service_pb2.BatchGetAccountsRequest(), timeout=5, metadata=served.identity
    )
    await started.wait()
    call.cancel()
    await asyncio.wait_for(stopped.wait(), 5)


async def test_the_text_of_an_unknown_exception_never_leaves(served: Any, caplog: Any) -> None:
    async def crash(_: Any) -> None:
        raise ValueError("secret bob@example.com")

    served.ledger.behave = crash
    error = await refused(served.get())
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "bob@example.com" not in error.debug_error_string() + str(error.trailing_metadata())
    assert str(error.details()).startswith("An internal error occurred. Trace ")
    assert len(details(error)["ErrorInfo"].metadata["trace_id"]) == 32


async def test_a_malformed_body_is_the_callers_mistake(served: Any) -> None:
    call = served.channel.unary_unary(f"/{METHOD}")
    for body in (b"\xff\xff", b"\x0a\x02\xc3\x28"):  # no message, and a string that is not UTF-8
        error = await refused(call(body, timeout=5, metadata=served.identity))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert reason(error) == "MALFORMED_REQUEST"


async def test_an_oversized_message_is_refused(served: Any) -> None:
    error = await refused(served.get(names=["a" * (4 * 1024 * 1024 + 1)]))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_every_violation_is_reported(served: Any) -> None:
    async def refuse(_: Any) -> None:
        raise InvalidArgument(
            [Violation("a", "REQUIRED", "must be set"), Violation("b", "TOO_LONG", "at most 9")]
        )

    served.ledger.behave = refuse
    found = details(await refused(served.get()))
    assert [v.field for v in found["BadRequest"].field_violations] == ["a", "b"]
    assert found["BadRequest"].field_violations[1].reason == "TOO_LONG"


async def test_so_many_violations_that_the_headers_burst_are_cut(served: Any) -> None:
    async def refuse(_: Any) -> None:
        raise InvalidArgument(
            [Violation(f"names[{i}]", "INVALID_NAME", "must be a name") for i in range(5000)]
        )

    served.ledger.behave = refuse
    error = await refused(served.get())
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert len(details(error)["BadRequest"].field_violations) > 10


async def test_a_missing_resource_is_named(served: Any) -> None:
    async def refuse(_: Any) -> None:
        raise NotFound("cases/7")

    served.ledger.behave = refuse
    found = details(await refused(served.get()))
    assert found["ResourceInfo"].resource_name == "cases/7"
    assert found["ErrorInfo"].reason == "RESOURCE_NOT_FOUND"


async def test_a_rule_that_says_no_is_a_precondition(served: Any) -> None:
    async def refuse(_: Any) -> None:
        raise FailedPrecondition("WORK_ITEM_OPEN", "Finish the work item first.", {"resource": "workItems/1"})

    served.ledger.behave = refuse
    error = await refused(served.get())
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    (violation,) = details(error)["PreconditionFailure"].violations
    assert (violation.type, violation.subject) == ("WORK_ITEM_OPEN", "workItems/1")


@pytest.mark.parametrize(
    ("raised", "code", "expected"),
    [
        (asyncpg.LockNotAvailableError("x"), grpc.StatusCode.ABORTED, "LOCK_TIMEOUT"),
        (asyncpg.QueryCanceledError("x"), grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
        (asyncpg.ConnectionDoesNotExistError("x"), grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE"),
        (ConnectionResetError(), grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE"),
    ],
)
async def test_what_the_database_refuses_is_classified(
    served: Any, raised: Any, code: Any, expected: str
) -> None:
    async def fail(_: Any) -> None:
        raise raised

    served.ledger.behave = fail
    error = await refused(served.get())
    assert (error.code(), reason(error)) == (code, expected)


async def test_a_method_that_is_not_served_says_so(served: Any) -> None:
    request = ledger_service_pb2.ListTransfersRequest()
    error = await refused(served.stub.ListTransfers(request, timeout=5, metadata=served.identity))
    assert (error.code(), reason(error)) == (grpc.StatusCode.UNIMPLEMENTED, "UNIMPLEMENTED")
    unknown = served.channel.unary_unary("/no.such.Service/Method")
    assert reason(await refused(unknown(b"", timeout=5))) == "UNIMPLEMENTED"


async def test_a_stream_is_served_and_guarded(served: Any, issuer: TestIssuer) -> None:
    request = view_service_pb2.WatchCustomerViewRequest()
    got = [r async for r in served.view_stub.WatchCustomerView(request, timeout=5, metadata=served.identity)]
    assert len(got) == 2
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.view_stub.WatchCustomerView(request, timeout=5).read()
    assert reason(caught.value) == "TOKEN_MISSING"


async def test_draining_ends_streams_and_says_where_to_go(served: Any) -> None:
    async def forever(_: Any) -> Any:
        yield view_service_pb2.WatchCustomerViewResponse()
        await asyncio.Event().wait()

    served.views.behave = forever
    request = view_service_pb2.WatchCustomerViewRequest()
    stream = served.view_stub.WatchCustomerView(request, timeout=60, metadata=served.identity)
    await stream.read()
    await served.server.stop(30)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    assert reason(caught.value) == "DRAINING"


async def test_too_many_calls_at_once_are_shed(served: Any) -> None:
    release = asyncio.Event()

    async def wait(_: Any) -> Any:
        await release.wait()
        return ledger_service_pb2.BatchGetAccountsResponse()

    await served.get()  # so that the issuer's keys are known
    served.ledger.behave = wait
    calls = [asyncio.create_task(served.get()) for _ in range(CALLS_OF_A_CALLER + 1)]
    await eventually(lambda: any(call.done() for call in calls))
    release.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    errors = [r for r in results if isinstance(r, grpc.aio.AioRpcError)]
    assert [reason(error) for error in errors] == ["OVERLOADED"]
    assert details(errors[0])["RetryInfo"].retry_delay.seconds == 1
