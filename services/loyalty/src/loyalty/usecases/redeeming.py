"""Redeeming rewards: points and stock are set aside together, and given or back together.

Locked are, in this order: the redemption, the member's account, the reservation, the stock, which everybody
wants and which is held for the shortest.
"""

from datetime import datetime, timedelta
from uuid import UUID

from chassis import ids
from chassis.api.entities import found, save
from chassis.db.aliases import groups_of
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of
from chassis.work.timers import Timer
from loyalty.domain.facts import (
    RedemptionCancelled,
    RedemptionExpired,
    RedemptionFulfilled,
    RedemptionReturned,
    RewardRedeemed,
)
from loyalty.domain.ledger import Account
from loyalty.domain.membership import Membership
from loyalty.domain.redemption import LIFETIME, Redemption, RedemptionState
from loyalty.domain.reward import Reward
from loyalty.domain.value import ValueFormula
from loyalty.names import CUSTOMER, PROGRAM, REDEMPTION, REWARD
from loyalty.store import rewards as store
from loyalty.store.ledger import GET_ACCOUNTS, OPEN_ACCOUNTS
from loyalty.store.reservations import GET_RESERVATION
from loyalty.usecases.bands import worth_of
from loyalty.usecases.memberships import earning_memberships
from loyalty.usecases.posting import reverse_transfer
from loyalty.usecases.reservations import (
    commit_reservation,
    expire_reservation,
    release_reservation,
    reserve,
)
from loyalty.usecases.rewards import is_eligible
from loyalty.usecases.voucher_ends import cancel_of_redemption


async def redeem_reward(
    tx: Transaction,
    formula: ValueFormula,
    *,
    reward_id: str,
    customer_id: UUID,
    lifetime: timedelta | None,
) -> Redemption:
    """Set aside the points of a reward, and one of it, for a member; or neither.

    NotFound; FailedPrecondition `NOT_REDEEMABLE`, `NOT_A_MEMBER`, `MEMBERSHIP_CLOSED`, `NOT_ELIGIBLE`,
    `INSUFFICIENT_BALANCE`, `OVER_LIMIT`, `OUT_OF_STOCK`.
    """
    reward = await found(tx, REWARD, store.REWARD_LATEST, reward_id)
    reward.require_open(tx.now)
    membership = await membership_for(tx, reward, customer_id)
    account = Account.of_member(membership, reward.unit_id, tx.now)
    await OPEN_ACCOUNTS.rows(tx, [account])
    (held,) = await GET_ACCOUNTS.all(tx, names=[account.name])
    await require_eligible(tx, formula, reward, membership, held.balance, customer_id, tx.now)
    redemption_id = ids.uuid7(tx.now)
    reserved = await reserve(
        tx,
        account=account.name,
        amount=reward.points,
        reason_code="reward",
        lifetime=lifetime or LIFETIME,
        redemption_id=redemption_id,
    )
    await require_below_limit(tx, reward, membership, tx.now)  # whose account is locked by now
    redemption = Redemption(
        id=redemption_id,
        reward_id=reward.id,
        reward_version=reward.version,
        customer_id=customer_id,
        membership_id=membership.id,
        account=account.name,
        state=RedemptionState.RESERVED,
        points=reward.points,
        cash=reward.cash,
        cash_currency=reward.cash_currency,
        reference=reward.reference,
        stocked=reward.stocked,
        reservation_id=reserved.id,
        transfer_id=None,
        return_transfer_id=None,
        reason_code="",
        expire_time=reserved.expire_time,
        fulfill_time=None,
        create_time=tx.now,
        update_time=tx.now,
    )
    await store.INSERT_REDEMPTION.run(tx, **values(redemption))
    if reward.stocked and await store.MOVE_STOCK.maybe(tx, reward=reward.id, amount=-1) is None:
        raise reward.out_of_stock()
    tx.record(fact_of(RewardRedeemed, redemption), version=redemption.version)
    return redemption


async def fulfill_redemption(tx: Transaction, *, redemption_id: UUID) -> Redemption:
    """It was handed out: the points are given. NotFound; FailedPrecondition `REDEMPTION_ENDED`."""
    redemption = await found(tx, REDEMPTION, store.LOCK_REDEMPTION, redemption_id)
    await fulfill(tx, redemption)
    return redemption


async def fulfill(tx: Transaction, redemption: Redemption) -> None:
    """As `fulfill_redemption`, of one that is locked."""
    redemption.become(RedemptionState.FULFILLED, tx.now)
    ended = await commit_reservation(
        tx,
        reservation_id=redemption.reservation_id,
        redeem_account="",
        redemption_id=redemption.id,
    )
    redemption.transfer_id = ended.end_transfer_id
    await save(tx, store.UPDATE_REDEMPTION, redemption, fact_of(RedemptionFulfilled, redemption))


