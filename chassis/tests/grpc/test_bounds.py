"""What a server takes at most: headers, messages, calls and streams, refused before they cost anything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.errors import ResourceExhausted, Unauthenticated
from chassis.grpc import admission, bounds, open_methods
from chassis.grpc.bounds import (
    CALLS_OF_A_CALLER,
    METADATA_MAX_BYTES,
    TOKEN_MAX_BYTES,
    TURNS,
    TURNS_OF_A_CALLER,
    Receiving,
)
from chassis.grpc.client import Channels
from chassis.grpc.status import reason
from chassis.shares import Shares
from rapport.customer.v1 import view_service_pb2
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc
from rapport_testing.engines.ports import free_port
from rapport_testing.tokens import TestIssuer
from rapport_testing.wait import eventually

BALANCES = "/rapport.loyalty.v1.LedgerService/BatchGetAccounts"
WATCH = "/rapport.customer.v1.ViewService/WatchCustomerView"


async def answer_to_nothing(served: Any, method: str, metadata: Any) -> grpc.aio.AioRpcError:
    """The refusal of a call that has sent its headers alone."""
    call = served.channel.stream_stream(method)(timeout=10, metadata=metadata)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    return caught.value


@pytest.mark.parametrize("method", [BALANCES, WATCH])
async def test_an_unknown_caller_is_refused_before_the_request_is_received(served: Any, method: str) -> None:
    assert reason(await answer_to_nothing(served, method, ())) == "TOKEN_MISSING"
    invalid = (("authorization", "Bearer not.a.token"),)
    assert reason(await answer_to_nothing(served, method, invalid)) == "TOKEN_INVALID"


async def test_a_caller_who_may_not_is_refused_before_the_request_is_received(
    served: Any, issuer: TestIssuer
) -> None:
    nothing = (("authorization", f"Bearer {issuer.token(permissions=[])}"),)
    assert reason(await answer_to_nothing(served, BALANCES, nothing)) == "PERMISSION_DENIED"


async def test_a_method_that_is_not_served_is_refused_before_the_request_is_received(served: Any) -> None:
    assert reason(await answer_to_nothing(served, "/no.such.Service/Method", ())) == "UNIMPLEMENTED"


@asynccontextmanager
async def answering(served: Any, calls: int, **request: Any) -> AsyncIterator[None]:
    """So many calls are being answered, and go on until the end of the block."""
    release = asyncio.Event()

    async def wait(_: Any) -> Any:
        await release.wait()
        return ledger_service_pb2.BatchGetAccountsResponse()

    served.ledger.behave = wait
    under_way = [asyncio.create_task(served.get(**request)) for _ in range(calls)]
    await eventually(lambda: served.server._interceptor._in_flight.calls.taken == calls)
    served.ledger.behave = served.ledger.empty
    yield
    release.set()
    await asyncio.gather(*under_way)


def identity_of(issuer: TestIssuer, subject: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {issuer.token(subject)}"),)


async def test_a_server_without_room_refuses_before_the_request_is_received(
    served: Any, issuer: TestIssuer
) -> None:
    served.server._interceptor._in_flight.calls = Shares(2, 3, "calls")
    async with answering(served, 2):
        for identity in (served.identity, identity_of(issuer, "agent:bob")):
            assert reason(await answer_to_nothing(served, BALANCES, identity)) == "OVERLOADED"
    await served.get()


async def test_who_has_a_callers_share_of_the_calls_is_refused_and_others_are_served(
    served: Any, issuer: TestIssuer
) -> None:
    async with answering(served, CALLS_OF_A_CALLER):
        refused = await answer_to_nothing(served, BALANCES, served.identity)
        assert reason(refused) == "OVERLOADED"
        assert f"A caller may have {CALLS_OF_A_CALLER} calls" in str(refused.details())
        await served.channel.unary_unary(BALANCES)(b"", timeout=10, metadata=identity_of(issuer, "agent:bob"))
    await served.get()


async def test_a_share_is_that_of_a_subject_and_of_who_calls_for_it(served: Any, issuer: TestIssuer) -> None:
    relayed = ("on-behalf-of", served.identity[0][1])
    served.server._interceptor._in_flight.calls = Shares(9, 1, "calls")
    async with answering(served, 1):
        for workload in ("service:cases", "service:notifications"):
            by = identity_of(issuer, workload)
            await served.channel.unary_unary(BALANCES)(b"", timeout=10, metadata=(*by, relayed))


async def test_requests_under_way_are_bounded_in_bytes_too(served: Any, issuer: TestIssuer) -> None:
    served.server._interceptor._in_flight.bytes = Shares(2000, 1000, "bytes")
    async with answering(served, 1, names=["a" * 1000]):
        assert reason(await answer_to_nothing(served, BALANCES, served.identity)) == "OVERLOADED"
        await served.channel.unary_unary(BALANCES)(b"", timeout=10, metadata=identity_of(issuer, "agent:bob"))
    await served.get()


async def test_a_token_is_taken_or_refused_by_its_length_alone(served: Any, issuer: TestIssuer) -> None:
    def identity(permissions: int) -> Any:
        token = issuer.token(permissions=["*", *(f"loyalty.nothing.{n:06}" for n in range(permissions))])
        return len(f"Bearer {token}"), (("authorization", f"Bearer {token}"),)

    async def outcomes(channel: Any, metadata: Any) -> set[str]:
        async def once() -> str:
            try:
                await channel.unary_unary(BALANCES)(b"", timeout=5, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                return reason(error)
            return "OK"

        return set(await asyncio.gather(*(once() for _ in range(40))))

    for permissions, expected in [(200, "OK"), (300, "OK"), (480, "OK"), (500, "TOKEN_INVALID")]:
        size, metadata = identity(permissions)
        assert (size <= TOKEN_MAX_BYTES) == (expected == "OK"), size
        assert await outcomes(served.channel, metadata) == {expected}, size
    too_much = (("authorization", "Bearer " + "x" * METADATA_MAX_BYTES),)
    assert await outcomes(served.channel, too_much) == {"RESOURCE_EXHAUSTED"}  # gRPC's own, without details


async def test_an_answer_that_no_client_could_receive_is_refused(served: Any) -> None:
    async def large(_: Any) -> bytes:
        return b"\x0a" * (4 * 1024 * 1024 + 1)

    served.ledger.behave = large
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.get()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason(caught.value) == "RESPONSE_TOO_LARGE"


async def forever(_: Any) -> Any:
    yield view_service_pb2.WatchCustomerViewResponse()
    await asyncio.Event().wait()


def watch(served: Any, **request: Any) -> Any:
    message = view_service_pb2.WatchCustomerViewRequest(**request)
    return served.view_stub.WatchCustomerView(message, timeout=60, metadata=served.identity)


async def refusal(stream: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    return reason(caught.value)


async def test_a_caller_has_so_many_streams_and_others_have_theirs(served: Any, issuer: TestIssuer) -> None:
    served.views.behave = forever
    served.server._interceptor._open_streams = Shares(3, 2, "streams open", bounds.too_many_streams)
    mine = [watch(served), watch(served)]
    for stream in mine:
        await stream.read()
    assert await refusal(watch(served)) == "TOO_MANY_STREAMS"
    served.identity = identity_of(issuer, "agent:bob")
    theirs = watch(served)
    await theirs.read()
    assert await refusal(watch(served)) == "TOO_MANY_STREAMS"  # all places are taken
    mine[0].cancel()

    async def let_in() -> bool:
        again = watch(served)
        try:
            await again.read()
        except grpc.aio.AioRpcError:
            return False
        again.cancel()
        return True

    await eventually(let_in)
    for stream in (*mine, theirs):
        stream.cancel()


async def test_the_request_of_a_stream_is_small(served: Any) -> None:
    assert await refusal(watch(served, name="x" * 64 * 1024)) == "TOO_LONG"


def test_what_is_given_back_leaves_nothing_behind() -> None:
    shares = Shares(1, 1, "places")
    for n in range(3):
        with shares.held(f"agent:{n}"), pytest.raises(ResourceExhausted), shares.held("agent:x"):
            pass
    shares.take("agent:a", 0)  # an empty request
    shares.give_back("agent:a", 0)
    assert (shares._by_caller, shares.taken) == ({}, 0)


def watch_health(served: Any) -> Any:
    return health_pb2_grpc.HealthStub(served.channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)


async def health_watch(served: Any) -> Any:
    stream = watch_health(served)
    await stream.read()
    return stream


@pytest.mark.parametrize("bound", ["AT_ONCE", "OF_A_HOST"])
async def test_open_watches_of_health_are_few_and_do_not_hold_up_a_stop(
    served: Any, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(open_methods, bound, 2)
    streams = [await health_watch(served) for _ in range(2)]
    assert await refusal(watch_health(served)) == "OVERLOADED"
    async with asyncio.timeout(20):
        await served.server.stop(600)
    for stream in streams:
        assert await stream.code() is grpc.StatusCode.UNAVAILABLE


async def test_watches_from_anybody_cut_no_client_off(
    served: Any, issuer: TestIssuer, tmp_path: Path
) -> None:
    flood = [watch_health(served) for _ in range(600)]
    first = await asyncio.gather(*(stream.read() for stream in flood), return_exceptions=True)
    assert any(isinstance(answer, grpc.aio.AioRpcError) for answer in first)  # no room for one more
    check = health_pb2_grpc.HealthStub(served.channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    await check
    (tmp_path / "token").write_text(issuer.token("service:cases"))
    channels = Channels({"loyalty": served.address}, tmp_path / "token")
    stub = ledger_service_pb2_grpc.LedgerServiceStub(channels.to("loyalty"))
    for _ in range(3):
        await stub.BatchGetAccounts(ledger_service_pb2.BatchGetAccountsRequest(), timeout=10)
    await channels.close()
    for stream in flood:
        stream.cancel()


async def test_methods_that_strangers_make_up_are_not_remembered(served: Any) -> None:
    remembered = len(served.server._interceptor._wrapped)
    for n in range(3):
        method = f"/grpc.health.v1.Health/Made{n}Up"
        assert reason(await answer_to_nothing(served, method, ())) == "UNIMPLEMENTED"
    assert len(served.server._interceptor._wrapped) == remembered


async def test_who_calls_an_open_method_and_sends_nothing_is_let_go(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_methods, "READING_S", 0.05)
    assert reason(await answer_to_nothing(served, "/grpc.health.v1.Health/Check", ())) == "OVERLOADED"


@asynccontextmanager
async def counted(served: Any) -> AsyncIterator[tuple[Any, Callable[[], int]]]:
    """A channel to the server, and how much of what was sent through it the server took."""
    took = 0

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: bool) -> None:
        nonlocal took
        while data := await reader.read(65536):
            took += len(data) * up
            writer.write(data)
            await writer.drain()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_connection(*served.address.split(":"))
        await asyncio.gather(pipe(reader, other_writer, True), pipe(other_reader, writer, False))

    listening = await asyncio.start_server(proxy, "127.0.0.1", free_port())
    address = "{}:{}".format(*listening.sockets[0].getsockname())
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel, lambda: took
    listening.close()


async def until_nothing_more_comes(took: Callable[[], int]) -> None:
    seen = -1
    while seen != took():
        seen = took()
        await asyncio.sleep(0.5)


async def test_of_what_strangers_send_the_server_takes_next_to_nothing(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is judged who they are, their requests wait on their side."""
    judged = asyncio.Event()

    async def wait(*_: Any) -> Any:
        await judged.wait()
        raise Unauthenticated("TOKEN_INVALID", "no")

    monkeypatch.setattr(admission, "recognise", wait)
    async with counted(served) as (channel, took):
        calls = [channel.unary_unary(BALANCES)(b"x" * 4_000_000, timeout=30) for _ in range(20)]
        await until_nothing_more_comes(took)
        assert took() < 20 * 128 * 1024
        judged.set()
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def stall(served: Any, calls: int, identity: Any = None) -> list[Any]:
    """So many calls of one caller that send no request."""
    stalled = [
        served.channel.stream_stream(BALANCES)(timeout=60, metadata=identity or served.identity)
        for _ in range(calls)
    ]
    for stream in stalled:
        await stream.wait_for_connection()
    return stalled


