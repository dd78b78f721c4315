"""The gRPC service of rewards and redemptions."""

from datetime import datetime
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.messages import moment, to_message
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.domain.redemption import why_redeemed
from loyalty.domain.value import ValueFormula
from loyalty.names import CUSTOMER, REDEMPTION, REWARD
from loyalty.rpc.vouchers import check_worth
from loyalty.store import rewards as store
from loyalty.usecases import redeeming, rewards
from loyalty.usecases.reward_checks import check_rewards
from rapport.loyalty.v1 import reward_service_pb2 as pb
from rapport.loyalty.v1.redemption_pb2 import Redemption
from rapport.loyalty.v1.reward_pb2 import Reward, RewardVoucher
from rapport.loyalty.v1.reward_service_pb2_grpc import RewardServiceServicer


def _check_reward(check: Check, sent: Reward, now: datetime) -> None:
    """It begins before it ends, and days are those of a limit."""
    both: Any = sent.HasField("start_time") and sent.HasField("end_time")
    if both and moment(sent.end_time) <= moment(sent.start_time):
        check.refuse("end_time", "INVALID_TIME", "must be after start_time")


def _check_restock(check: Check, sent: pb.RestockRewardRequest, now: datetime) -> None:
    if bool(sent.added_count) == bool(sent.removed_count):
        check.refuse("added_count", "REQUIRED", "must be given, or removed_count, not both")


class RewardRpc(Rpc, RewardServiceServicer):
    """Rewards, their stock, and redemptions of them."""

    rules: ClassVar[Rules] = {
        Reward: _check_reward,
        RewardVoucher: check_worth,
        pb.RestockRewardRequest: _check_restock,
    }

    formula: ValueFormula

    CreateReward = change(pb.CreateRewardRequest, rewards.create_reward, Reward)
    GetReward = get(REWARD, store.GET_REWARD, Reward, store.GET_REWARD_VERSION)
    ListRewards = listing(pb.ListRewardsResponse, store.LIST_REWARDS)
    UpdateReward = change(pb.UpdateRewardRequest, rewards.update_reward, Reward)
    ExplainReward = explain(REWARD, store.GET_REWARD, Reward)
    RestockReward = change(pb.RestockRewardRequest, rewards.restock_reward, Reward)
    RedeemReward = change(pb.RedeemRewardRequest, redeeming.redeem_reward, Redemption)
    GetRedemption = get(REDEMPTION, store.GET_REDEMPTION, Redemption)
    ListRedemptions = listing(pb.ListRedemptionsResponse, store.LIST_REDEMPTIONS)
    ExplainRedemption = explain(REDEMPTION, store.GET_REDEMPTION, Redemption, why_redeemed)
    FulfillRedemption = change(pb.FulfillRedemptionRequest, redeeming.fulfill_redemption, Redemption)
    CancelRedemption = change(pb.CancelRedemptionRequest, redeeming.cancel_redemption, Redemption)
    ReturnRedemption = change(pb.ReturnRedemptionRequest, redeeming.return_redemption, Redemption)

    async def CheckRewards(self, request: pb.CheckRewardsRequest, context: Any) -> pb.CheckRewardsResponse:
        """What a customer may redeem, and what stands in the way."""
        (customer_id,) = CUSTOMER.parse(request.customer, "customer")
        checks = await check_rewards(self.db, self.formula, customer_id)
        shown = [to_message(pb.CheckRewardsResponse.Check, each) for each in checks]
        return pb.CheckRewardsResponse(checks=shown)