async def cancel_redemption(tx: Transaction, *, redemption_id: UUID, reason_code: str) -> Redemption:
    """Give it up before it is handed out. NotFound; FailedPrecondition `REDEMPTION_ENDED`."""
    redemption = await found(tx, REDEMPTION, store.LOCK_REDEMPTION, redemption_id)
    redemption.become(RedemptionState.CANCELLED, tx.now, reason_code)
    await release_reservation(tx, reservation_id=redemption.reservation_id, redemption_id=redemption.id)
    await _put_back(tx, redemption)
    await save(tx, store.UPDATE_REDEMPTION, redemption, fact_of(RedemptionCancelled, redemption))
    return redemption


async def return_redemption(tx: Transaction, *, redemption_id: UUID, reason_code: str) -> Redemption:
    """Take back what was handed out, by the policy of the version that it was redeemed by.

    A voucher that was handed out is worth nothing then. NotFound; FailedPrecondition `REDEMPTION_ENDED`,
    `NOT_RETURNABLE`, `VOUCHER_USED`, `VOUCHER_ENDED`.
    """
    redemption = await found(tx, REDEMPTION, store.LOCK_REDEMPTION, redemption_id)
    by = await store.GET_REWARD_VERSION.one(tx, id=redemption.reward_id, version=redemption.reward_version)
    given = redemption.transfer_id
    redemption.become(RedemptionState.RETURNED, tx.now, reason_code)
    redemption.require_returnable(by, tx.now)
    if given is None:
        raise ValueError(f"{redemption.name} was fulfilled without a transfer")
    await cancel_of_redemption(tx, redemption.id, reason_code)
    back = await reverse_transfer(tx, transfer_id=given, reason_code=reason_code, redemption_id=redemption.id)
    redemption.return_transfer_id = back.id
    await _put_back(tx, redemption)
    await save(tx, store.UPDATE_REDEMPTION, redemption, fact_of(RedemptionReturned, redemption))
    return redemption


async def expire(tx: Transaction, timer: Timer) -> None:
    """Let go of what was set aside and nobody came for, with the redemption that it was for."""
    reserved = await GET_RESERVATION.one(tx, id=UUID(timer.key))
    if reserved.redemption_id is None:
        await expire_reservation(tx, reserved.id)
        return
    redemption = await store.LOCK_REDEMPTION.one(tx, id=reserved.redemption_id)
    if redemption.state is not RedemptionState.RESERVED:
        return
    redemption.become(RedemptionState.EXPIRED, tx.now)
    await expire_reservation(tx, reserved.id)
    await _put_back(tx, redemption)
    await save(tx, store.UPDATE_REDEMPTION, redemption, fact_of(RedemptionExpired, redemption))


async def _put_back(tx: Transaction, redemption: Redemption) -> None:
    if redemption.stocked:
        await store.MOVE_STOCK.maybe(tx, reward=redemption.reward_id, amount=1)


async def membership_for(on: Executor, reward: Reward, customer_id: UUID) -> Membership:
    """The membership that a customer redeems on. FailedPrecondition `NOT_A_MEMBER`, `MEMBERSHIP_CLOSED`."""
    known = await earning_memberships(on, reward.program_id, [customer_id])
    if (membership := known.get(customer_id)) is None:
        named = CUSTOMER.format(customer_id)
        told = f"{named} is no member of {PROGRAM.format(reward.program_id)}."
        raise FailedPrecondition("NOT_A_MEMBER", told, {"resource": named})
    membership.require_active()
    return membership


async def require_below_limit(on: Executor, reward: Reward, membership: Membership, now: datetime) -> None:
    """FailedPrecondition `OVER_LIMIT` for a member who had it as often as they may."""
    if reward.member_limit:
        since = reward.counted_since(now)
        had = await store.REDEEMED.one(on, membership_id=membership.id, reward_id=reward.id, since=since)
        reward.require_below_limit(had["count"])


async def require_eligible(
    on: Executor,
    formula: ValueFormula,
    reward: Reward,
    membership: Membership,
    balance: int,
    customer_id: UUID,
    now: datetime,
) -> None:
    """FailedPrecondition `NOT_ELIGIBLE` unless the reward's condition holds for the member."""
    if not reward.condition:
        return
    names = (await groups_of(on, [customer_id])).everybody
    [worth] = await worth_of(on, formula, [names], now)
    if not is_eligible(reward, membership, worth.band, balance, worth.purchase_count):
        told = f"{reward.name} is for those only for whom its condition holds."
        raise FailedPrecondition("NOT_ELIGIBLE", told, {"resource": reward.name})
