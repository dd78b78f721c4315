"""Rewards: redeemed with their points and their stock at once, handed out, given up and taken back once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.type.money_pb2 import Money

from chassis.api.messages import timestamp, value_name
from rapport.loyalty.v1 import reward_service_pb2 as pb
from rapport.loyalty.v1.ledger_service_pb2 import ReverseTransferRequest
from rapport.loyalty.v1.redemption_pb2 import Redemption
from rapport.loyalty.v1.reservation_service_pb2 import CommitReservationRequest
from rapport.loyalty.v1.reservation_service_pb2_grpc import ReservationServiceStub
from rapport.loyalty.v1.reward_pb2 import Reward
from rapport.loyalty.v1.reward_service_pb2_grpc import RewardServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, reason, refused
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

START = datetime(2026, 3, 2, 14, tzinfo=UTC)
MAIN = "programs/main"
ISSUED, REDEEMED = f"{MAIN}/accounts/points-issued", f"{MAIN}/accounts/points-redeemed"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def shop(running: Running) -> Any:
    return running.stub(RewardServiceStub)


def once() -> str:
    return str(uuid4())


def redeem(reward: str, customer: str, **more: Any) -> pb.RedeemRewardRequest:
    return pb.RedeemRewardRequest(reward=reward, customer=customer, request_id=once(), **more)


def fulfill(name: str) -> pb.FulfillRedemptionRequest:
    return pb.FulfillRedemptionRequest(name=name, request_id=once())


def cancel(name: str) -> pb.CancelRedemptionRequest:
    return pb.CancelRedemptionRequest(name=name, request_id=once())


def give_back(name: str) -> pb.ReturnRedemptionRequest:
    return pb.ReturnRedemptionRequest(name=name, reason_code="damaged", request_id=once())


def state(redemption: Any) -> str:
    return value_name(redemption, "state")


async def offer(shop: Any, stock: int | None = None, **fields: Any) -> str:
    """A new reward of 100 points, of which there are so many."""
    said = {"display_name": "Cup", "unit": f"{MAIN}/units/points", "points": 100, **fields}
    reward = Reward(stocked=stock is not None, **said)
    made = await shop.CreateReward(pb.CreateRewardRequest(reward_id=f"r{uuid4().hex[:8]}", reward=reward))
    if stock:
        await shop.RestockReward(
            pb.RestockRewardRequest(name=made.name, added_count=stock, request_id=once())
        )
    return str(made.name)


async def left(shop: Any, name: str) -> int:
    return int((await shop.GetReward(pb.GetRewardRequest(name=name))).stock_count)


async def member(desk: Any, points: int) -> tuple[str, str]:
    """A new member who holds so many: their customer and their account."""
    joined = await desk.join()
    (account,) = await desk.accounts_of(joined.name)
    if points:
        await desk.ledger.PostTransfer(desk.posting(ISSUED, account.name, points))
    return joined.customer, account.name


async def facts(running: Running, name: str) -> list[str]:
    told = [each for each in await running.published() if each.resource == name]
    return [each.type.rpartition(".")[2] for each in told]


async def test_a_reward_has_versions_and_what_was_redeemed_keeps_its_own(desk: Any, shop: Any) -> None:
    cash = Money(currency_code="USD", units=5)
    name = await offer(shop, cash=cash)
    customer, _ = await member(desk, 300)
    before = await shop.RedeemReward(redeem(name, customer))
    changed = Reward(name=name, points=150, etag='"1"')
    request = pb.UpdateRewardRequest(reward=changed, update_mask={"paths": ["points", "cash"]})
    after = await shop.UpdateReward(request)
    assert (after.version, after.points, after.HasField("cash")) == (2, 150, False)
    first = await shop.GetReward(pb.GetRewardRequest(name=f"{name}/versions/1"))
    assert (first.points, first.cash) == (100, cash)
    assert (before.points, before.cash, before.reward_version) == (100, cash, 1)
    assert (await shop.RedeemReward(redeem(name, customer))).points == 150
    assert [each.name for each in (await shop.ListRewards(pb.ListRewardsRequest())).rewards] == [name]
    stale = Reward(name=name, points=1, etag='"1"')
    assert await refused(shop.UpdateReward(pb.UpdateRewardRequest(reward=stale))) == "ETAG_MISMATCH"


async def test_points_and_stock_are_set_aside_together_given_together_and_back_together(
    running: Running, desk: Any, shop: Any
) -> None:
    name = await offer(shop, 2)
    customer, account = await member(desk, 250)
    one, other = [await shop.RedeemReward(redeem(name, customer)) for _ in range(2)]
    assert (await desk.points(account), await left(shop, name)) == ([50], 0)
    done = await shop.FulfillRedemption(fulfill(one.name))
    back = await shop.CancelRedemption(cancel(other.name))
    assert (state(done), state(back)) == ("FULFILLED", "CANCELLED")
    assert (await desk.points(account, REDEEMED), await left(shop, name)) == ([150, 100], 1)
    for name_ in (one.name, other.name):
        assert await refused(shop.CancelRedemption(cancel(name_))) == "REDEMPTION_ENDED"
        assert await refused(shop.FulfillRedemption(fulfill(name_))) == "REDEMPTION_ENDED"
    assert await facts(running, one.name) == ["RewardRedeemed", "RedemptionFulfilled"]
    listed = pb.ListRedemptionsRequest(filter=f'customer = "{customer}" AND state = CANCELLED')
    assert list((await shop.ListRedemptions(listed)).redemptions) == [back]
    why = await shop.ExplainRedemption(pb.ExplainRedemptionRequest(name=one.name))
    assert f"100 points for {name}" in why.summary


@pytest.mark.alone("it counts all that there is")
async def test_the_last_of_a_reward_is_one_members(desk: Any, shop: Any) -> None:
    name = await offer(shop, 1)
    customers = [(await member(desk, 100))[0] for _ in range(12)]
    calls = [desk.insist(shop.RedeemReward, redeem(name, each)) for each in customers]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    lost = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert lost == ["OUT_OF_STOCK"] * 11
    assert await left(shop, name) == 0
    assert await desk.points(REDEEMED) == [0]


@pytest.mark.alone("it counts all that there is")
async def test_of_200_redemptions_on_a_balance_for_one_exactly_one_succeeds(desk: Any, shop: Any) -> None:
    name = await offer(shop, 500)
    customer, account = await member(desk, 100)
    calls = [desk.insist(shop.RedeemReward, redeem(name, customer)) for _ in range(200)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    lost = [each for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert {reason(each) for each in lost} == {"INSUFFICIENT_BALANCE"}
    (won,) = [each for each in outcomes if isinstance(each, Redemption)]
    assert (await desk.points(account), await left(shop, name)) == ([0], 499)
    await shop.FulfillRedemption(fulfill(won.name))
    assert await desk.points(account, REDEEMED) == [0, 100]


async def test_stock_is_never_below_nothing(desk: Any, shop: Any) -> None:
    name = await offer(shop, 3)

    async def restock(amount: int, of: str = name) -> Any:
        counts = {"added_count": max(amount, 0), "removed_count": max(-amount, 0)}
        return await shop.RestockReward(pb.RestockRewardRequest(name=of, request_id=once(), **counts))

    assert await refused(restock(-4)) == "OUT_OF_STOCK"
    assert (await restock(-3)).stock_count == 0
    customer, _ = await member(desk, 100)
    assert await refused(shop.RedeemReward(redeem(name, customer))) == "OUT_OF_STOCK"
    assert await refused(restock(1, await offer(shop))) == "NOT_STOCKED"
    assert (await restock(1)).stock_count == 1
    await shop.RedeemReward(redeem(name, customer))


async def test_what_was_handed_out_is_taken_back_once_as_its_version_lets(
    running: Running, desk: Any, shop: Any, clock: ManualClock
) -> None:
    name = await offer(shop, 3, return_policy=Reward.RETURN_POLICY_FULFILLED, return_days=14)
    customer, account = await member(desk, 200)
    one, other = [await shop.RedeemReward(redeem(name, customer)) for _ in range(2)]
    assert await refused(shop.ReturnRedemption(give_back(one.name))) == "REDEMPTION_ENDED"
    for each in (one, other):
        done = await shop.FulfillRedemption(fulfill(each.name))
    strict = Reward(name=name, return_policy=Reward.RETURN_POLICY_ONLY_PENDING)
    await shop.UpdateReward(pb.UpdateRewardRequest(reward=strict))
    calls = [desk.insist(shop.ReturnRedemption, give_back(one.name)) for _ in range(6)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    lost = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert lost == ["REDEMPTION_ENDED"] * 5
    (back,) = [each for each in outcomes if isinstance(each, Redemption)]
    assert (state(back), back.reason_code, back.return_transfer != "") == ("RETURNED", "damaged", True)
    assert (await desk.points(account, REDEEMED), await left(shop, name)) == ([100, 100], 2)
    undo = ReverseTransferRequest(name=done.transfer, reason_code="mistake", request_id=once())
    assert await refused(desk.ledger.ReverseTransfer(undo)) == "MANAGED_ACCOUNT"
    clock.advance(timedelta(days=14))
    assert await refused(shop.ReturnRedemption(give_back(other.name))) == "NOT_RETURNABLE"
    final = await offer(shop)
    last = await shop.RedeemReward(redeem(final, customer))
    await shop.FulfillRedemption(fulfill(last.name))
    assert await refused(shop.ReturnRedemption(give_back(last.name))) == "NOT_RETURNABLE"


async def test_what_nobody_hands_out_in_time_is_back_and_a_reservation_ends_with_its_redemption(
    running: Running, desk: Any, shop: Any, clock: ManualClock
) -> None:
    name = await offer(shop, 1)
    customer, account = await member(desk, 100)
    made = await shop.RedeemReward(redeem(name, customer, lifetime=Duration(seconds=3600)))
    reservations: Any = running.stub(ReservationServiceStub)
    alone = CommitReservationRequest(name=made.reservation, request_id=once())
    assert await refused(reservations.CommitReservation(alone)) == "MANAGED_ACCOUNT"
    clock.advance(timedelta(hours=1))
    assert await refused(shop.FulfillRedemption(fulfill(made.name))) == "REDEMPTION_ENDED"

    async def expired() -> bool:
        return state(await shop.GetRedemption(pb.GetRedemptionRequest(name=made.name))) == "EXPIRED"

    await eventually(expired)
    assert (await desk.points(account), await left(shop, name)) == ([100], 1)
    assert await facts(running, made.name) == ["RewardRedeemed", "RedemptionExpired"]


async def test_a_member_has_a_reward_as_often_as_they_may_within_so_many_days(
    desk: Any, shop: Any, clock: ManualClock
) -> None:
    name = await offer(shop, member_limit=1, limit_days=1)
    customer, _ = await member(desk, 1000)
    calls = [desk.insist(shop.RedeemReward, redeem(name, customer)) for _ in range(5)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    lost = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert lost == ["OVER_LIMIT"] * 4
    (had,) = [each for each in outcomes if isinstance(each, Redemption)]
    await shop.CancelRedemption(cancel(had.name))
    await shop.RedeemReward(redeem(name, customer))
    assert await refused(shop.RedeemReward(redeem(name, customer))) == "OVER_LIMIT"
    clock.advance(timedelta(days=1))
    await shop.RedeemReward(redeem(name, customer))


async def test_what_a_part_of_a_membership_redeemed_counts_for_the_whole(desk: Any, shop: Any) -> None:
    name = await offer(shop, member_limit=1, limit_days=30)
    (first, _), (second, _), (third, _) = [await member(desk, 300) for _ in range(3)]
    had = await shop.RedeemReward(redeem(name, first))
    await shop.FulfillRedemption(fulfill(had.name))
    for merged, into in ((first, second), (second, third)):
        await desk.merge(*[(await desk.membership_of(each)).name for each in (into, merged)])
    assert await refused(shop.RedeemReward(redeem(name, third))) == "OVER_LIMIT"


async def test_who_may_have_it_is_a_condition_and_when_a_time(
    desk: Any, shop: Any, clock: ManualClock
) -> None:
    gold = await offer(shop, condition="band == ValueBand.VALUE_BAND_GOLD || balance >= 500")
    poor, rich = (await member(desk, 499))[0], (await member(desk, 500))[0]
    assert await refused(shop.RedeemReward(redeem(gold, poor))) == "NOT_ELIGIBLE"
    await shop.RedeemReward(redeem(gold, rich))
    stranger = f"customers/{uuid4()}"
    assert await refused(shop.RedeemReward(redeem(gold, stranger))) == "NOT_A_MEMBER"
    assert await refused(offer(shop, condition="case.topic == 'x'")) == "INVALID_RULE"
    soon = START + timedelta(days=1)
    end = timestamp(soon + timedelta(days=1))
    spring = await offer(shop, start_time=timestamp(soon), end_time=end)
    assert await refused(shop.RedeemReward(redeem(spring, rich))) == "NOT_REDEEMABLE"
    clock.advance(timedelta(days=1))
    await shop.RedeemReward(redeem(spring, rich))
    clock.advance(timedelta(days=1))
    assert await refused(shop.RedeemReward(redeem(spring, rich))) == "NOT_REDEEMABLE"
    off = Reward(name=gold, disabled=True)
    await shop.UpdateReward(pb.UpdateRewardRequest(reward=off))
    assert await refused(shop.RedeemReward(redeem(gold, rich))) == "NOT_REDEEMABLE"


@pytest.mark.alone("it counts all that there is")
async def test_what_stands_in_the_way_is_said_as_redeeming_would(desk: Any, shop: Any) -> None:
    names = {
        await offer(shop): "",
        await offer(shop, 0): "OUT_OF_STOCK",
        await offer(shop, points=151): "INSUFFICIENT_BALANCE",
        await offer(shop, condition="balance > 1000"): "NOT_ELIGIBLE",
        await offer(shop, start_time=timestamp(START + timedelta(days=1))): "NOT_REDEEMABLE",
    }
    off = await offer(shop)
    await shop.UpdateReward(pb.UpdateRewardRequest(reward=Reward(name=off, disabled=True)))
    limited = await offer(shop, member_limit=1, limit_days=1, points=50)
    customer, _ = await member(desk, 200)
    await shop.RedeemReward(redeem(limited, customer))
    found = (await shop.CheckRewards(pb.CheckRewardsRequest(customer=customer))).checks
    assert {each.reward.name: each.reason for each in found} == names | {limited: "OVER_LIMIT"}
    assert {each.balance for each in found} == {150}
    for name, why in names.items():
        if why:
            assert await refused(shop.RedeemReward(redeem(name, customer))) == why
    stranger = await shop.CheckRewards(pb.CheckRewardsRequest(customer=f"customers/{uuid4()}"))
    assert {each.reason for each in stranger.checks} == {"NOT_A_MEMBER"}
