"""What a correction of a purchase earns: by who the customer was then, where they were then."""

from typing import Any
from uuid import uuid4

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.decimal_pb2 import Decimal as Number

from rapport.loyalty.v1.program_pb2 import Program
from rapport.loyalty.v1.program_service_pb2 import UpdateProgramRequest
from rapport.loyalty.v1.tier_pb2 import Tier
from rapport.loyalty.v1.tier_service_pb2 import CreateTierRequest
from rapport.loyalty.v1.tier_service_pb2_grpc import TierServiceStub

from .earning import earning_of, held, in_force
from .test_earning import imported
from .test_households import Family
from .test_purchase_lines import basket, line, record


async def test_what_was_bought_before_a_tier_earns_as_before_it(running: Any, desk: Any) -> None:
    measured = {"measure": "MEASURE_POINTS", "unit_code": "points", "period": "PERIOD_CALENDAR_YEAR"}
    program = Program(name="programs/main", tier_policy={**measured, "downgrade": "DOWNGRADE_TO_EARNED"})
    request = UpdateProgramRequest(program=program, update_mask=FieldMask(paths=["tier_policy"]))
    await desk.programs.UpdateProgram(request)
    gold = Tier(display_name="Gold", threshold=Number(value="100"))
    tiers: Any = running.stub(TierServiceStub)
    await tiers.CreateTier(CreateTierRequest(parent="programs/main", tier_id="gold", tier=gold))
    await in_force(desk)
    double = {"position": 2, "multiplier": Number(value="2"), "condition": "customer.tier == 'gold'"}
    await in_force(desk, "gold", **double)
    customer = f"customers/{uuid4()}"
    await imported(desk, basket(line("a", "1", "200"), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 200}
    for said in ({"store": "store-8"}, {"reference": "7"}):
        await imported(desk, basket(line("a", "1", "200"), customer=customer, **said))
        assert await held(desk, customer) == {"MEMBERSHIP": 200}
    await imported(desk, basket(line("a", "1", "150"), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 150}
    await record(desk, basket(line("a", "1", "10"), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 170}


async def test_what_was_bought_before_a_band_earns_as_before_it(desk: Any) -> None:
    rich = "customer.band == ValueBand.VALUE_BAND_PLATINUM"
    await in_force(desk, "rich", condition=rich)
    customer = f"customers/{uuid4()}"
    await imported(desk, basket(line("a", "1", "5000"), customer=customer))
    bought = await imported(desk, basket(line("a", "1", "4000"), customer=customer))
    (award,) = (await earning_of(desk, bought)).awards
    assert (award.points, await held(desk, customer)) == (0, {})
    await record(desk, basket(line("a", "1", "10"), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 10}


async def test_a_correction_leaves_points_with_the_household_that_has_them(running: Any, desk: Any) -> None:
    await in_force(desk)
    household, customer = await desk.join(), f"customers/{uuid4()}"
    family = Family(running, desk, household)
    member = await family.add(customer)
    await imported(desk, basket(line("a", "1", "40"), customer=customer))
    assert await held(desk, household.customer) == {"MEMBERSHIP": 40}
    await family.remove(member.name)
    own = await desk.join(customer)
    await imported(desk, basket(line("a", "1", "40"), customer=customer, store="store-8"))
    assert await held(desk, household.customer) == {"MEMBERSHIP": 40}
    await imported(desk, basket(line("a", "1", "30"), customer=customer, store="store-8"))
    assert await held(desk, household.customer) == {"MEMBERSHIP": 30}
    assert sum(await desk.points(*(each.name for each in await desk.accounts_of(own.name)))) == 0
