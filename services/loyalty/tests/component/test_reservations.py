"""Redemptions in two steps: set aside once, ended once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from rapport.loyalty.v1 import reservation_service_pb2 as pb
from rapport.loyalty.v1.ledger_service_pb2 import ReverseTransferRequest
from rapport.loyalty.v1.lot_pb2 import LotPolicy
from rapport.loyalty.v1.lot_service_pb2 import ListLotsRequest
from rapport.loyalty.v1.lot_service_pb2_grpc import LotServiceStub
from rapport.loyalty.v1.reservation_pb2 import Reservation
from rapport.loyalty.v1.reservation_service_pb2_grpc import ReservationServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, reason, refused
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

MAIN = "programs/main"
ISSUED, REDEEMED = f"{MAIN}/accounts/points-issued", f"{MAIN}/accounts/points-redeemed"


@pytest.fixture
async def redeem(running: Running) -> Any:
    return running.stub(ReservationServiceStub)


def new(account: str, amount: int, **more: Any) -> pb.CreateReservationRequest:
    reservation = Reservation(account=account, amount=amount, reason_code="reward")
    return pb.CreateReservationRequest(reservation=reservation, request_id=str(uuid4()), **more)


def commit(name: str, **more: Any) -> pb.CommitReservationRequest:
    return pb.CommitReservationRequest(name=name, request_id=str(uuid4()), **more)


def release(name: str) -> pb.ReleaseReservationRequest:
    return pb.ReleaseReservationRequest(name=name, request_id=str(uuid4()))


async def test_of_many_redemptions_of_one_balance_exactly_one_succeeds(desk: Any, redeem: Any) -> None:
    member = await desk.member(100)
    calls = [desk.insist(redeem.CreateReservation, new(member, 100)) for _ in range(200)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    lost = [each for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert {reason(each) for each in lost} == {"INSUFFICIENT_BALANCE"}
    (won,) = [each for each in outcomes if isinstance(each, Reservation)]
    assert await desk.points(member) == [0]
    await redeem.CommitReservation(commit(won.name))
    assert await desk.points(member, REDEEMED) == [0, 100]


@pytest.mark.alone("it counts all that there is")
async def test_what_is_committed_is_gone_and_what_is_released_is_back(desk: Any, redeem: Any) -> None:
    member = await desk.member(100)
    one, other = [await redeem.CreateReservation(new(member, points)) for points in (30, 50)]
    assert (await desk.points(member), one.state) == ([20], Reservation.STATE_RESERVED)
    done = await redeem.CommitReservation(commit(one.name))
    back = await redeem.ReleaseReservation(release(other.name))
    assert (done.state, back.state) == (Reservation.STATE_COMMITTED, Reservation.STATE_RELEASED)
    assert await desk.points(member, REDEEMED) == [70, 30]
    for ended in (one, other):
        assert await refused(redeem.CommitReservation(commit(ended.name))) == "RESERVATION_ENDED"
        assert await refused(redeem.ReleaseReservation(release(ended.name))) == "RESERVATION_ENDED"
    listed = pb.ListReservationsRequest(filter=f'account = "{member}"')
    assert [each.name for each in (await redeem.ListReservations(listed)).reservations] == [
        other.name,
        one.name,
    ]


@pytest.mark.alone("it counts all that there is")
async def test_of_an_end_in_two_ways_at_once_one_counts(desk: Any, redeem: Any) -> None:
    member = await desk.member(10)
    made = await redeem.CreateReservation(new(member, 10))
    ends = [desk.insist(redeem.CommitReservation, commit(made.name)) for _ in range(10)]
    ends += [desk.insist(redeem.ReleaseReservation, release(made.name)) for _ in range(10)]
    outcomes = await asyncio.gather(*ends, return_exceptions=True)
    assert sum(isinstance(each, Reservation) for each in outcomes) == 1
    assert sum(await desk.points(member, REDEEMED)) == 10


async def test_what_nobody_commits_in_time_is_back(
    running: Running, desk: Any, redeem: Any, clock: ManualClock
) -> None:
    member = await desk.member(10)
    made = await redeem.CreateReservation(new(member, 10, lifetime=Duration(seconds=60)))
    clock.advance(timedelta(seconds=60))
    assert await refused(redeem.CommitReservation(commit(made.name))) == "RESERVATION_ENDED"

    async def is_back() -> bool:
        return bool(await desk.points(member) == [10])

    await eventually(is_back)  # the service's own timers do it
    ended = await redeem.GetReservation(pb.GetReservationRequest(name=made.name))
    assert ended.state == Reservation.STATE_EXPIRED


async def test_a_redemption_is_undone_to_the_lots_it_came_from(
    running: Running, desk: Any, redeem: Any
) -> None:
    member, lots = await desk.member(), running.stub(LotServiceStub)
    for days in (10, 20):
        earn = desk.posting(ISSUED, member, 10)
        policy = LotPolicy(
            activation=LotPolicy.ACTIVATION_IMMEDIATE, expiry=LotPolicy.EXPIRY_AFTER_EARNING, expiry_days=days
        )
        earn.transfer.legs[1].lot_policy.CopyFrom(policy)
        await desk.ledger.PostTransfer(earn)

    async def left() -> list[int]:
        page = await lots.ListLots(ListLotsRequest(parent=member))
        return [lot.remaining for lot in page.lots]

    made = await redeem.CreateReservation(new(member, 15))
    assert await left() == [5]
    undo = ReverseTransferRequest(name=made.transfer, reason_code="x", request_id=str(uuid4()))
    assert await refused(desk.ledger.ReverseTransfer(undo)) == "MANAGED_ACCOUNT"
    done = await redeem.CommitReservation(commit(made.name))
    undo = ReverseTransferRequest(name=done.end_transfer, reason_code="x", request_id=str(uuid4()))
    await desk.ledger.ReverseTransfer(undo)
    assert (await left(), await desk.points(member)) == ([10, 10], [20])


async def test_what_cannot_be_set_aside_is_refused(desk: Any, redeem: Any) -> None:
    member = await desk.member(10)
    assert await refused(redeem.CreateReservation(new(member, 11))) == "INSUFFICIENT_BALANCE"
    assert await refused(redeem.CreateReservation(new(ISSUED, 1))) == "INVALID_NAME"
    for seconds in (0, 7 * 86400 + 1):
        lasting = new(member, 1, lifetime=Duration(seconds=seconds))
        assert await refused(redeem.CreateReservation(lasting)) == "INVALID_NUMBER"
    made = await redeem.CreateReservation(new(member, 5))
    foreign = commit(made.name, redeem_account=member)
    assert await refused(redeem.CommitReservation(foreign)) == "INVALID_NAME"
    nobody = commit(f"reservations/{uuid4()}")
    assert await refused(redeem.CommitReservation(nobody)) == "RESOURCE_NOT_FOUND"
