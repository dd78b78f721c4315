"""Points in lots: usable when, ending when, spent from which, and given back to which."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from chassis.api.messages import day, moment
from chassis.db.schema import TIMERS
from chassis.db.statement import Statement
from loyalty.store.lots import LOTS, WRONG_LOTS
from loyalty.store.tables import ACCOUNTS
from loyalty.usecases.lots_due import LOOK, LOTS_TIMER, tell_lots
from rapport.loyalty.v1.ledger_service_pb2 import ListAccountsRequest, ReverseTransferRequest
from rapport.loyalty.v1.lot_pb2 import Lot, LotPolicy
from rapport.loyalty.v1.lot_service_pb2 import ActivateLotRequest, GetLotRequest, ListLotsRequest
from rapport.loyalty.v1.lot_service_pb2_grpc import LotServiceStub
from rapport.loyalty.v1.program_pb2 import Program, Unit
from rapport.loyalty.v1.program_service_pb2 import CreateUnitRequest, UpdateProgramRequest, UpdateUnitRequest
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, refused

pytestmark = pytest.mark.together

START = datetime(2026, 3, 2, 14, 3, tzinfo=UTC)  # a Monday
MAIN = "programs/main"
ISSUED, REDEEMED = f"{MAIN}/accounts/points-issued", f"{MAIN}/accounts/points-redeemed"
EXPIRED = f"{MAIN}/accounts/points-expired"
NOW, LATER, BY_HAND = (
    LotPolicy.ACTIVATION_IMMEDIATE,
    LotPolicy.ACTIVATION_AFTER_DAYS,
    LotPolicy.ACTIVATION_ON_ACTION,
)
EARNED, ACTIVE = LotPolicy.EXPIRY_AFTER_EARNING, LotPolicy.EXPIRY_AFTER_ACTIVITY
NEVER, FIXED = LotPolicy.EXPIRY_NEVER, LotPolicy.EXPIRY_FIXED_DATE


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


UNTOUCHED = Statement[Any](sa.delete(TIMERS).where(TIMERS.c.kind == LOTS_TIMER))
FILL = Statement[Any](
    sa.update(LOTS)
    .where(LOTS.c.account == sa.bindparam("name"))
    .values(amount=sa.bindparam("amount"), remaining=sa.bindparam("amount"), due_time=LOTS.c.ends)
)
_IDS = Statement[Any](sa.select(ACCOUNTS.c.id))


class Shop:
    """Earns and spends for one member, and looks at their lots."""

    def __init__(self, running: Running, desk: Any, clock: ManualClock, member: str) -> None:
        self.running, self.desk, self.clock, self.member = running, desk, clock, member
        self.lots: Any = running.stub(LotServiceStub)

    async def earn(self, points: int, **policy: Any) -> Any:
        request = self.desk.posting(ISSUED, self.member, points)
        if policy:
            request.transfer.legs[1].lot_policy.CopyFrom(LotPolicy(**{"activation": NOW} | policy))
        return await self.desk.ledger.PostTransfer(request)

    async def spend(self, points: int) -> Any:
        return await self.desk.ledger.PostTransfer(self.desk.posting(self.member, REDEEMED, points))

    async def undo(self, transfer: Any) -> Any:
        return await self.desk.reverse(transfer.name)

    async def open(self) -> list[Any]:
        page = await self.lots.ListLots(ListLotsRequest(parent=self.member))
        return list(page.lots)

    async def left(self) -> list[int]:
        return [lot.remaining for lot in await self.open()]

    async def holds(self) -> dict[str, int]:
        """By purpose, what is not nothing."""
        program = await self.desk.ledger.ListAccounts(ListAccountsRequest(parent=MAIN, page_size=1000))
        (own,) = [a for a in program.accounts if a.name == self.member]
        kinds = {a.type: a.balance for a in program.accounts if a.membership == own.membership}
        names = {1: "active", 5: "pending", 6: "reserved"}
        return {names[kind]: balance for kind, balance in kinds.items() if balance}

    async def days(self, count: int, hours: int = 0) -> None:
        """Let time pass, and the clock do what is due."""
        self.clock.advance(timedelta(days=count, hours=hours))
        await self.tick()

    async def tick(self) -> None:
        """Have what is due be done, by the service itself or here."""
        await self.running.fire(LOTS_TIMER)

    async def right(self) -> None:
        ids = [row["id"] for row in await _IDS.all(self.running.db)]
        assert await WRONG_LOTS.all(self.running.db, ids=ids) == []


@pytest.fixture
async def shop(running: Running, desk: Any, clock: ManualClock) -> Any:
    shop = Shop(running, desk, clock, await desk.member())
    yield shop
    await shop.right()


async def test_what_ends_first_is_spent_first_and_what_never_ends_last(shop: Any) -> None:
    await shop.earn(10)
    await shop.earn(20, expiry=EARNED, expiry_days=60)
    await shop.earn(30, expiry=FIXED, expiry_date=day(date(2026, 3, 20)))
    ends = [moment(lot.expire_time) for lot in await shop.open()]
    assert ends == [datetime(2026, 3, 21, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC)]
    await shop.spend(35)
    assert (await shop.left(), await shop.holds()) == ([15], {"active": 25})
    await shop.spend(20)
    assert (await shop.left(), await shop.holds()) == ([], {"active": 5})


async def test_what_is_earned_on_one_day_ends_together(shop: Any) -> None:
    for points in (1, 2, 3):
        await shop.earn(points, expiry=EARNED, expiry_days=30)
        shop.clock.advance(timedelta(hours=2))
    await shop.days(1)
    await shop.earn(4, expiry=EARNED, expiry_days=30)
    assert await shop.left() == [6, 4]


async def test_points_end_with_the_day_in_the_zone_of_their_program(shop: Any) -> None:
    program = Program(name=MAIN, time_zone="America/New_York")
    request = UpdateProgramRequest(program=program)
    request.update_mask.paths.append("time_zone")
    await shop.desk.programs.UpdateProgram(request)
    await shop.earn(10, expiry=EARNED, expiry_days=10)  # 2 March, 9:03 in New York
    (lot,) = await shop.open()
    assert moment(lot.expire_time) == datetime(2026, 3, 13, 4, tzinfo=UTC)  # summer time has begun
    shop.clock.advance(datetime(2026, 3, 13, 3, 59, 59, tzinfo=UTC) - shop.clock.now())
    await shop.tick()
    assert await shop.left() == [10]
    shop.clock.advance(timedelta(seconds=1))
    await tell_lots(shop.running.db)
    assert REGISTRY.get_sample_value("rapport_lots_late_seconds") == 0
    assert await refused(shop.spend(1)) == "INSUFFICIENT_BALANCE"  # before the clock has come
    shop.clock.advance(LOOK)
    await shop.tick()
    assert (await shop.left(), await shop.holds()) == ([], {})
    assert await shop.desk.points(EXPIRED) == [10]


async def test_how_late_the_clock_is_is_told(
    running: Running, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.earn(10, expiry=EARNED, expiry_days=1)
    await UNTOUCHED.run(running.db)  # nobody looks at what is due
    shop.clock.advance(timedelta(days=2))
    await tell_lots(running.db)
    late = shop.clock.now() - datetime(2026, 3, 4, tzinfo=UTC)
    assert REGISTRY.get_sample_value("rapport_lots_late_seconds") == late.total_seconds()


async def test_what_expires_is_told_and_its_lot_says_so(running: Running, shop: Any) -> None:
    await shop.earn(10, expiry=EARNED, expiry_days=1)
    (lot,) = await shop.open()
    await shop.days(2)
    told = (await running.published())[-1]
    assert (told.resource, told.data.amount, told.data.reason_code) == (shop.member, -10, "expired")
    lot = await shop.lots.GetLot(GetLotRequest(name=lot.name))
    assert (lot.state, lot.amount, lot.remaining) == (Lot.STATE_EXPIRED, 10, 0)


async def test_what_is_pending_is_usable_from_the_morning_of_its_day(shop: Any) -> None:
    posted = await shop.earn(10, activation=LATER, activation_days=3, expiry=EARNED, expiry_days=30)
    assert posted.legs[1].account != shop.member
    assert await shop.holds() == {"pending": 10}
    assert await refused(shop.spend(1)) == "INSUFFICIENT_BALANCE"
    await shop.days(2)
    assert await shop.holds() == {"pending": 10}
    await shop.days(0, hours=10)  # 5 March, just after midnight
    assert await shop.holds() == {"active": 10}
    await shop.spend(10)


async def test_what_waits_for_an_action_is_usable_after_it_and_otherwise_ends(shop: Any) -> None:
    for points in (5, 7):
        await shop.earn(points, activation=BY_HAND, expiry=EARNED, expiry_days=30)
    first, second = await shop.open()
    activate = ActivateLotRequest(name=first.name, request_id=str(uuid4()))
    assert (await shop.lots.ActivateLot(activate)).state == Lot.STATE_ACTIVE
    assert await shop.holds() == {"active": first.remaining, "pending": second.remaining}
    again = ActivateLotRequest(name=first.name, request_id=str(uuid4()))
    assert await refused(shop.lots.ActivateLot(again)) == "LOT_NOT_PENDING"
    await shop.days(31)
    assert await shop.holds() == {}
    assert await shop.desk.points(EXPIRED) == [12]


async def test_with_each_activity_what_follows_it_ends_later(shop: Any) -> None:
    await shop.earn(10, expiry=ACTIVE, expiry_days=10)
    await shop.days(8)
    await shop.spend(1)
    await shop.days(8)
    assert await shop.left() == [9]
    await shop.earn(5, expiry=ACTIVE, expiry_days=10)
    await shop.days(10)
    assert sum(await shop.left()) == 14
    await shop.days(1)
    assert await shop.holds() == {}


async def test_what_was_spent_goes_back_to_the_lots_it_came_from(shop: Any) -> None:
    await shop.earn(10, expiry=EARNED, expiry_days=10)
    await shop.earn(10, expiry=EARNED, expiry_days=20)
    await shop.earn(10)
    spent = await shop.spend(25)
    assert await shop.left() == []
    await shop.undo(spent)
    assert (await shop.left(), await shop.holds()) == ([10, 10], {"active": 30})


async def test_what_comes_back_after_its_end_has_days_of_grace(shop: Any) -> None:
    await shop.earn(10, expiry=EARNED, expiry_days=5, grace_days=7)
    await shop.earn(4, expiry=EARNED, expiry_days=90)
    spent = await shop.spend(12)
    await shop.days(10)
    await shop.undo(spent)
    ends = [(lot.remaining, moment(lot.expire_time)) for lot in await shop.open()]
    assert ends == [(10, datetime(2026, 3, 20, tzinfo=UTC)), (4, datetime(2026, 6, 1, tzinfo=UTC))]
    await shop.days(8)
    assert await shop.holds() == {"active": 4}


async def test_what_comes_back_after_its_days_of_grace_ends_at_once(shop: Any) -> None:
    """Or who sets points aside and gives that up, again and again, would keep them for ever."""
    await shop.earn(10, expiry=EARNED, expiry_days=5, grace_days=2)
    spent = await shop.spend(10)
    await shop.days(10)
    await shop.undo(spent)
    spent = await shop.spend(10)
    await shop.days(5)
    await shop.undo(spent)
    assert await refused(shop.spend(1)) == "INSUFFICIENT_BALANCE"
    await shop.days(0, hours=1)
    assert (await shop.left(), await shop.holds()) == ([], {})
    assert await shop.desk.points(EXPIRED) == [10]


async def test_what_was_earned_is_taken_from_its_lot_pending_or_not(shop: Any) -> None:
    policy = {"activation": LATER, "activation_days": 2, "expiry": EARNED, "expiry_days": 50}
    early, late = await shop.earn(10, **policy), await shop.earn(5, **policy)
    await shop.undo(early)
    assert await shop.holds() == {"pending": 5}
    await shop.days(3)
    assert await shop.holds() == {"active": 5}
    await shop.earn(3, expiry=EARNED, expiry_days=5)
    await shop.undo(late)
    assert (await shop.left(), await shop.holds()) == ([3], {"active": 3})


async def test_what_is_managed_is_moved_by_nobody_else(running: Running, shop: Any) -> None:
    earned = await shop.earn(10, activation=BY_HAND, expiry=NEVER)
    pending = earned.legs[1].account
    assert (
        await refused(shop.desk.ledger.PostTransfer(shop.desk.posting(pending, REDEEMED, 1)))
        == "MANAGED_ACCOUNT"
    )
    (lot,) = await shop.open()
    assert not lot.HasField("expire_time")
    await shop.lots.ActivateLot(ActivateLotRequest(name=lot.name, request_id=str(uuid4())))
    made = [f for f in await running.published() if f.type.endswith("TransferPosted")][-1].data
    request = ReverseTransferRequest(name=made.transfer, reason_code="x", request_id=str(uuid4()))
    assert await refused(shop.desk.ledger.ReverseTransfer(request)) == "MANAGED_ACCOUNT"


async def test_a_policy_that_contradicts_itself_is_refused(shop: Any) -> None:
    for policy in (
        {"expiry": EARNED},
        {"expiry": NEVER, "expiry_days": 3},
        {"expiry": FIXED},
        {"expiry": NEVER, "expiry_date": day(date(2026, 5, 1))},
        {"expiry": NEVER, "activation_days": 1},
        {"expiry": NEVER, "activation": LATER},
        {"expiry": EARNED, "expiry_days": 2, "activation": LATER, "activation_days": 3},
    ):
        assert await refused(shop.earn(1, **policy)) in ("INVALID_NUMBER", "INVALID_TIME"), policy
    passed = {"expiry": FIXED, "expiry_date": day(date(2026, 3, 1))}
    assert await refused(shop.earn(1, **passed)) == "EXPIRY_PASSED"


async def test_the_policy_of_a_unit_is_that_of_what_is_earned_in_it(shop: Any) -> None:
    policy = LotPolicy(activation=NOW, expiry=EARNED, expiry_days=365)
    unit = Unit(name=f"{MAIN}/units/points", lot_policy=policy)
    changed = await shop.desk.programs.UpdateUnit(UpdateUnitRequest(unit=unit))
    assert changed.lot_policy == policy
    await shop.earn(10)
    (lot,) = await shop.open()
    assert moment(lot.expire_time) == datetime(2027, 3, 3, tzinfo=UTC)
    wrong = Unit(display_name="Stars", lot_policy=LotPolicy(activation=NOW, expiry=EARNED))
    request = CreateUnitRequest(parent=MAIN, unit_id="stars", unit=wrong)
    assert await refused(shop.desk.programs.CreateUnit(request)) == "INVALID_NUMBER"


async def test_each_lot_expires_once_however_many_see_to_it(
    running: Running, desk: Any, clock: ManualClock
) -> None:
    shops = [Shop(running, desk, clock, await desk.member()) for _ in range(12)]
    for shop in shops:
        await shop.earn(5, expiry=EARNED, expiry_days=1)
    clock.advance(timedelta(days=3))
    await asyncio.gather(*(shop.tick() for shop in shops[:4]))
    for shop in shops:
        await shop.tick()
        assert await shop.holds() == {}
    assert await desk.points(EXPIRED) == [60]


@pytest.mark.parametrize("spent", [3, 10])
async def test_of_a_lot_that_holds_more_than_there_is_what_there_is_ends(
    running: Running, desk: Any, shop: Any, spent: int
) -> None:
    """As after a release that spent and knew of no lots."""
    await shop.earn(10, expiry=EARNED, expiry_days=1)
    (lot,) = await shop.open()
    await shop.spend(spent)
    await FILL.run(running.db, name=shop.member, amount=10)
    other = Shop(running, desk, shop.clock, await desk.member())
    await other.earn(5, expiry=EARNED, expiry_days=1)
    await shop.days(3)
    assert (await shop.left(), await shop.holds(), await other.holds()) == ([], {}, {})
    assert await desk.points(EXPIRED) == [10 - spent + 5]
    assert (await shop.lots.GetLot(GetLotRequest(name=lot.name))).state == Lot.STATE_EXPIRED


async def test_a_lot_that_cannot_be_seen_to_keeps_no_other_waiting(
    running: Running, desk: Any, shop: Any
) -> None:
    shops = [Shop(running, desk, shop.clock, await desk.member()) for _ in range(8)]  # in every shard some
    for each in shops:
        await each.earn(5, activation=BY_HAND, expiry=EARNED, expiry_days=1)
    broken = shops[0]
    await FILL.run(running.db, name=broken.member, amount=6)
    await shop.days(3)
    assert [await each.holds() for each in shops] == [{"pending": 5}, *[{}] * 7]
    await FILL.run(running.db, name=broken.member, amount=5)
    await shop.days(1)
    assert await broken.holds() == {}
