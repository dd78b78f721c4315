"""The tables of rewards and redemptions, and the statements on them."""

from typing import Any

import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import table
from chassis.db.versions import versioned
from loyalty.domain.redemption import Redemption, RedemptionState
from loyalty.domain.reward import Reward, ShownReward
from loyalty.names import CUSTOMER, REWARD
from loyalty.store.memberships import parts_of
from loyalty.store.tables import METADATA
from rapport.loyalty.v1.redemption_pb2 import Redemption as RedemptionMessage

REWARDS = table(METADATA, "rewards", Reward, key=("id", "version"))
# Of what is stocked: how many are there that nobody has redeemed. Not a version of the reward.
STOCKS = sa.Table(
    "reward_stocks",
    METADATA,
    sa.Column("reward_id", sa.Text, primary_key=True),
    sa.Column("available", sa.BigInteger, nullable=False),
)
REDEMPTIONS = table(METADATA, "redemptions", Redemption)
_S, _R = STOCKS.c, REDEMPTIONS.c

_LATEST, REWARD_LATEST, REWARD_VERSION, INSERT_REWARD = versioned(REWARDS, Reward)


def _shown(of: Any) -> sa.Select[Any]:
    return sa.select(*of.c, _S.available.label("stock_count")).join_from(
        of, STOCKS, _S.reward_id == of.c.id, isouter=True
    )


_OF_ONE = _shown(REWARDS).where(REWARDS.c.id == sa.bindparam("id"))
GET_REWARD = Statement(_OF_ONE.order_by(REWARDS.c.version.desc()).limit(1), row=ShownReward)
GET_REWARD_VERSION = Statement(_OF_ONE.where(REWARDS.c.version == sa.bindparam("version")), row=ShownReward)
OFFERED = Statement(
    _shown(_LATEST)
    .where(sa.not_(_LATEST.c.disabled))
    .order_by(_LATEST.c.id)
    .limit(sa.literal_column("1000")),
    row=ShownReward,
)
LIST_REWARDS = Listing(_shown(_LATEST), _LATEST.c.id, row=ShownReward)

INSERT_STOCK = Statement[Any](sa.insert(STOCKS))
STOCK = Statement[Any](sa.select(_S.available).where(_S.reward_id == sa.bindparam("reward")))
# Nothing when fewer are there than are taken: whoever waited for somebody else's sees what those left.
MOVE_STOCK = Statement[Any](
    sa.update(STOCKS)
    .where(
        _S.reward_id == sa.bindparam("reward"),
        _S.available + sa.bindparam("amount", type_=sa.BigInteger) >= 0,
    )
    .values(available=_S.available + sa.bindparam("amount", type_=sa.BigInteger))
    .returning(_S.available)
)
STOCK_OUT = Statement[Any](
    sa.select(sa.func.count().label("count"))
    .select_from(_LATEST)
    .join(STOCKS, _S.reward_id == _LATEST.c.id)
    .where(
        sa.not_(_LATEST.c.disabled),
        _S.available == 0,
        sa.or_(_LATEST.c.start_time.is_(None), _LATEST.c.start_time <= sa.bindparam("now")),
        sa.or_(_LATEST.c.end_time.is_(None), _LATEST.c.end_time > sa.bindparam("now")),
    )
)

INSERT_REDEMPTION = Statement[Any](sa.insert(REDEMPTIONS))
GET_REDEMPTION, LOCK_REDEMPTION, UPDATE_REDEMPTION = of_entity(REDEMPTIONS, Redemption)
LIST_REDEMPTIONS = Listing(
    sa.select(REDEMPTIONS),
    _R.id,
    descending=True,
    row=Redemption,
    filters={
        "customer": filters.customer(_R.customer_id, CUSTOMER),
        "reward": filters.name(_R.reward_id, REWARD),
        "state": filters.enum(_R.state, RedemptionMessage.State.DESCRIPTOR),
    },
)
# How often a member has a reward of what was redeemed since then, also before their membership was merged.
REDEEMED = Statement[Any](
    sa.select(sa.func.count().label("count")).where(
        _R.membership_id.in_(parts_of(sa.bindparam("membership_id", type_=sa.Uuid))),
        _R.reward_id == sa.bindparam("reward_id"),
        _R.create_time > sa.bindparam("since"),
        sa.or_(*(_R.state == each.value for each in (RedemptionState.RESERVED, RedemptionState.FULFILLED))),
    )
)
