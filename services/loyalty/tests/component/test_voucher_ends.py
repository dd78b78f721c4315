"""What vouchers are given for, and what becomes of that when they end."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.type.date_pb2 import Date

from chassis.api.messages import value_name
from loyalty.usecases.voucher_ends import ENDING, tell_vouchers
from rapport.loyalty.v1 import reward_service_pb2 as reward_pb
from rapport.loyalty.v1 import voucher_service_pb2 as pb
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, Points
from rapport.loyalty.v1.goodwill_service_pb2 import (
    GetGoodwillRequest,
    GrantGoodwillRequest,
    ReportGoodwillCostsRequest,
)
from rapport.loyalty.v1.ledger_service_pb2 import ReverseTransferRequest
from rapport.loyalty.v1.reward_service_pb2_grpc import RewardServiceStub
from rapport.loyalty.v1.voucher_service_pb2_grpc import VoucherServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, reason, refused
from rapport_testing.wait import eventually

from .vouchers import (
    MAIN,
    START,
    campaign,
    cancel,
    facts,
    granted,
    may_give_vouchers,
    once,
    outcome,
    redeemed,
    state,
    undo,
    usd,
    use,
)

pytestmark = pytest.mark.together

REDEEMED = f"{MAIN}/accounts/points-redeemed"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def till(running: Running) -> Any:
    return running.stub(VoucherServiceStub)


@pytest.fixture
async def shop(running: Running) -> Any:
    return running.stub(RewardServiceStub)


def issue(**source: str) -> pb.IssueVoucherRequest:
    return pb.IssueVoucherRequest(request_id=once(), **source)


async def goodwill_state(desk: Any, name: str) -> str:
    return value_name(await desk.goodwill.GetGoodwill(GetGoodwillRequest(name=name)), "state")


async def costs(desk: Any) -> list[Any]:
    month = Date(year=2026, month=3, day=1)
    request = ReportGoodwillCostsRequest(first_month=month, month_count=12)
    return [each.money for each in (await desk.goodwill.ReportGoodwillCosts(request)).costs]


async def test_a_redemption_has_one_voucher_and_is_handed_out_by_it(desk: Any, shop: Any, till: Any) -> None:
    redemption = await redeemed(desk, shop)
    calls = [desk.insist(till.IssueVoucher, issue(redemption=redemption.name)) for _ in range(6)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    lost = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert lost == ["VOUCHER_ISSUED"] * 5
    (issued,) = [each for each in outcomes if isinstance(each, pb.IssuedVoucher)]
    assert (issued.voucher.money, issued.voucher.end_date) == (usd(10), Date(year=2026, month=4, day=1))
    assert issued.voucher.customer == redemption.customer
    held = await shop.GetRedemption(reward_pb.GetRedemptionRequest(name=redemption.name))
    assert (value_name(held, "state"), await desk.points(REDEEMED)) == ("FULFILLED", [100])


async def test_what_is_no_voucher_has_none_and_what_was_given_up_has_none_either(
    desk: Any, shop: Any, till: Any, running: Running
) -> None:
    redemption = await redeemed(desk, shop)
    request = reward_pb.CancelRedemptionRequest(name=redemption.name, request_id=once())
    await shop.CancelRedemption(request)
    assert await refused(till.IssueVoucher(issue(redemption=redemption.name))) == "REDEMPTION_ENDED"
    sorry = Goodwill(customer=redemption.customer, points=Points(amount=5), reason_code="sorry")
    points = await desk.goodwill.GrantGoodwill(GrantGoodwillRequest(goodwill=sorry, request_id=once()))
    assert await refused(till.IssueVoucher(issue(goodwill=points.name))) == "NO_VOUCHER"
    assert await refused(till.IssueVoucher(issue())) == "REQUIRED"


@pytest.mark.alone("it counts all that there is")
async def test_points_come_back_for_a_voucher_that_was_not_used_and_it_is_worth_nothing_then(
    desk: Any, shop: Any, till: Any, running: Running
) -> None:
    redemption = await redeemed(desk, shop)
    issued = await till.IssueVoucher(issue(redemption=redemption.name))
    used = (await till.UseVoucher(use(issued.code, customer=redemption.customer))).use

    def back() -> Any:
        said = {"name": redemption.name, "reason_code": "changed-mind"}
        return shop.ReturnRedemption(reward_pb.ReturnRedemptionRequest(request_id=once(), **said))

    assert await refused(back()) == "VOUCHER_USED"
    await till.ReverseVoucherUse(undo(used.name))
    await back()
    assert outcome(await till.UseVoucher(use(issued.code, customer=redemption.customer))) == "CANCELLED"
    assert await desk.points(redemption.account, REDEEMED) == [100, 0]
    assert (await facts(running, issued.voucher.name))[-1] == "VoucherCancelled"


async def test_of_a_use_and_a_return_of_the_points_one_happens(desk: Any, shop: Any, till: Any) -> None:
    for _ in range(5):
        redemption = await redeemed(desk, shop)
        issued = await till.IssueVoucher(issue(redemption=redemption.name))
        said = {"name": redemption.name, "reason_code": "changed-mind", "request_id": once()}
        back = desk.insist(shop.ReturnRedemption, reward_pb.ReturnRedemptionRequest(**said))
        used = desk.insist(till.UseVoucher, use(issued.code, customer=redemption.customer))
        returned, answer = await asyncio.gather(back, used, return_exceptions=True)
        was_returned = not isinstance(returned, BaseException)
        assert outcome(answer) == ("CANCELLED" if was_returned else "OK")


async def test_goodwill_that_is_a_voucher_and_ends_unused_has_cost_nothing(
    running: Running, desk: Any, till: Any, clock: ManualClock
) -> None:
    await may_give_vouchers(running, desk)
    one, other, third = [await granted(desk) for _ in range(3)]
    issued = [await till.IssueVoucher(issue(goodwill=each.name)) for each in (one, other, third)]
    assert (issued[0].voucher.money, issued[0].voucher.customer) == (usd(20), one.customer)
    assert await refused(till.IssueVoucher(issue(goodwill=one.name))) == "VOUCHER_ISSUED"
    assert await costs(desk) == [usd(60)]
    assert outcome(await till.UseVoucher(use(issued[0].code, customer=one.customer))) == "OK"
    await till.CancelVoucher(cancel(issued[1].voucher.name))
    assert (await costs(desk), await goodwill_state(desk, other.name)) == ([usd(40)], "REVERSED")
    clock.advance(timedelta(days=366))

    async def is_over() -> bool:
        held = await till.GetVoucher(pb.GetVoucherRequest(name=issued[2].voucher.name))
        return state(held) == "EXPIRED"

    await eventually(is_over)
    assert await goodwill_state(desk, third.name) == "REVERSED"
    assert await goodwill_state(desk, one.name) == "GRANTED"
    assert await facts(running, issued[2].voucher.name) == ["VoucherIssued", "VoucherExpired"]


async def test_a_grant_is_reversed_with_its_voucher_unless_that_was_used(
    running: Running, desk: Any, till: Any
) -> None:
    await may_give_vouchers(running, desk)
    one, other = [await granted(desk, "repair-7") for _ in range(2)]
    issued = [await till.IssueVoucher(issue(goodwill=each.name)) for each in (one, other)]
    assert issued[0].voucher.item == "repair-7"
    await till.UseVoucher(use(issued[0].code, customer=one.customer))

    def back(grant: Any) -> Any:
        said = {"name": grant.transfer, "reason_code": "mistake", "request_id": once()}
        return desk.ledger.ReverseTransfer(ReverseTransferRequest(**said))

    assert await refused(back(one)) == "VOUCHER_USED"
    await back(other)
    assert outcome(await till.UseVoucher(use(issued[1].code, customer=other.customer))) == "CANCELLED"
    assert await refused(till.IssueVoucher(issue(goodwill=other.name))) == "NO_VOUCHER"


async def test_the_clock_ends_what_nobody_used_and_how_many_will_is_a_metric(
    running: Running, till: Any, clock: ManualClock
) -> None:
    days = [Date(year=2026, month=3, day=each) for each in (4, 20)]
    made = [(await till.BatchIssueVouchers(campaign(120, end_date=day))).issued for day in days]
    await tell_vouchers(running.db)
    assert ENDING._value.get() == 120
    clock.advance(timedelta(days=3))

    async def counted() -> list[int]:
        states = []
        for wanted in ("EXPIRED", "ACTIVE"):
            request = pb.ListVouchersRequest(
                filter=f'campaign = "spring" AND state = {wanted}', page_size=1000
            )
            states.append(len((await till.ListVouchers(request)).vouchers))
        return states

    async def ended() -> bool:
        return await counted() == [120, 120]

    await eventually(ended)
    assert await facts(running, made[0][0].voucher.name) == ["VoucherIssued", "VoucherExpired"]
