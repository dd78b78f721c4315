"""Calls to another service carry identity, deadline, trace and flow, and come back as refusals."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from chassis.context import Call, Principal, current_call
from chassis.errors import (
    Aborted,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    Refusal,
    Unavailable,
    Violation,
    invalid,
)
from chassis.grpc.client import Channels, deadline
from chassis.grpc.status import reason, refusal
from chassis.telemetry import tracing
from rapport.customer.v1 import view_service_pb2, view_service_pb2_grpc
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc, transfer_pb2
from rapport_testing.tokens import TestIssuer

REQUEST = ledger_service_pb2.BatchGetAccountsRequest()
Arrived = list[tuple[Call, float]]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
async def channels(served: Any, issuer: TestIssuer, tmp_path: Path) -> AsyncIterator[Channels]:
    token_file = tmp_path / "token"
    token_file.write_text(issuer.token("service:cases") + "\n")
    made = Channels({"loyalty": served.address}, token_file)
    yield made
    await made.close()


@pytest.fixture
async def stub(channels: Channels) -> Any:
    return ledger_service_pb2_grpc.LedgerServiceStub(channels.to("loyalty"))


@pytest.fixture
def arrived(served: Any) -> Arrived:
    """The calls that the service got, and the seconds that each had left."""
    calls: Arrived = []

    async def note(_: Any) -> Any:
        calls.append((current_call.get(), deadline.get() - time.monotonic()))
        return ledger_service_pb2.BatchGetAccountsResponse()

    served.ledger.behave = note
    return calls


async def test_a_token_that_is_just_being_written_lends_nobodys_rights(
    stub: Any, arrived: Arrived, issuer: TestIssuer, tmp_path: Path
) -> None:
    current_call.set(Call("x", Principal("agent:bob"), credential=f"Bearer {issuer.token('agent:bob')}"))
    token_file = tmp_path / "token"
    whole = token_file.read_text()
    await stub.BatchGetAccounts(REQUEST)
    token_file.write_text("")
    await stub.BatchGetAccounts(REQUEST)
    token_file.unlink()
    await stub.BatchGetAccounts(REQUEST)
    token_file.write_text(whole)
    assert {call.principal.caller for call, _ in arrived} == {"agent:bob by service:cases"}


async def test_a_call_carries_identity_flow_and_trace(
    stub: Any, arrived: Arrived, spans: list[ReadableSpan]
) -> None:
    current_call.set(Call("x", Principal("agent:bob"), correlation_id="flow-7", traceparent=PARENT))
    with tracing.server_span("cases.v1.X/Y", PARENT):
        await stub.BatchGetAccounts(REQUEST)
    call, seconds = arrived[0]
    assert call.principal.subject == "service:cases"
    assert call.correlation_id == "flow-7"
    assert 0 < seconds < 6
    server = next(s for s in spans if s.name.endswith("BatchGetAccounts") and s.kind is SpanKind.SERVER)
    client = next(s for s in spans if s.name.endswith("BatchGetAccounts") and s.kind is SpanKind.CLIENT)
    outer = next(s for s in spans if s.name == "cases.v1.X/Y")
    assert server.parent is not None
    assert client.parent is not None
    assert server.parent.span_id == client.get_span_context().span_id  # type: ignore[union-attr]
    assert client.parent.span_id == outer.get_span_context().span_id  # type: ignore[union-attr]
    assert server.attributes is not None
    assert server.attributes["rpc.response.status_code"] == "OK"
    assert call.traceparent.startswith(f"00-{PARENT.split('-')[1]}-{server.get_span_context().span_id:016x}")  # type: ignore[union-attr]


async def test_without_a_token_of_its_own_a_call_is_made_as_whoever_began_it(
    served: Any, issuer: TestIssuer, arrived: Arrived
) -> None:
    current_call.set(Call("x", Principal("service:desk"), credential=f"Bearer {issuer.token('agent:bob')}"))
    channels = Channels({"loyalty": served.address}, None)
    await ledger_service_pb2_grpc.LedgerServiceStub(channels.to("loyalty")).BatchGetAccounts(REQUEST)
    await channels.close()
    ((call, _),) = arrived
    assert (call.principal.subject, call.principal.via) == ("agent:bob", None)


async def test_a_decision_not_to_sample_is_passed_on(
    stub: Any, arrived: Arrived, spans: list[ReadableSpan]
) -> None:
    unsampled = PARENT[:-2] + "00"
    current_call.set(Call("x", Principal("agent:bob"), traceparent=unsampled))
    await stub.BatchGetAccounts(REQUEST)
    assert arrived[0][0].traceparent == unsampled
    assert spans == []


async def test_a_call_gets_what_is_left_of_the_callers_time(stub: Any, arrived: Arrived) -> None:
    deadline.set(time.monotonic() + 2)
    await stub.BatchGetAccounts(REQUEST)
    assert arrived[0][1] < 2
    await stub.BatchGetAccounts(REQUEST, timeout=1)
    assert arrived[1][1] < 1.5
    deadline.set(time.monotonic() + 0.04)
    with pytest.raises(DeadlineExceeded):
        await stub.BatchGetAccounts(REQUEST)
    assert len(arrived) == 2


async def test_a_renewed_token_is_used_without_a_restart(
    channels: Channels, stub: Any, arrived: Arrived, issuer: TestIssuer, tmp_path: Path
) -> None:
    await stub.BatchGetAccounts(REQUEST)
    renewed = tmp_path / "renewed"
    renewed.write_text(issuer.token("service:cases-renewed"))
    renewed.rename(tmp_path / "token")
    await stub.BatchGetAccounts(REQUEST)
    assert [call.principal.subject for call, _ in arrived] == ["service:cases", "service:cases-renewed"]


async def test_an_unavailable_service_is_asked_again(served: Any, stub: Any) -> None:
    attempts: list[int] = []

    async def recover(_: Any) -> Any:
        attempts.append(1)
        if len(attempts) < 3:
            raise Unavailable("DATABASE_UNAVAILABLE", "Try again.")
        return ledger_service_pb2.BatchGetAccountsResponse()

    served.ledger.behave = recover
    await stub.BatchGetAccounts(REQUEST)
    assert len(attempts) == 3


@pytest.mark.parametrize(("request_id", "attempts"), [("", 1), ("3b0fdd6b-7a0b-4dc1-8d6e-6a5b8f0f6f52", 3)])
async def test_a_change_is_asked_for_again_only_with_a_request_id(
    served: Any, stub: Any, request_id: str, attempts: int
) -> None:
    tried: list[int] = []

    async def fail(_: Any) -> Any:
        tried.append(1)
        raise Unavailable("DATABASE_UNAVAILABLE", "Try again.")

    served.ledger.behave = fail
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.PostTransfer(ledger_service_pb2.PostTransferRequest(request_id=request_id))
    assert len(tried) == attempts


@pytest.mark.parametrize(("request_id", "attempts"), [("", 1), ("3b0fdd6b-7a0b-4dc1-8d6e-6a5b8f0f6f52", 2)])
async def test_a_commit_that_may_have_happened_is_asked_for_again_only_with_a_request_id(
    served: Any, stub: Any, request_id: str, attempts: int
) -> None:
    tried: list[int] = []

    async def lose_once(_: Any) -> Any:
        tried.append(1)
        if len(tried) == 1:
            raise OutcomeUnknown("COMMIT_UNKNOWN", "It may be done.")
        return transfer_pb2.Transfer()

    served.ledger.behave = lose_once
    with contextlib.suppress(grpc.aio.AioRpcError):
        await stub.PostTransfer(ledger_service_pb2.PostTransferRequest(request_id=request_id))
    assert len(tried) == attempts


class ShutDown(Refusal):
    """What gRPC makes of a call that a server which shuts down has not begun."""

    code = "CANCELLED"


async def test_a_read_that_the_server_cancelled_is_made_again(served: Any, stub: Any) -> None:
    tried: list[int] = []

    async def cancel_once(_: Any) -> Any:
        tried.append(1)
        if len(tried) == 1:
            raise ShutDown("CANCELLED", "Cancelled.")
        return ledger_service_pb2.BatchGetAccountsResponse()

    served.ledger.behave = cancel_once
    await stub.BatchGetAccounts(REQUEST)
    assert len(tried) == 2


async def test_a_refusal_is_not_asked_for_again(served: Any, stub: Any) -> None:
    tried: list[int] = []

    async def refuse(_: Any) -> Any:
        tried.append(1)
        raise Aborted("LOCK_TIMEOUT", "Again.")

    served.ledger.behave = refuse
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.BatchGetAccounts(REQUEST)
    assert len(tried) == 1


async def test_a_service_that_is_down_is_not_asked_three_times_as_much(served: Any, stub: Any) -> None:
    tried: list[int] = []

    async def fail(_: Any) -> Any:
        tried.append(1)
        raise Unavailable("DATABASE_UNAVAILABLE", "Try again.")

    served.ledger.behave = fail
    for _ in range(20):
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.BatchGetAccounts(REQUEST)
    assert len(tried) < 30


async def test_a_stream_of_another_service_can_be_read(channels: Channels) -> None:
    views = view_service_pb2_grpc.ViewServiceStub(channels.to("loyalty"))
    request = view_service_pb2.WatchCustomerViewRequest()
    assert len([response async for response in views.WatchCustomerView(request, timeout=5)]) == 2


@pytest.mark.parametrize(
    "sent",
    [
        NotFound("cases/7"),
        FailedPrecondition("WORK_ITEM_OPEN", "Finish it.", {"resource": "workItems/1"}),
        Aborted("LOCK_TIMEOUT", "Again.", retry_after_s=0.5),
        InvalidArgument([Violation("a", "REQUIRED", "must be set"), Violation("b", "TOO_LONG", "at most 9")]),
        invalid("name", "INVALID_NAME", "must be a name"),
    ],
)
async def test_a_refusal_comes_back_as_it_was_raised(served: Any, stub: Any, sent: Refusal) -> None:
    async def refuse(_: Any) -> None:
        raise sent

    served.ledger.behave = refuse
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.BatchGetAccounts(REQUEST)
    got = refusal(caught.value)
    assert type(got) is type(sent)
    assert (got.reason, got.message, got.metadata) == (sent.reason, sent.message, sent.metadata)
    assert got.retry_after_s == sent.retry_after_s
    assert getattr(got, "violations", None) == getattr(sent, "violations", None)


async def test_a_service_that_nobody_answers_for_is_a_dependency_down(
    served: Any, channels: Channels, unused_tcp_port: int
) -> None:
    nowhere = Channels({"cases": f"127.0.0.1:{unused_tcp_port}"}, None)
    other = ledger_service_pb2_grpc.LedgerServiceStub(nowhere.to("cases"))

    async def ask(_: Any) -> Any:
        return await other.BatchGetAccounts(REQUEST)

    served.ledger.behave = ask
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.get()
    await nowhere.close()
    assert reason(caught.value) == "DEPENDENCY_UNAVAILABLE"


@pytest.mark.parametrize(
    "passing",
    [
        ShutDown("CANCELLED", "Cancelled."),
        Unavailable("DATABASE_UNAVAILABLE", "Try again."),
        OutcomeUnknown("COMMIT_UNKNOWN", "Who knows."),
    ],
    ids=lambda refused: refused.reason,
)
async def test_what_is_asked_for_again_is_a_dependency_down_when_it_does_not_pass(
    served: Any, channels: Channels, passing: Refusal
) -> None:
    tried: list[int] = []

    async def ask(_: Any) -> Any:
        tried.append(1)
        if len(tried) > 1:
            raise passing
        return await ledger_service_pb2_grpc.LedgerServiceStub(channels.to("loyalty")).BatchGetAccounts(
            REQUEST
        )

    served.ledger.behave = ask
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.get()
    assert len(tried) == 4
    assert reason(caught.value) == "DEPENDENCY_UNAVAILABLE"
    assert refusal(caught.value).metadata == {"reason": passing.reason}
