"""What a customer may redeem now, and what stands in the way: as redeeming would say, and without a lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.db.database import Database
from chassis.errors import Refusal
from loyalty.domain.ledger import Account
from loyalty.domain.reward import ShownReward
from loyalty.domain.value import ValueFormula
from loyalty.store import rewards as store
from loyalty.store.ledger import GET_ACCOUNTS
from loyalty.usecases.redeeming import membership_for, require_below_limit, require_eligible


@dataclass(frozen=True, slots=True)
class RewardCheck:
    """Whether a reward may be redeemed: the reason why not, empty when it may."""

    reward: ShownReward
    reason: str
    balance: int


async def check_rewards(on: Database, formula: ValueFormula, customer_id: UUID) -> Sequence[RewardCheck]:
    """Of every reward that is not switched off."""
    return [await _check(on, formula, each, customer_id) for each in await store.OFFERED.all(on)]


async def _check(on: Database, formula: ValueFormula, reward: ShownReward, customer_id: UUID) -> RewardCheck:
    balance = 0
    try:
        member = await membership_for(on, reward, customer_id)
        account = Account.of_member(member, reward.unit_id, on.clock.now()).name
        balance = sum(each.balance for each in await GET_ACCOUNTS.all(on, names=[account]))
        reward.require_open(on.clock.now())
        await require_eligible(on, formula, reward, member, balance, customer_id, on.clock.now())
        await require_below_limit(on, reward, member, on.clock.now())
        reward.require_affordable(balance)
        if reward.stock_count == 0:
            raise reward.out_of_stock()
    except Refusal as refused:
        return RewardCheck(reward, refused.reason, balance)
    return RewardCheck(reward, "", balance)
