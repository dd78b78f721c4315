"""The gRPC service of tiers."""

from datetime import datetime
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty import names
from loyalty.store import tiers as store
from loyalty.store.tables import GET_PROGRAM
from loyalty.usecases import tiers
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.loyalty.v1 import tier_service_pb2 as pb
from rapport.loyalty.v1.tier_pb2 import Tier, TierStanding
from rapport.loyalty.v1.tier_service_pb2_grpc import TierServiceServicer


def _one_way(check: Check, request: pb.CheckBenefitRequest, now: datetime) -> None:
    if bool(request.customer) == bool(request.membership):
        check.refuse("customer", "REQUIRED", "must be given, or membership, and not both")
    if request.membership and not request.membership.startswith(f"{request.parent}/"):
        check.refuse("membership", "INVALID_NAME", "must be of the program that is the parent")


class TierRpc(Rpc, TierServiceServicer):
    """Tiers, and who has which."""

    rules: ClassVar[Rules] = {pb.CheckBenefitRequest: _one_way}

    CreateTier = change(pb.CreateTierRequest, tiers.create_tier, Tier)
    UpdateTier = change(pb.UpdateTierRequest, tiers.update_tier, Tier)
    GetTier = get(names.TIER, store.GET_TIER, Tier)
    ListTiers = listing(pb.ListTiersResponse, store.LIST_TIERS, parent=(names.PROGRAM, GET_PROGRAM))

    async def GetTierStanding(self, request: pb.GetTierStandingRequest, context: Any) -> TierStanding:
        """Where a membership stands."""
        named = names.TIER_STANDING.parse(request.name)
        standing, counted = await tiers.standing_of(self.db, *named)
        return to_message(TierStanding, standing, **counted)

    async def ExplainTierStanding(self, request: pb.ExplainTierStandingRequest, context: Any) -> Explanation:
        """Why a membership stands there."""
        shown = await self.GetTierStanding(pb.GetTierStandingRequest(name=request.name), context)
        return await self.explainer.explain(request, shown)

    async def CheckBenefit(self, request: pb.CheckBenefitRequest, context: Any) -> pb.CheckBenefitResponse:
        """Whether somebody has a benefit: one statement."""
        (program_id,) = names.PROGRAM.parse(request.parent, "parent")
        customer, membership = (
            names.CUSTOMER.match(request.customer),
            names.MEMBERSHIP.match(request.membership),
        )
        held = await store.TIER_OF.maybe(
            self.db,
            program_id=program_id,
            customer_id=customer[0] if customer else None,
            membership_id=membership[1] if membership else None,
        )
        asked = [each for each in held.benefits if each.code == request.benefit_code] if held else []
        return to_message(
            pb.CheckBenefitResponse,
            held,
            granted=bool(asked),
            tier=held.name if held else "",
            value=asked[0].value if asked else None,
            review_time=held.review_time if held else None,
        )
