"""What nobody came for is posted once for each month that is over, and adds up to all that ended."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.money_pb2 import Money

from chassis.api.messages import moment, money
from loyalty.store.breakage import POSTED
from rapport.loyalty.v1.ledger_service_pb2 import (
    ListTransfersRequest,
    ReportLiabilityRequest,
    ReverseTransferRequest,
)
from rapport.loyalty.v1.lot_pb2 import LotPolicy
from rapport.loyalty.v1.program_pb2 import Unit, UnitValue
from rapport.loyalty.v1.program_service_pb2 import UpdateUnitRequest
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, refused
from rapport_testing.wait import eventually

from .giving import grant

pytestmark = pytest.mark.together

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


async def test_what_was_issued_in_a_month_is_what_members_got_less_what_was_taken_back(
    desk: Any, clock: ManualClock
) -> None:
    name = await earn(desk, 40, days=100)
    await earn(desk, 7, days=100)
    clock.advance(timedelta(days=35))
    await desk.goodwill.GrantGoodwill(grant(f"customers/{uuid4()}", 5))
    reverse = ReverseTransferRequest(name=name, reason_code="mistake", request_id=str(uuid4()))
    await desk.ledger.ReverseTransfer(reverse)
    told = await report(desk)
    assert [(each.issued, each.goodwill) for each in told.months[:3]] == [(5 - 40, 5), (40 + 7, 0), (0, 0)]
    assert told.outstanding == sum(each.issued - each.redeemed - each.expired for each in told.months) == 12


async def test_a_unit_that_says_what_it_is_worth_has_amounts_of_money(desk: Any) -> None:
    await earn(desk, 130, days=100)
    plain = await report(desk)
    assert not plain.HasField("owed_value")
    assert not plain.months[0].HasField("issued_value")

    async def say(currency: str, units: int, unit_count: int, nanos: int = 0) -> Any:
        value = UnitValue(
            money=Money(currency_code=currency, units=units, nanos=nanos), unit_count=unit_count
        )
        asked = UpdateUnitRequest(
            unit=Unit(name=f"{MAIN}/units/points", value=value), update_mask=FieldMask(paths=["value"])
        )
        await desk.programs.UpdateUnit(asked)
        return await report(desk)

    told = await say("EUR", 1, 100)
    assert told.owed_value == told.months[0].issued_value == money(Decimal("1.30"), "EUR")
    assert told.expected_breakage_value == told.months[0].redeemed_value == money(Decimal(0), "EUR")
    assert (await say("JPY", 1, 100)).owed_value == money(Decimal(1), "JPY")
    assert (await say("KWD", 0, 1000, nanos=5_000_000)).owed_value == money(Decimal("0.001"), "KWD")
    assert await refused(say("EUR", 0, 100)) == "INVALID_NUMBER"
    assert await refused(say("EUR", 1, 0)) in ("REQUIRED", "INVALID_NUMBER")
