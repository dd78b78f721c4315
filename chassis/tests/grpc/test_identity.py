"""Who acts: the caller, or whoever it makes the call for; never more than both may, and no longer."""

import asyncio
from typing import Any

import grpc
import pytest

from chassis.auth import tokens
from chassis.context import Call, Principal, current_call
from chassis.grpc.client import Channels
from chassis.grpc.status import reason
from rapport.customer.v1 import view_service_pb2
from rapport.loyalty.v1 import ledger_service_pb2, ledger_service_pb2_grpc
from rapport_testing.tokens import TestIssuer

NEEDED = "loyalty.accounts.read"


@pytest.fixture
def calls(served: Any) -> list[Call]:
    """The calls that the method saw."""
    seen: list[Call] = []

    async def look(_: Any) -> Any:
        seen.append(current_call.get())
        return ledger_service_pb2.BatchGetAccountsResponse()

    served.ledger.behave = look
    return seen


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return reason(caught.value)


def relay(served: Any, issuer: TestIssuer, user: str, *permissions: str) -> Any:
    """The service `desk`, with these permissions, calls on behalf of the bearer of `user`."""
    served.identity = (("authorization", f"Bearer {issuer.token('service:desk', permissions, 'desk')}"),)
    return served.get(("on-behalf-of", user))


async def test_a_call_on_behalf_of_somebody_is_theirs(
    served: Any, issuer: TestIssuer, calls: list[Call]
) -> None:
    await relay(served, issuer, f"Bearer {issuer.token('agent:bob', [NEEDED], 'billing')}", NEEDED)
    principal = calls[0].principal
    assert (principal.subject, principal.department) == ("agent:bob", "billing")
    assert principal.via is not None
    assert (principal.via.subject, principal.via.department) == ("service:desk", "desk")


@pytest.mark.parametrize(
    ("users", "workloads"),
    [([], [NEEDED]), ([NEEDED], []), (["*"], ["cases.*"]), (["cases.*"], ["*"]), ([], [])],
)
async def test_what_either_may_not_neither_may(
    served: Any, issuer: TestIssuer, calls: list[Call], users: list[str], workloads: list[str]
) -> None:
    user = f"Bearer {issuer.token('agent:bob', users)}"
    assert await refusal(relay(served, issuer, user, *workloads)) == "PERMISSION_DENIED"
    assert calls == []


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", "TOKEN_MISSING"),
        ("agent:bob", "TOKEN_MISSING"),
        ("Bearer agent:bob", "TOKEN_INVALID"),
        ("Bearer " + "x" * (17 * 1024), "TOKEN_INVALID"),
    ],
)
async def test_a_name_alone_is_nobody(
    served: Any, issuer: TestIssuer, calls: list[Call], user: str, expected: str
) -> None:
    assert await refusal(relay(served, issuer, user, "*")) == expected
    assert calls == []


async def test_a_call_on_behalf_of_somebody_needs_an_identity_of_its_own(
    served: Any, issuer: TestIssuer, calls: list[Call]
) -> None:
    served.identity = ()
    user = f"Bearer {issuer.token('agent:bob', ['*'])}"
    assert await refusal(served.get(("on-behalf-of", user))) == "TOKEN_MISSING"
    expired = f"Bearer {issuer.token('agent:bob', ['*'], lifetime_s=-60)}"
    assert await refusal(relay(served, issuer, expired, "*")) == "TOKEN_EXPIRED"
    assert calls == []


@pytest.mark.parametrize("where", ["authorization", "on-behalf-of", "access-purpose"])
async def test_what_says_two_things_is_not_believed(
    served: Any, issuer: TestIssuer, calls: list[Call], where: str
) -> None:
    twice = (where, f"Bearer {issuer.token('agent:bob', ['*'])}")
    metadata = (twice,) if where == "authorization" else (twice, twice)
    assert await refusal(served.get(*metadata)) == "TOKEN_INVALID"
    assert calls == []


