"""What nobody came for is posted once for each month that is over, and adds up to all that ended."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.api.messages import moment
from loyalty.store.breakage import POSTED
from rapport.loyalty.v1.ledger_service_pb2 import (
    ListTransfersRequest,
    ReportLiabilityRequest,
    ReverseTransferRequest,
)
from rapport.loyalty.v1.lot_pb2 import LotPolicy
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, refused
from rapport_testing.wait import eventually

MAIN = "programs/main"
ISSUED, EXPIRED, BREAKAGE = (f"{MAIN}/accounts/points-{kind}" for kind in ("issued", "expired", "breakage"))
START = datetime(2026, 3, 2, 14, 3, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


async def earn(desk: Any, points: int, days: int) -> str:
    """A new member earns what ends after so many days; the transfer."""
    member = await desk.join()
    account = (await desk.accounts_of(member.name))[0].name
    request = desk.posting(ISSUED, account, points)
    policy = LotPolicy(
        activation=LotPolicy.ACTIVATION_IMMEDIATE, expiry=LotPolicy.EXPIRY_AFTER_EARNING, expiry_days=days
    )
    request.transfer.legs[1].lot_policy.CopyFrom(policy)
    return str((await desk.ledger.PostTransfer(request)).name)


async def held(desk: Any) -> list[int]:
    return list(await desk.points(EXPIRED, BREAKAGE))


async def until(desk: Any, expired: int, breakage: int) -> None:
    async def is_so() -> bool:
        return await held(desk) == [expired, breakage]

    await eventually(is_so)


async def report(desk: Any) -> Any:
    asked = ReportLiabilityRequest(name=f"{MAIN}/units/points")
    told = await desk.ledger.ReportLiability(asked)
    assert told.posted_breakage + told.unposted_breakage == sum(each.expired for each in told.months)
    return told


async def test_what_ended_in_a_month_is_posted_once_when_it_is_over(
    desk: Any, running: Running, clock: ManualClock
) -> None:
    await earn(desk, 40, days=10)
    await earn(desk, 7, days=35)
    clock.advance(timedelta(days=12))
    await until(desk, 40, 0)
    assert (await report(desk)).unposted_breakage == 40
    clock.advance(datetime(2026, 4, 1, 2, tzinfo=UTC) - clock.now())
    await until(desk, 0, 40)
    clock.advance(timedelta(days=8))
    await until(desk, 7, 40)
    told = await report(desk)
    assert [(moment(each.start_time).month, each.expired, each.breakage) for each in told.months[:3]] == [
        (4, 7, 0),
        (3, 40, 40),
        (2, 0, 0),
    ]
    assert (told.unposted_breakage, told.posted_breakage) == (7, 40)
    (row,) = [
        each for each in await POSTED.all(running.db, program_id="main", unit_id="points") if each.amount
    ]
    assert (row.amount, row.start_time) == (40, datetime(2026, 3, 1, tzinfo=UTC))


async def test_what_was_posted_is_not_reversed(desk: Any, clock: ManualClock) -> None:
    await earn(desk, 5, days=1)
    clock.advance(timedelta(days=3))
    await until(desk, 5, 0)
    clock.advance(timedelta(days=30))
    await until(desk, 0, 5)
    listed = await desk.ledger.ListTransfers(ListTransfersRequest(filter=f'account = "{BREAKAGE}"'))
    (posted,) = listed.transfers
    assert posted.reason_code == "breakage"
    request = ReverseTransferRequest(name=posted.name, reason_code="mistake", request_id=str(uuid4()))
    assert await refused(desk.ledger.ReverseTransfer(request)) == "MANAGED_ACCOUNT"


async def test_months_that_were_missed_are_made_up_for(desk: Any, clock: ManualClock) -> None:
    await earn(desk, 5, days=1)
    clock.advance(timedelta(days=3))
    await until(desk, 5, 0)
    clock.advance(timedelta(days=95))
    await until(desk, 0, 5)
    assert (await report(desk)).posted_breakage == 5
