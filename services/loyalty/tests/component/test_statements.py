"""What moved an account, page by page, what it held at any time, and accounts that many move at once."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.api.messages import moment, timestamp
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.ledger_service_pb2 import (
    BatchGetAccountsRequest,
    GetAccountRequest,
    ListEntriesRequest,
    OpenAccountRequest,
)
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, reason

pytestmark = pytest.mark.together

MAIN = "programs/main"
ISSUED, REDEEMED = f"{MAIN}/accounts/points-issued", f"{MAIN}/accounts/points-redeemed"


async def pages(desk: Any, account: str, size: int, **asked: Any) -> list[Any]:
    """All pages of a statement."""
    read, token = [], ""
    while True:
        request = ListEntriesRequest(parent=account, page_size=size, page_token=token, **asked)
        read.append(await desk.ledger.ListEntries(request))
        assert len(read[-1].entries) <= size
        token = read[-1].next_page_token
        if not token:
            return read


async def lines(desk: Any, account: str, size: int = 2, **asked: Any) -> list[int]:
    return [entry.amount for page in await pages(desk, account, size, **asked) for entry in page.entries]


async def test_a_statement_has_every_entry_once_in_either_order(desk: Any) -> None:
    member = await desk.member(100)
    for points in (1, 2, 3, 4):
        await desk.ledger.PostTransfer(desk.posting(member, REDEEMED, points))
    assert await lines(desk, member, order_by="post_time") == [100, -1, -2, -3, -4]
    assert (
        await lines(desk, member)
        == await lines(desk, member, order_by="post_time desc")
        == [
            -4,
            -3,
            -2,
            -1,
            100,
        ]
    )
    first = (await pages(desk, member, 50))[0]
    assert [(entry.version, entry.balance) for entry in first.entries] == [
        (5, 90),
        (4, 94),
        (3, 97),
        (2, 99),
        (1, 100),
    ]
    assert (first.opening_balance, first.closing_balance, first.entry_count) == (0, 90, 5)


async def test_the_statement_of_a_time_says_what_was_held_before_and_after(
    desk: Any, clock: ManualClock
) -> None:
    member = await desk.member()
    times = []
    for points in (10, 20, 30, 40):
        times.append(clock.now())
        await desk.ledger.PostTransfer(desk.posting(ISSUED, member, points))
        clock.advance(timedelta(hours=1))
    span = {"start_time": timestamp(times[1]), "end_time": timestamp(times[3])}
    for page in await pages(desk, member, 1, **span):
        assert (page.opening_balance, page.closing_balance, page.entry_count) == (10, 60, 2)
    assert await lines(desk, member, order_by="post_time", **span) == [20, 30]
    assert sorted(await lines(desk, ISSUED, **span)) == [-30, -20]
    for at, held in zip([*times, times[3] + timedelta(microseconds=1)], (0, 10, 30, 60, 100), strict=True):
        for name, sign in ((member, 1), (ISSUED, -1)):
            request = GetAccountRequest(name=name, read_time=timestamp(at))
            assert (await desk.ledger.GetAccount(request)).balance == sign * held


async def test_what_an_account_was_is_told_when_it_can_change_no_more(desk: Any, clock: ManualClock) -> None:
    member = await desk.member(5)
    request = GetAccountRequest(name=member, read_time=timestamp(clock.now() - timedelta(seconds=29)))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.ledger.GetAccount(request)
    assert reason(refused.value) == "INVALID_TIME"
    clock.advance(timedelta(minutes=1))
    then = await desk.ledger.GetAccount(
        GetAccountRequest(name=member, read_time=timestamp(clock.now() - timedelta(seconds=30)))
    )
    now = await desk.ledger.GetAccount(GetAccountRequest(name=member))
    assert then == now
    assert moment(now.update_time) == clock.now() - timedelta(minutes=1)


async def test_a_time_that_ends_before_it_starts_is_refused(desk: Any, clock: ManualClock) -> None:
    now = clock.now()
    request = ListEntriesRequest(
        parent=ISSUED, start_time=timestamp(now), end_time=timestamp(now - timedelta(seconds=1))
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.ledger.ListEntries(request)
    assert reason(refused.value) == "INVALID_TIME"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.ledger.ListEntries(ListEntriesRequest(parent=ISSUED, order_by="amount"))
    assert reason(refused.value) == "INVALID_CODE"


@pytest.mark.alone("it counts all that there is")
async def test_what_everybody_moves_is_one_account_however_many_slots_it_has(
    running: Running, desk: Any
) -> None:
    members = [await desk.member() for _ in range(8)]
    for turn in range(6):  # each of them another transaction, and so most likely another slot
        await asyncio.gather(
            *(desk.insist(desk.ledger.PostTransfer, desk.posting(ISSUED, m, 1 + turn)) for m in members)
        )
    issued = await desk.ledger.GetAccount(GetAccountRequest(name=ISSUED))
    assert (issued.balance, issued.version) == (-8 * 21, 48)
    found = await lines(desk, ISSUED, 7, order_by="post_time")
    assert Counter(found) == {-points: 8 for points in range(1, 7)}
    assert found == (await lines(desk, ISSUED, 11))[::-1]
    listed = await desk.ledger.BatchGetAccounts(BatchGetAccountsRequest(parent=MAIN, names=[ISSUED]))
    assert list(listed.accounts) == [issued]


@pytest.mark.alone("it counts all that there is")
async def test_calls_that_arrive_together_are_posted_each_for_itself(running: Running, desk: Any) -> None:
    rich, poor = await desk.member(100), await desk.member(1)
    spends = [desk.insist(desk.ledger.PostTransfer, desk.posting(rich, REDEEMED, 1)) for _ in range(60)]
    fails = [desk.insist(desk.ledger.PostTransfer, desk.posting(poor, REDEEMED, 2)) for _ in range(20)]
    outcomes = await asyncio.gather(*spends, *fails, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert {reason(each) for each in refused} == {"INSUFFICIENT_BALANCE"}
    assert len(refused) == 20
    assert await desk.points(rich, poor, REDEEMED) == [40, 1, 60]


async def test_a_partner_has_an_account_that_transfers_move(desk: Any) -> None:
    request = OpenAccountRequest(
        parent=MAIN,
        unit=f"{MAIN}/units/points",
        type=Account.TYPE_PARTNER,
        owner_code="acme",
        request_id=str(uuid4()),
    )
    opened = await desk.ledger.OpenAccount(request)
    assert (opened.name, opened.owner_code) == (f"{MAIN}/accounts/points-partner-acme", "acme")
    member = await desk.member()
    await desk.ledger.PostTransfer(desk.posting(opened.name, member, 7))
    assert await desk.points(member, opened.name) == [7, -7]
    wrong = OpenAccountRequest(parent=MAIN, unit=request.unit, owner_code="x", type=Account.TYPE_ISSUED)
    long = OpenAccountRequest(parent=MAIN, unit=request.unit, owner_code="x" * 60, type=Account.TYPE_ISSUER)
    again = OpenAccountRequest(parent=MAIN, unit=request.unit, owner_code="acme", type=request.type)
    foreign = OpenAccountRequest(
        parent=MAIN, unit="programs/other/units/points", owner_code="x", type=request.type
    )
    for each, why in (
        (wrong, "INVALID_CODE"),
        (long, "TOO_LONG"),
        (again, "RESOURCE_EXISTS"),
        (foreign, "INVALID_NAME"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.ledger.OpenAccount(each)
        assert reason(refused.value) == why
