"""A service that is late, overloaded or away for a while ends no import."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from chassis.backoff import Backoff
from chassis.errors import FailedPrecondition, Refusal, ResourceExhausted, Unavailable
from chassis.grpc.status import reason, status
from rapport.loyalty.v1 import purchase_service_pb2 as pb
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceServicer, PurchaseServiceStub
from rapport_imports import patience
from rapport_imports.patience import Patient

FakePeer = Callable[..., Awaitable[str]]
OVERLOADED = ResourceExhausted("OVERLOADED", "Too many calls at once. Try again.")
REQUEST = pb.BatchRecordPurchasesRequest(request_id="0198c0de-0000-7000-8000-000000000001")


class Purchases(PurchaseServiceServicer):
    """Refuses calls, one for each refusal, before it answers; `open` lets it answer at all."""

    def __init__(self, *refusals: Refusal) -> None:
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self._refusals = list(refusals)

    async def BatchRecordPurchases(self, request: Any, context: Any) -> Any:
        self.asked.append(request.request_id)
        if self._refusals:
            await context.abort_with_status(status(self._refusals.pop(0), "loyalty.rapport"))
        await self.open.wait()
        return pb.BatchRecordPurchasesResponse()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WAITS", Backoff(0.01, 0.01))


async def record(address: str, said: list[str]) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        patient: Any = Patient(channel, "loyalty", said.append)
        await PurchaseServiceStub(patient).BatchRecordPurchases(REQUEST)


async def test_a_call_is_made_again_as_the_same_until_it_is_answered_and_that_is_said_once(
    fake_peer: FakePeer,
) -> None:
    late = Refusal("DEADLINE_EXCEEDED", "The call was not done in its time.")
    late.code = "DEADLINE_EXCEEDED"
    purchases, said = Purchases(Unavailable("SHUTTING_DOWN", "Try again."), OVERLOADED, late), list[str]()
    purchases.open.set()
    await record(await fake_peer(purchases), said)
    assert purchases.asked == [REQUEST.request_id] * 4
    [line] = said
    assert line.startswith("the loyalty service does not answer, trying again: for 3 minutes at most")


async def test_that_a_service_takes_long_is_said_while_it_does(
    fake_peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LATE_S", 0)
    purchases, said = Purchases(), list[str]()

    class Said(list[str]):
        def append(self, line: str) -> None:
            said.append(line)
            purchases.open.set()  # had nothing been said, it would not answer

    await record(await fake_peer(purchases), Said())
    assert (len(said), len(purchases.asked)) == (1, 1)


async def test_patience_has_an_end_and_there_is_none_with_what_is_refused(
    fake_peer: FakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, said = Purchases(FailedPrecondition("NOT_OWNER", "No.")), list[str]()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await record(await fake_peer(refused), said)
    assert (reason(error.value), said) == ("NOT_OWNER", [])
    monkeypatch.setattr(patience, "PATIENCE_S", 0)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await record(await fake_peer(Purchases(OVERLOADED)), said)
    assert reason(error.value) == "OVERLOADED"
