"""What rules give where caps, coupons, refunds or the end of points leave less than they say."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from prometheus_client import REGISTRY

from chassis.api.messages import money
from rapport.loyalty.v1.earning_rule_pb2 import EarningRule
from rapport.loyalty.v1.earning_service_pb2 import EvaluatePurchaseRequest
from rapport.loyalty.v1.membership_service_pb2 import MergeMembershipsRequest
from rapport.loyalty.v1.program_pb2 import Unit
from rapport.loyalty.v1.program_service_pb2 import CreateUnitRequest, UpdateUnitRequest
from rapport.loyalty.v1.purchase_service_pb2 import BatchRecordPurchasesRequest, RecordPurchaseRequest
from rapport_testing.clock import ManualClock

from .earning import by_line, earning_of, held, in_force
from .test_earning import imported
from .test_purchase_lines import basket, give_back, line, record

STARS = "programs/main/units/stars"


def ever(points: int) -> list[EarningRule.Cap]:
    return [EarningRule.Cap(points=points, holder="HOLDER_EVERYBODY")]


async def test_what_a_capped_rule_leaves_to_another_is_counted_by_the_caps_of_that(desk: Any) -> None:
    await in_force(desk, "first", position=1, exclusive_group="one", caps=ever(10))
    await in_force(desk, "second", position=2, exclusive_group="one", caps=ever(15))
    bought = [await record(desk, basket(line("a", "1", "10"))) for _ in range(4)]
    points = [[by_line(each) for each in (await earning_of(desk, one)).awards] for one in bought]
    assert points == [[[10], [0]], [[0], [10]], [[0], [5]], [[0], [0]]]


async def test_what_a_capped_rule_leaves_to_another_may_be_of_another_unit(desk: Any) -> None:
    await desk.programs.CreateUnit(
        CreateUnitRequest(parent="programs/main", unit_id="stars", unit=Unit(display_name="Stars"))
    )
    await in_force(desk, "first", position=1, exclusive_group="one", caps=ever(10))
    await in_force(desk, "second", position=2, exclusive_group="one", unit=STARS)
    somebody = f"customers/{uuid4()}"
    for _ in range(2):
        await record(desk, basket(line("a", "1", "10"), customer=somebody))
    accounts = await desk.accounts_of((await desk.membership_of(somebody)).name)
    assert {each.unit.rpartition("/")[2]: each.balance for each in accounts} == {"points": 10, "stars": 10}


async def test_a_refund_of_all_that_its_source_takes_back_is_earned_again(desk: Any) -> None:
    await in_force(desk)
    sent = basket(line("a", "1", "10"))
    for back, left in (("0", 10), ("10", 0), ("4", 6)):
        sent.refunded_amount.CopyFrom(money(Decimal(back), "USD"))
        await imported(desk, sent)
        assert await held(desk, sent.customer) == {"MEMBERSHIP": left}


async def test_a_return_takes_no_more_than_was_earned_and_a_coupon_gives_none(desk: Any) -> None:
    await in_force(desk, fixed_points=50, basis=EarningRule.BASIS_PURCHASE)
    bought = await record(desk, basket(line("jacket", "1", "100"), line("coupon", "1", "-90")))
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 50}
    await give_back(desk, bought, line2="1")
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 50}
    other = await record(desk, basket(line("jacket", "1", "100"), line("coupon", "1", "-90")))
    for each in ("line1", "line2"):
        await give_back(desk, other, **{each: "1"})
        assert await held(desk, other.customer) == {"MEMBERSHIP": 0}


async def test_what_is_brought_back_of_a_purchase_nobody_knows_earns_nothing(desk: Any) -> None:
    await in_force(desk, "visit", fixed_points=50, basis=EarningRule.BASIS_PURCHASE)
    await in_force(desk, "line", fixed_points=5)
    bought = await record(desk, basket(line("bottle", "-1", "-0.25")))
    assert await held(desk, bought.customer) == {}


async def test_after_the_day_on_which_points_end_purchases_are_recorded_and_earn_nothing(
    desk: Any, clock: ManualClock
) -> None:
    today = clock.now().date()
    ends = {
        "activation": "ACTIVATION_IMMEDIATE",
        "expiry": "EXPIRY_FIXED_DATE",
        "expiry_date": {"year": today.year, "month": today.month, "day": today.day},
    }
    points = Unit(name="programs/main/units/points", lot_policy=ends)
    await desk.programs.UpdateUnit(UpdateUnitRequest(unit=points))
    await in_force(desk)
    before = await imported(desk, basket(line("a", "1", "10")))
    assert await held(desk, before.customer) == {"MEMBERSHIP": 10}
    clock.advance(timedelta(days=2))
    after = await record(desk, basket(line("a", "1", "10")))
    assert await held(desk, after.customer) == {}
    corrected = await imported(desk, basket(line("a", "1", "12"), customer=before.customer))
    assert corrected.amount == money(Decimal(12), "USD")


async def test_what_is_corrected_beside_what_gives_some_of_it_back_is_reckoned_anew(desk: Any) -> None:
    await in_force(desk)
    bought = await imported(desk, basket(line("a", "2", "10")))
    back = basket(line("a", "-1", "-5", returned_line=1), customer=bought.customer)
    back.returned_purchase = bought.name
    now = basket(line("a", "2", "20"), line("b", "1", "3"), customer=bought.customer)
    rows = [
        RecordPurchaseRequest(purchase=back, import_key="till:2"),
        RecordPurchaseRequest(purchase=now, import_key="till:1"),
    ]
    request = BatchRecordPurchasesRequest(requests=rows, request_id=str(uuid4()))
    await desk.purchases.BatchRecordPurchases(request)
    assert await held(desk, bought.customer) == {"MEMBERSHIP": 18}


async def test_what_is_recorded_is_evaluated_without_what_it_has_taken_itself(desk: Any) -> None:
    caps = [
        EarningRule.Cap(points=100, holder="HOLDER_MEMBER"),
        EarningRule.Cap(points=150, holder="HOLDER_EVERYBODY"),
    ]
    await in_force(desk, caps=caps)
    somebody, another = f"customers/{uuid4()}", f"customers/{uuid4()}"
    bought = [await record(desk, basket(line("a", "1", "60"), customer=somebody)) for _ in range(2)]
    await record(desk, basket(line("a", "1", "20"), customer=another))
    assert [await _evaluated(desk, each) for each in bought] == [60, 40]
    assert await _evaluated(desk, basket(line("a", "1", "60"), customer=somebody)) == 0
    await give_back(desk, bought[1])  # what is taken back counts no more
    assert await _evaluated(desk, bought[0]) == 60
    assert await _evaluated(desk, basket(line("a", "1", "60"), customer=somebody)) == 40


async def test_what_a_part_of_a_membership_had_recorded_is_evaluated_without_itself(desk: Any) -> None:
    await in_force(desk, caps=[EarningRule.Cap(points=100, holder="HOLDER_MEMBER")])
    bought = [await record(desk, basket(line("a", "1", "50"))) for _ in range(2)]
    into, part = [(await desk.membership_of(each.customer)).name for each in bought]
    merged = MergeMembershipsRequest(
        name=into, merged_membership=part, reason_code="household", request_id=str(uuid4())
    )
    await desk.memberships.MergeMemberships(merged)
    assert [await _evaluated(desk, each) for each in bought] == [50, 50]


async def test_points_by_rule_and_caps_that_are_reached_are_metrics(desk: Any) -> None:
    await in_force(desk, "measured", caps=[EarningRule.Cap(points=50, holder="HOLDER_MEMBER")])
    somebody = f"customers/{uuid4()}"
    bought = [await record(desk, basket(line("a", "1", "40"), customer=somebody)) for _ in range(2)]
    await give_back(desk, bought[1])
    sold = {"earning_rule": "measured"}
    told = [
        REGISTRY.get_sample_value("rapport_earning_points_total", sold | {"kind": kind})
        for kind in ("given", "taken")
    ]
    assert told == [50, 10]
    assert REGISTRY.get_sample_value("rapport_earning_capped_total", sold) == 1


async def _evaluated(desk: Any, purchase: Any) -> int:
    answer = await desk.earning.EvaluatePurchase(EvaluatePurchaseRequest(purchase=purchase))
    return sum(each.points for each in answer.awards)
