"""Calls to another service carry identity, deadline, trace and flow, and come back as refusals."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from rapport.customer.v1 import view_service_pb2, view_service_pb2_grpc
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc

from chassis.context import Call, Principal, current_call
from chassis.errors import Aborted, DeadlineExceeded, FailedPrecondition, InvalidArgument, NotFound, Refusal
from chassis.errors import Violation, invalid
from chassis.grpc.client import Channels, deadline
from chassis.grpc.status import reason, refusal
from chassis.telemetry import tracing
from chassis.testing.tokens import TestIssuer

REQUEST = ledger_service_pb2.GetBalancesRequest()
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
async def channels(served: Any, issuer: TestIssuer, tmp_path: Path) -> AsyncIterator[Channels]:
    token_file = tmp_path / "token"
    token_file.write_text(issuer.token("service:cases") + "\n")
    made = Channels({"loyalty": served.address}, token_file, {})
    yield made
    await made.close()


@pytest.fixture
def stub(channels: Channels) -> Any:
    return ledger_service_pb2_grpc.LedgerServiceStub(channels.to("loyalty"))


@pytest.fixture
def arrived(served: Any) -> Iterator[list[tuple[Call, float]]]:
    """The calls that the service got, and the seconds that each had left."""
    calls: list[tuple[Call, float]] = []

    async def note(_: Any) -> Any:
        calls.append((current_call.get(), deadline.get() - time.monotonic()))
        return ledger_service_pb2.GetBalancesResponse()

    served.ledger.behave = note
    return iter([calls])


async def test_a_call_carries_identity_flow_and_trace(stub: Any, arrived: Any, spans: list[ReadableSpan]) -> None:
    calls = next(arrived)
    current_call.set(Call("x", Principal("agent:bob"), correlation_id="flow-7", traceparent=PARENT))
    with tracing.server_span("cases.v1.X/Y", PARENT):
        await stub.GetBalances(REQUEST)
    call, seconds = calls[0]
    assert call.principal.subject == "service:cases"
    assert call.correlation_id == "flow-7"
    assert seconds <= 5
    server = next(s for s in spans if s.name.endswith("GetBalances") and s.kind is SpanKind.SERVER)
    client = next(s for s in spans if s.name.endswith("GetBalances") and s.kind is SpanKind.CLIENT)
    outer = next(s for s in spans if s.name == "cases.v1.X/Y")
    assert server.parent is not None
    assert client.parent is not None
    assert server.parent.span_id == client.get_span_context().span_id  # type: ignore[union-attr]
    assert client.parent.span_id == outer.get_span_context().span_id  # type: ignore[union-attr]
    assert server.attributes is not None
    assert server.attributes["rpc.response.status_code"] == "OK"
    assert call.traceparent.startswith(f"00-{PARENT.split('-')[1]}-{server.get_span_context().span_id:016x}")  # type: ignore[union-attr]


async def test_a_decision_not_to_sample_is_passed_on(stub: Any, arrived: Any, spans: list[ReadableSpan]) -> None:
    calls = next(arrived)
    unsampled = PARENT[:-2] + "00"
    current_call.set(Call("x", Principal("agent:bob"), traceparent=unsampled))
    await stub.GetBalances(REQUEST)
    assert calls[0][0].traceparent == unsampled
    assert spans == []


async def test_a_call_gets_what_is_left_of_the_callers_time(stub: Any, arrived: Any) -> None:
    calls = next(arrived)
    deadline.set(time.monotonic() + 2)
    await stub.GetBalances(REQUEST)
    assert calls[0][1] <= 1.95
    await stub.GetBalances(REQUEST, timeout=1)
    assert calls[1][1] <= 1
    deadline.set(time.monotonic() + 0.04)
    with pytest.raises(DeadlineExceeded):
        await stub.GetBalances(REQUEST)
    assert len(calls) == 2


async def test_a_renewed_token_is_used_without_a_restart(
    channels: Channels, stub: Any, arrived: Any, issuer: TestIssuer, tmp_path: Path
) -> None:
    calls = next(arrived)
    await stub.GetBalances(REQUEST)
    renewed = tmp_path / "renewed"
    renewed.write_text(issuer.token("service:cases-renewed"))
    renewed.rename(tmp_path / "token")
    await stub.GetBalances(REQUEST)
    assert [call.principal.subject for call, _ in calls] == ["service:cases", "service:cases-renewed"]


async def test_an_unavailable_service_is_asked_again(served: Any, stub: Any) -> None:
    from chassis.errors import Unavailable

    attempts: list[int] = []

    async def recover(_: Any) -> Any:
        attempts.append(1)
        if len(attempts) < 3:
            raise Unavailable("DATABASE_UNAVAILABLE", "Try again.")
        return ledger_service_pb2.GetBalancesResponse()

    served.ledger.behave = recover
    await stub.GetBalances(REQUEST)
    assert len(attempts) == 3


async def test_a_stream_of_another_service_can_be_read(channels: Channels) -> None:
    views = view_service_pb2_grpc.ViewServiceStub(channels.to("loyalty"))
    request = view_service_pb2.WatchCustomerViewRequest()
    assert len([response async for response in views.WatchCustomerView(request, timeout=5)]) == 2


@pytest.mark.parametrize(
    "sent",
    [
        NotFound("cases/7"),
        FailedPrecondition("WORK_ITEM_OPEN", "Finish it.", {"work_item": "w"}),
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
        await stub.GetBalances(REQUEST)
    got = refusal(caught.value)
    assert type(got) is type(sent)
    assert (got.reason, got.message, got.metadata) == (sent.reason, sent.message, sent.metadata)
    assert got.retry_after_s == sent.retry_after_s
    assert getattr(got, "violations", None) == getattr(sent, "violations", None)


async def test_a_service_that_nobody_answers_for_is_a_dependency_down(
    served: Any, channels: Channels, unused_tcp_port: int
) -> None:
    nowhere = Channels({"cases": f"127.0.0.1:{unused_tcp_port}"}, None, {})
    other = ledger_service_pb2_grpc.LedgerServiceStub(nowhere.to("cases"))

    async def ask(_: Any) -> Any:
        return await other.GetBalances(REQUEST)

    served.ledger.behave = ask
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.get()
    await nowhere.close()
    assert reason(caught.value) == "DEPENDENCY_UNAVAILABLE"