async def test_two_tokens_of_the_longest_kind_travel_together(
    served: Any, issuer: TestIssuer, calls: list[Call]
) -> None:
    many = ["*", *(f"loyalty.nothing.{n:06}" for n in range(480))]
    user = f"Bearer {issuer.token('agent:bob', many)}"
    assert len(user) > 15_000
    await relay(served, issuer, user, *many)
    assert calls[0].principal.subject == "agent:bob"


async def test_the_purpose_is_told_and_otherwise_customer_care(served: Any, calls: list[Call]) -> None:
    await served.get()
    await served.get(("access-purpose", "complaint"))
    assert [call.purpose for call in calls] == ["customer-care", "complaint"]
    assert await refusal(served.get(("access-purpose", "Because I can"))) == "INVALID_CODE"


async def test_what_a_method_asks_of_others_is_on_behalf_of_whoever_began(
    served: Any, issuer: TestIssuer, calls: list[Call], tmp_path: Any
) -> None:
    """Desk, then this service, then this service again: the user's token arrives through both."""
    own = tmp_path / "token"
    own.write_text(issuer.token("service:loyalty", [NEEDED], "loyalty"))
    channels = Channels({"loyalty": served.address}, own)
    peer = ledger_service_pb2_grpc.LedgerServiceStub(channels.to("loyalty"))
    look = served.ledger.behave

    async def ask_on(request: Any) -> Any:
        answer = await look(request)
        if len(calls) < 3:
            await peer.BatchGetAccounts(request)
        return answer

    served.ledger.behave = ask_on
    user = f"Bearer {issuer.token('agent:bob', [NEEDED], 'billing')}"
    try:
        await relay(served, issuer, user, NEEDED)
    finally:
        await channels.close()
    vias = [call.principal.via.subject for call in calls if call.principal.via]
    assert vias == ["service:desk", "service:loyalty", "service:loyalty"]
    assert {call.principal.subject for call in calls} == {"agent:bob"}
    assert {call.purpose for call in calls} == {"customer-care"}


async def test_a_service_lends_nobody_its_rights(
    served: Any, issuer: TestIssuer, calls: list[Call], tmp_path: Any
) -> None:
    own = tmp_path / "token"
    own.write_text(issuer.token("service:cases", ["*"], "cases"))
    channels = Channels({"loyalty": served.address}, own)
    peer = ledger_service_pb2_grpc.LedgerServiceStub(channels.to("loyalty"))
    weak = f"Bearer {issuer.token('agent:bob', ['cases.promises.read'])}"
    token = current_call.set(Call("x", Principal("agent:bob"), credential=weak))
    try:
        assert (
            await refusal(peer.BatchGetAccounts(ledger_service_pb2.BatchGetAccountsRequest()))
            == "PERMISSION_DENIED"
        )
    finally:
        current_call.reset(token)
        await channels.close()
    assert calls == []


def watch(served: Any) -> Any:
    request = view_service_pb2.WatchCustomerViewRequest()
    return served.view_stub.WatchCustomerView(request, timeout=60, metadata=served.identity)


async def test_a_watch_ends_with_its_token(
    served: Any, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forever(_: Any) -> Any:
        yield view_service_pb2.WatchCustomerViewResponse()
        await asyncio.Event().wait()

    served.views.behave = forever
    monkeypatch.setattr(tokens, "LEEWAY_S", 0)
    served.identity = (("authorization", f"Bearer {issuer.token(lifetime_s=2)}"),)
    stream = watch(served)
    await stream.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    assert reason(caught.value) == "TOKEN_EXPIRED"


async def test_a_watch_ends_when_the_key_of_its_token_is_withdrawn(served: Any, issuer: TestIssuer) -> None:
    more = asyncio.Event()

    async def twice(_: Any) -> Any:
        yield view_service_pb2.WatchCustomerViewResponse()
        await more.wait()
        yield view_service_pb2.WatchCustomerViewResponse()

    served.views.behave = twice
    stream = watch(served)
    await stream.read()
    keys = served.server._interceptor._verifier.keys
    keys._keys = []
    keys._changed()
    keys._document = lambda: b'{"keys": []}'
    more.set()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    assert reason(caught.value) == "TOKEN_INVALID"
