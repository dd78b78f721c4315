"""What tests of earning do at the service."""

from typing import Any
from uuid import uuid4

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.decimal_pb2 import Decimal as Number

from rapport.loyalty.v1.earning_rule_pb2 import Award, Earning, EarningRule
from rapport.loyalty.v1.earning_service_pb2 import (
    ActivateEarningRuleRequest,
    CreateEarningRuleRequest,
    GetEarningRequest,
)
from rapport.loyalty.v1.ledger_service_pb2 import ListAccountsRequest
from rapport.loyalty.v1.membership_service_pb2 import ListMembershipsRequest
from rapport.loyalty.v1.program_pb2 import Program
from rapport.loyalty.v1.program_service_pb2 import UpdateProgramRequest
from rapport.loyalty.v1.tier_pb2 import Tier
from rapport.loyalty.v1.tier_service_pb2 import CreateTierRequest
from rapport.loyalty.v1.tier_service_pb2_grpc import TierServiceStub

POINTS = "programs/main/units/points"


def a_rule(**given: Any) -> EarningRule:
    """One point for each dollar of a line, unless it is given otherwise."""
    earns = {"points_per_currency_unit", "fixed_points", "multiplier"} & given.keys()
    default: dict[str, Any] = {
        "unit": POINTS,
        "basis": EarningRule.BASIS_LINE,
        "department": "departments/platform",
    }
    if not earns:
        default |= {"points_per_currency_unit": Number(value="1"), "currency_code": "USD"}
    return EarningRule(**default | given)


async def in_force(desk: Any, rule_id: str = "base", **given: Any) -> EarningRule:
    """A rule that is in force."""
    request = CreateEarningRuleRequest(earning_rule_id=rule_id, earning_rule=a_rule(**given))
    made = await desk.earning.CreateEarningRule(request)
    active: EarningRule = await desk.earning.ActivateEarningRule(
        ActivateEarningRuleRequest(name=made.name, request_id=str(uuid4()))
    )
    return active


async def doubled_by_tier(running: Any, desk: Any, tier_id: str) -> None:
    """A tier that 100 points in a year reach; a point for each dollar, and twice that for who has it."""
    measured = {"measure": "MEASURE_POINTS", "unit_code": "points", "period": "PERIOD_CALENDAR_YEAR"}
    program = Program(name="programs/main", tier_policy={**measured, "downgrade": "DOWNGRADE_TO_EARNED"})
    request = UpdateProgramRequest(program=program, update_mask=FieldMask(paths=["tier_policy"]))
    await desk.programs.UpdateProgram(request)
    tier = Tier(display_name=tier_id, threshold=Number(value="100"))
    tiers: Any = running.stub(TierServiceStub)
    await tiers.CreateTier(CreateTierRequest(parent="programs/main", tier_id=tier_id, tier=tier))
    await in_force(desk)
    double = {"position": 2, "multiplier": Number(value="2"), "condition": f"customer.tier == '{tier_id}'"}
    await in_force(desk, tier_id, **double)


async def earning_of(desk: Any, purchase: Any) -> Earning:
    """What a purchase earned."""
    name = purchase.name.replace("purchases/", "earnings/")
    earned: Earning = await desk.earning.GetEarning(GetEarningRequest(name=name))
    return earned


def by_line(award: Award) -> list[int]:
    """What was given for each line."""
    return [line.points for line in award.lines]


async def held(desk: Any, customer: str) -> dict[str, int]:
    """What a customer's accounts hold, by type; of who is no member nothing."""
    asked = ListMembershipsRequest(parent="programs/main", filter=f'customer = "{customer}"')
    members = (await desk.memberships.ListMemberships(asked)).memberships
    if not members:
        return {}
    listed = ListAccountsRequest(parent="programs/main", filter=f'membership = "{members[0].name}"')
    accounts = (await desk.ledger.ListAccounts(listed)).accounts
    return {type(each).Type.Name(each.type).removeprefix("TYPE_"): each.balance for each in accounts}