def taken(served: Any) -> int:
    receiving: Receiving = served.server._interceptor._receiving
    return TURNS - receiving._turns._value


async def test_who_sends_half_a_request_holds_up_their_own_alone_and_those_wait_on_their_side(
    served: Any, issuer: TestIssuer
) -> None:
    stalled = await stall(served, TURNS_OF_A_CALLER)
    await eventually(lambda: taken(served) == TURNS_OF_A_CALLER)
    async with counted(served) as (channel, took):
        calls = [
            channel.unary_unary(BALANCES)(b"x" * 4_000_000, timeout=30, metadata=served.identity)
            for _ in range(20)
        ]
        other = identity_of(issuer, "agent:bob")
        await channel.unary_unary(BALANCES)(b"", timeout=30, metadata=other)
        await until_nothing_more_comes(took)
        assert took() < 20 * 128 * 1024
        for stream in stalled:
            stream.cancel()
        for call in calls:
            await call
    await eventually(lambda: not taken(served))


async def test_callers_who_hold_all_turns_and_send_nothing_lose_one_for_each_who_waits(
    served: Any, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "TURN_S", 0.05)
    monkeypatch.setattr(bounds, "RECEIVING_S", 50.0)
    silent = [
        stream
        for n in range(TURNS // TURNS_OF_A_CALLER)
        for stream in await stall(served, TURNS_OF_A_CALLER, identity_of(issuer, f"agent:silent-{n}"))
    ]
    await eventually(lambda: taken(served) == TURNS)
    for _ in range(3):
        await served.get(timeout=30)
        await eventually(lambda: taken(served) == TURNS - 1)
        silent += await stall(served, 1, identity_of(issuer, "agent:silent-late"))
        await eventually(lambda: taken(served) == TURNS)
    ended = [stream for stream in silent if stream.done()]
    assert [await stream.code() for stream in ended] == [grpc.StatusCode.RESOURCE_EXHAUSTED] * 3
    for stream in silent:
        stream.cancel()
    await eventually(lambda: not taken(served))


async def test_a_turn_that_is_not_used_for_long_is_lost_also_while_nobody_waits(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "RECEIVING_S", 0.05)
    for method in (BALANCES, WATCH):
        assert reason(await answer_to_nothing(served, method, served.identity)) == "OVERLOADED"
    assert not taken(served)


async def test_a_caller_has_so_many_requests_on_their_way(served: Any, issuer: TestIssuer) -> None:
    served.server._interceptor._receiving._expected = Shares(9, 2, "requests on their way")
    stalled = await stall(served, 2)
    await eventually(lambda: taken(served) == 2)
    assert reason(await answer_to_nothing(served, BALANCES, served.identity)) == "OVERLOADED"
    other = identity_of(issuer, "agent:bob")
    await served.channel.unary_unary(BALANCES)(b"", timeout=10, metadata=other)
    for stream in stalled:
        stream.cancel()


async def test_a_host_that_calls_open_methods_and_sends_nothing_has_a_part_of_the_reads(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = "/grpc.health.v1.Health/Check"
    monkeypatch.setattr(open_methods, "READING_S", 50.0)
    stalled = [served.channel.stream_stream(check)(timeout=60) for _ in range(open_methods.READING_OF_A_HOST)]
    reading: Shares = served.server._interceptor._open_methods._reading
    await eventually(lambda: reading.taken == open_methods.READING_OF_A_HOST < open_methods.READING_AT_ONCE)
    assert reason(await answer_to_nothing(served, check, ())) == "OVERLOADED"
    for stream in stalled:
        stream.cancel()
