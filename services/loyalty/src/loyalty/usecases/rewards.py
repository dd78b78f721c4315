"""Rewards: saying what members get for points, and how many there are."""

from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Gauge

from chassis.api.entities import create_version, found, save
from chassis.api.messages import enum_number, to_message
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAME, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.facts import Changes, fact_of
from chassis.rules import BadRule, Fields, Kind, Undecided, compile_rule, require_rule
from loyalty.domain.facts import RewardCreated
from loyalty.domain.membership import Membership
from loyalty.domain.reward import ReturnPolicy, Reward, RewardTerms, ShownReward
from loyalty.domain.value import Band
from loyalty.names import REWARD, UNIT
from loyalty.store import rewards as store
from loyalty.store.tables import GET_UNIT
from rapport.common.v1.value_band_pb2 import ValueBand
from rapport.loyalty.v1 import customer_value_pb2, membership_pb2

# What a condition may read: people have written it down, so that it stays.
VARIABLES: dict[str, Kind] = {
    "band": ValueBand,
    "balance": int,
    "membership": Fields(membership_pb2.Membership, frozenset({"create_time"})),
    "value": Fields(customer_value_pb2.CustomerValue, frozenset({"purchase_count"})),
}
STOCK_OUT = Gauge("rapport_rewards_out_of_stock", "Rewards that may be redeemed and of which none is left.")


@dataclass(slots=True)
class RewardDraft(RewardTerms):
    """A reward as it is sent."""

    unit_program_id: str

    def reward(self, reward_id: str, at: datetime) -> Reward:
        """Its first version."""
        terms = values(self)
        program_id, policy = terms.pop("unit_program_id"), self.return_policy or ReturnPolicy.ONLY_PENDING
        terms |= {"program_id": program_id, "return_policy": policy}
        return Reward(**terms, id=reward_id, version=1, create_time=at, update_time=at)


async def create_reward(tx: Transaction, *, reward_id: str, reward: RewardDraft) -> ShownReward:
    """Keep a new reward, of which there is none yet. NotFound without its unit; AlreadyExists."""
    _require_rule(reward.condition)
    new = reward.reward(reward_id, tx.now)
    await found(tx, UNIT, GET_UNIT, new.program_id, new.unit_id)
    await create_version(tx, store.REWARD_LATEST, store.INSERT_REWARD, new, fact_of(RewardCreated, new))
    if new.stocked:
        await store.INSERT_STOCK.run(tx, reward_id=reward_id, available=0)
    return await _read(tx, new)


async def update_reward(
    tx: Transaction, *, reward_id: str, etag: str, changes: Changes[RewardTerms]
) -> ShownReward:
    """Keep the next version. What is the same is none. NotFound; Aborted when the etag is stale."""
    await LOCK_NAME.run(tx, name=REWARD.format(reward_id))
    reward = await found(tx, REWARD, store.REWARD_LATEST, reward_id, etag=etag)
    _require_rule(changes.get("condition", ""))
    if updated := reward.update(changes):
        await save(tx, store.INSERT_REWARD, reward, updated)
    return await _read(tx, reward)


async def restock_reward(
    tx: Transaction, *, reward_id: str, added_count: int, removed_count: int
) -> ShownReward:
    """Add to what is there, or take from it. NotFound; FailedPrecondition `NOT_STOCKED`, `OUT_OF_STOCK`."""
    reward = await found(tx, REWARD, store.REWARD_LATEST, reward_id)
    if not reward.stocked:
        told = f"{reward.name} has no stock: there are as many as are asked for."
        raise FailedPrecondition("NOT_STOCKED", told, {"resource": reward.name})
    if await store.MOVE_STOCK.maybe(tx, reward=reward_id, amount=added_count - removed_count) is None:
        raise reward.out_of_stock()
    return await _read(tx, reward)


def is_eligible(
    reward: Reward, membership: Membership, band: Band, balance: int, purchase_count: int
) -> bool:
    """Whether a member may redeem a reward; not when nobody can say."""
    if not reward.condition:
        return True
    about = {
        "band": enum_number(ValueBand.DESCRIPTOR, band),
        "balance": balance,
        "membership": to_message(membership_pb2.Membership, membership),
        "value": customer_value_pb2.CustomerValue(purchase_count=purchase_count),
    }
    try:
        return compile_rule(reward.condition, VARIABLES).evaluate(about)
    except (BadRule, Undecided):  # it was a rule when it was kept
        return False


async def tell_rewards(db: Database) -> None:
    """Say as a metric of how many rewards none is left."""
    STOCK_OUT.set((await store.STOCK_OUT.one(db, now=db.clock.now()))["count"])


async def _read(tx: Transaction, reward: Reward) -> ShownReward:
    stock = await store.STOCK.maybe(tx, reward=reward.id)
    return ShownReward(**values(reward), stock_count=stock["available"] if stock else None)


def _require_rule(text: str) -> None:
    if text:
        require_rule(text, VARIABLES, "reward.condition")
