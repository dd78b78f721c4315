"""Vouchers: said once, used as often as they can be and by whom they may be, and given back once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
import sqlalchemy as sa
from google.type.date_pb2 import Date

from chassis.api.messages import timestamp
from chassis.db.schema import IDEMPOTENCY
from chassis.db.statement import Statement
from loyalty.domain.voucher_code import new_code
from loyalty.store.vouchers import USES
from rapport.loyalty.v1 import voucher_service_pb2 as pb
from rapport.loyalty.v1.ledger_service_pb2 import ReportLiabilityRequest
from rapport.loyalty.v1.membership_service_pb2 import MergeMembershipsRequest, UnmergeMembershipRequest
from rapport.loyalty.v1.reward_service_pb2_grpc import RewardServiceStub
from rapport.loyalty.v1.voucher_service_pb2_grpc import VoucherServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, reason, refused

from .vouchers import START, campaign, cancel, facts, once, outcome, redeemed, state, undo, usd, use

pytestmark = pytest.mark.together

STORED = Statement[Any](sa.select(IDEMPOTENCY.c.response))
USED = Statement[Any](sa.select(sa.func.count().label("count")).select_from(USES))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def till(running: Running) -> Any:
    return running.stub(VoucherServiceStub)


@pytest.fixture
async def shop(running: Running) -> Any:
    return running.stub(RewardServiceStub)


async def issue(till: Any, **fields: Any) -> pb.IssuedVoucher:
    """One voucher, by default of 10 USD for whoever bears it."""
    issued: pb.IssuedVoucher
    (issued,) = (await till.BatchIssueVouchers(campaign(**fields))).issued
    return issued


def check(code: str, customer: str = "") -> pb.ValidateVoucherRequest:
    return pb.ValidateVoucherRequest(code=code, customer=customer)


async def get(till: Any, name: str) -> Any:
    return await till.GetVoucher(pb.GetVoucherRequest(name=name))


async def test_a_code_is_said_once_and_kept_nowhere(running: Running, till: Any) -> None:
    request = campaign(3)
    first = [each.code for each in (await till.BatchIssueVouchers(request)).issued]
    again = (await till.BatchIssueVouchers(request)).issued
    assert len(set(first)) == 3
    assert [(each.code, each.voucher.name != "") for each in again] == [("", True)] * 3
    (name, old) = (again[0].voucher.name, first[0])
    replace = pb.ReplaceVoucherCodeRequest(name=name, request_id=once())
    new = (await till.ReplaceVoucherCode(replace)).code
    assert (await till.ReplaceVoucherCode(replace)).code == ""
    assert [outcome(await till.ValidateVoucher(check(each))) for each in (old, new)] == ["UNKNOWN", "OK"]
    stored = b"".join(row["response"] for row in await STORED.all(running.db))
    assert [code for code in (*first, new) if code.encode() in stored] == []
    assert await facts(running, name) == ["VoucherIssued", "VoucherCodeReplaced"]


async def test_the_front_line_says_no_other_code_of_what_is_for_whoever_bears_it(
    running: Running, till: Any
) -> None:
    agent: Any = running.stub(VoucherServiceStub, permissions=["loyalty.vouchers.issue"])
    theirs, anybodys = await issue(till, customer=f"customers/{uuid4()}"), await issue(till)

    def replace(issued: Any) -> Any:
        request = pb.ReplaceVoucherCodeRequest(name=issued.voucher.name, request_id=once())
        return agent.ReplaceVoucherCode(request)

    assert (await replace(theirs)).code
    assert await refused(replace(anybodys)) == "PERMISSION_DENIED"


async def test_of_200_parallel_uses_of_one_code_one_succeeds(desk: Any, till: Any) -> None:
    issued = await issue(till)
    calls = [desk.insist(till.UseVoucher, use(issued.code)) for _ in range(200)]
    outcomes = [outcome(each) for each in await asyncio.gather(*calls)]
    assert (outcomes.count("OK"), outcomes.count("USED")) == (1, 199)
    held = await get(till, issued.voucher.name)
    assert (state(held), held.used_count, held.remaining_money) == ("USED", 1, usd(0))


async def test_a_voucher_for_three_uses_is_used_three_times_however_many_try(desk: Any, till: Any) -> None:
    issued = await issue(till, percent_off=20, max_uses=3)
    calls = [desk.insist(till.UseVoucher, use(issued.code)) for _ in range(30)]
    outcomes = [outcome(each) for each in await asyncio.gather(*calls)]
    assert (outcomes.count("OK"), outcomes.count("USED")) == (3, 27)
    request = pb.ListVoucherUsesRequest(parent=issued.voucher.name)
    assert len((await till.ListVoucherUses(request)).uses) == 3


@pytest.mark.alone("all there is is counted")
async def test_a_use_that_is_sent_again_is_one_use(running: Running, till: Any) -> None:
    request = use((await issue(till, max_uses=5)).code)
    first, second = [await till.UseVoucher(request) for _ in range(2)]
    assert first == second
    assert [row["count"] for row in await USED.all(running.db)] == [1]


async def test_a_gift_card_is_used_in_parts_until_nothing_is_left(running: Running, till: Any) -> None:
    issued = await issue(till, money=usd(100), in_parts=True)
    first = await till.UseVoucher(use(issued.code, money=usd(60)))
    assert (first.use.money, first.voucher.remaining_money) == (usd(60), usd(40))
    assert outcome(await till.UseVoucher(use(issued.code, money=usd(41)))) == "TOO_LITTLE"
    assert state((await till.UseVoucher(use(issued.code))).voucher) == "USED"
    back = await till.ReverseVoucherUse(undo(first.use.name))
    assert (back.reverses, back.money) == (first.use.name, usd(-60))
    held = await get(till, issued.voucher.name)
    assert (state(held), held.remaining_money) == ("ACTIVE", usd(60))
    told = ["VoucherIssued", "VoucherUsed", "VoucherUsed", "VoucherUseReversed"]
    assert await facts(running, issued.voucher.name) == told


async def test_a_use_is_reversed_once_whoever_tries(desk: Any, till: Any) -> None:
    issued = await issue(till, max_uses=2)
    used = (await till.UseVoucher(use(issued.code))).use
    calls = [desk.insist(till.ReverseVoucherUse, undo(used.name)) for _ in range(10)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    lost = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert lost == ["ALREADY_REVERSED"] * 9
    (back,) = [each for each in outcomes if not isinstance(each, BaseException)]
    assert await refused(till.ReverseVoucherUse(undo(back.name))) == "IS_REVERSAL"
    assert (await get(till, issued.voucher.name)).used_count == 0


async def test_it_is_worth_something_on_its_days_in_the_zone_of_its_program(
    running: Running, till: Any, clock: ManualClock
) -> None:
    first, last = Date(year=2026, month=3, day=3), Date(year=2026, month=3, day=4)
    issued = await issue(till, start_date=first, end_date=last)
    assert issued.voucher.expire_time == timestamp(START.replace(day=5, hour=0))
    assert outcome(await till.ValidateVoucher(check(issued.code))) == "NOT_YET_VALID"
    clock.advance(timedelta(hours=10))
    assert outcome(await till.ValidateVoucher(check(issued.code))) == "OK"
    clock.advance(timedelta(days=2))
    assert outcome(await till.UseVoucher(use(issued.code))) == "EXPIRED"
    assert await refused(till.CancelVoucher(cancel(issued.voucher.name))) == "VOUCHER_ENDED"
    assert await refused(issue(till, end_date=last)) == "INVALID_TIME"


async def test_what_was_cancelled_is_worth_nothing_and_a_use_of_it_can_be_given_back(till: Any) -> None:
    issued = await issue(till, max_uses=2)
    used = (await till.UseVoucher(use(issued.code))).use
    assert state(await till.CancelVoucher(cancel(issued.voucher.name))) == "CANCELLED"
    assert outcome(await till.UseVoucher(use(issued.code))) == "CANCELLED"
    replace = pb.ReplaceVoucherCodeRequest(name=issued.voucher.name, request_id=once())
    assert await refused(till.ReplaceVoucherCode(replace)) == "VOUCHER_ENDED"
    await till.ReverseVoucherUse(undo(used.name))
    held = await get(till, issued.voucher.name)
    assert (state(held), held.used_count, held.reason_code) == ("CANCELLED", 0, "mistake")


async def test_another_customer_has_nothing_of_it_and_five_tries_a_day(
    running: Running, till: Any, clock: ManualClock
) -> None:
    owner, other = f"customers/{uuid4()}", f"customers/{uuid4()}"
    issued = await issue(till, customer=owner)
    answers = [await till.UseVoucher(use(issued.code, customer=other)) for _ in range(5)]
    assert [each.tries_left for each in answers] == [4, 3, 2, 1, 0]
    assert {outcome(each) for each in answers} == {"WRONG_HOLDER"}
    assert [each.HasField("voucher") for each in answers] == [False] * 5
    assert await refused(till.UseVoucher(use(issued.code, customer=other))) == "TOO_MANY_TRIES"
    assert outcome(await till.ValidateVoucher(check(issued.code))) == "WRONG_HOLDER"
    slips = [await till.ValidateVoucher(check("0000-0000-0000-0000-1", owner)) for _ in range(6)]
    assert {(outcome(each), each.tries_left) for each in slips} == {("UNKNOWN", 5)}
    guess = await till.ValidateVoucher(check(new_code(), owner))
    assert (outcome(guess), guess.tries_left) == ("UNKNOWN", 4)
    assert outcome(await till.UseVoucher(use(issued.code, customer=owner))) == "OK"
    clock.advance(timedelta(days=1))
    assert outcome(await till.ValidateVoucher(check(issued.code, other))) == "WRONG_HOLDER"


async def test_whoever_belongs_to_the_membership_uses_what_was_for_points_also_after_a_merge(
    desk: Any, till: Any, shop: Any
) -> None:
    redemption = await redeemed(desk, shop)
    issued = await till.IssueVoucher(pb.IssueVoucherRequest(redemption=redemption.name, request_id=once()))
    mine, other = await desk.membership_of(redemption.customer), await desk.join()
    assert issued.voucher.membership == mine.name
    assert outcome(await till.ValidateVoucher(check(issued.code, other.customer))) == "WRONG_HOLDER"
    merge = MergeMembershipsRequest(
        name=other.name, merged_membership=mine.name, reason_code="household", request_id=once()
    )
    await desk.memberships.MergeMemberships(merge)
    assert outcome(await till.ValidateVoucher(check(issued.code, other.customer))) == "OK"
    apart = UnmergeMembershipRequest(name=mine.name, reason_code="mistake", request_id=once())
    await desk.memberships.UnmergeMembership(apart)
    seen = [outcome(await till.ValidateVoucher(check(issued.code, of.customer))) for of in (mine, other)]
    assert seen == ["OK", "WRONG_HOLDER"]


@pytest.mark.alone("all there is is counted")
async def test_what_is_owed_on_vouchers_is_in_the_report_of_what_a_program_owes(desk: Any, till: Any) -> None:
    card = await issue(till, money=usd(100), in_parts=True)
    await till.UseVoucher(use(card.code, money=usd(30)))
    await till.BatchIssueVouchers(campaign(2, money=usd(10), max_uses=3))
    await till.BatchIssueVouchers(campaign(4, percent_off=10))
    await till.CancelVoucher(cancel((await issue(till)).voucher.name))
    request = ReportLiabilityRequest(name="programs/main/units/points")
    owed = (await desk.ledger.ReportLiability(request)).vouchers
    assert [(each.count, each.money) for each in owed if each.HasField("money")] == [(3, usd(130))]
    assert [each.count for each in owed if not each.HasField("money")] == [4]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"money": usd(1), "percent_off": 5}, "voucher.money"),
        ({"percent_off": 5, "in_parts": True}, "voucher.in_parts"),
        ({"in_parts": True, "max_uses": 2}, "voucher.in_parts"),
        ({"campaign": ""}, "voucher.campaign"),
        ({"money": usd(0)}, "voucher.money"),
    ],
)
async def test_a_voucher_that_cannot_be_is_refused(till: Any, fields: Any, field: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await issue(till, **fields)
    assert field in str(error.value.details())
