"""That points will end is told in time, once, with every day on which some do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.api.messages import moment
from loyalty.usecases.expiry_notices import EXPIRY_NOTICE_TIMER, LOOK
from loyalty.usecases.lots_due import LOTS_TIMER
from rapport.loyalty.v1.lot_pb2 import LotPolicy
from rapport.loyalty.v1.loyalty_events_pb2 import PointsExpiring
from rapport.loyalty.v1.program_pb2 import Program
from rapport.loyalty.v1.program_service_pb2 import UpdateProgramRequest
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running

pytestmark = pytest.mark.together

START = datetime(2026, 3, 2, 14, 3, tzinfo=UTC)
MAIN = "programs/main"
ISSUED, REDEEMED = f"{MAIN}/accounts/points-issued", f"{MAIN}/accounts/points-redeemed"
EARNED, ACTIVE = LotPolicy.EXPIRY_AFTER_EARNING, LotPolicy.EXPIRY_AFTER_ACTIVITY


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


class Saver:
    """A member of a program that tells of the end of points 14 days before."""

    def __init__(self, running: Running, desk: Any, clock: ManualClock) -> None:
        self.running, self.desk, self.clock = running, desk, clock

    async def begin(self) -> "Saver":
        request = UpdateProgramRequest(program=Program(name=MAIN, expiry_notice_days=14))
        await self.desk.programs.UpdateProgram(request)
        self.account = await self.desk.member()
        return self

    async def earn(self, points: int, days: int, expiry: int = EARNED) -> None:
        request = self.desk.posting(ISSUED, self.account, points)
        policy = LotPolicy(activation=LotPolicy.ACTIVATION_IMMEDIATE, expiry=expiry, expiry_days=days)
        request.transfer.legs[1].lot_policy.CopyFrom(policy)
        await self.desk.ledger.PostTransfer(request)

    async def days(self, count: int) -> None:
        self.clock.advance(timedelta(days=count) + LOOK)
        await self.running.fire(EXPIRY_NOTICE_TIMER, LOTS_TIMER)

    async def told(self) -> list[list[tuple[int, int]]]:
        """Of each time it was told, on which days counted from the first how many end."""
        facts = [each.data for each in await self.running.published()]
        return [
            [((moment(each.expire_time) - START).days, each.amount) for each in fact.ends]
            for fact in facts
            if isinstance(fact, PointsExpiring)
        ]


@pytest.fixture
async def saver(running: Running, desk: Any, clock: ManualClock) -> Saver:
    return await Saver(running, desk, clock).begin()


async def test_that_points_will_end_is_told_once_with_every_day(saver: Saver) -> None:
    await saver.earn(10, 30)
    await saver.earn(20, 60)
    await saver.earn(5, 400)
    await saver.days(10)
    assert await saver.told() == []
    await saver.days(8)
    await saver.days(1)
    assert await saver.told() == [[(30, 10), (60, 20), (400, 5)]]
    await saver.days(30)
    assert await saver.told() == [[(30, 10), (60, 20), (400, 5)], [(60, 20), (400, 5)]]


async def test_what_is_spent_in_time_is_not_told_of(saver: Saver) -> None:
    await saver.earn(10, 30)
    await saver.desk.ledger.PostTransfer(saver.desk.posting(saver.account, REDEEMED, 10))
    await saver.days(28)
    assert await saver.told() == []


async def test_what_ends_later_by_what_the_member_did_is_told_of_again(saver: Saver) -> None:
    await saver.earn(10, 30, ACTIVE)
    await saver.days(20)
    assert await saver.told() == [[(30, 10)]]
    await saver.desk.ledger.PostTransfer(saver.desk.posting(saver.account, REDEEMED, 1))
    await saver.days(10)
    assert len(await saver.told()) == 1
    await saver.days(10)
    assert await saver.told() == [[(30, 10)], [(50, 9)]]
