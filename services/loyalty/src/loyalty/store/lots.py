"""Statements on lots, and on what transfers put into them and took."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, table
from loyalty.domain.lots import Lot
from loyalty.domain.shards import SHARDS
from loyalty.store.tables import ACCOUNTS, METADATA, PROGRAMS

LOTS = table(METADATA, "lots", Lot)
_L = LOTS.c


@dataclass(frozen=True, slots=True)
class Allocated:
    """What a transfer put into a lot, or took from it when it is negative; whose lot that is."""

    transfer_id: UUID
    lot_id: UUID
    amount: int


ALLOCATIONS_TABLE = table(METADATA, "allocations", Allocated, key=("transfer_id", "lot_id"))
_OF_TRANSFER = ALLOCATIONS_TABLE.c.transfer_id == sa.bindparam("transfer_id", type_=sa.Uuid)
ALLOCATIONS = Statement(
    sa.select(ALLOCATIONS_TABLE)
    .where(among(ALLOCATIONS_TABLE.c.transfer_id, "transfer_ids"))
    .order_by(ALLOCATIONS_TABLE.c.lot_id),
    row=Allocated,
)
# The accounts whose lots a transfer moved: which those are never changes.
ALLOCATED = Statement[Any](
    sa.select(_L.account)
    .distinct()
    .join(ALLOCATIONS_TABLE, ALLOCATIONS_TABLE.c.lot_id == _L.id)
    .where(_OF_TRANSFER)
)
INSERT_ALLOCATIONS = Bulk[Any](ALLOCATIONS_TABLE)

_FILLED = _L.remaining > 0
# Lots have no locks of their own: whoever has their account has them.
OPEN_LOTS = Statement(sa.select(LOTS).where(among(_L.account_id, "account_ids"), _FILLED), row=Lot)
GET_LOTS = Statement(sa.select(LOTS).where(among(_L.id, "ids")), row=Lot)
# What became of lots of a membership that is part of another, however often that was merged on.
_copies = sa.select(_L.id).where(among(_L.origin_id, "origin_ids")).cte("copies", recursive=True)
_copies = _copies.union(sa.select(_L.id).where(_L.origin_id == _copies.c.id))
COPIES = Statement(sa.select(LOTS).join(_copies, _copies.c.id == _L.id), row=Lot)
_MOVES = (
    "state",
    "activate_time",
    "ends",
    "amount",
    "remaining",
    "expired",
    "due_time",
    "told",
    "update_time",
    "version",
)
SAVE_LOTS = Bulk[Any](
    LOTS,
    lambda into: into.on_conflict_do_update(
        index_elements=["id"], set_={name: into.excluded[name] for name in _MOVES}
    ),
)

_IN = _L.account == (
    sa.literal("programs/") + sa.bindparam("program_id") + "/accounts/" + sa.bindparam("account_id")
)
GET_LOT = Statement(sa.select(LOTS).where(_IN, _L.id == sa.bindparam("id", type_=sa.Uuid)), row=Lot)
LIST_LOTS = Listing(
    sa.select(LOTS).where(_L.account_id == sa.bindparam("of", type_=sa.Uuid), _FILLED),
    _L.ends,
    _L.id,
    row=Lot,
)

# Whose lots are due of a shard: those that have been due for longest; each account once.
_due = (
    sa.select(_L.account_id, _L.account)
    .where(_L.shard == sa.bindparam("shard"), _L.due_time <= sa.bindparam("now"))
    .order_by(_L.due_time)
    .limit(sa.bindparam("limit", type_=sa.BigInteger))
    .subquery("due")
)
DUE_ACCOUNTS = Statement[Any](sa.select(_due.c.account).distinct())

# Accounts of a shard on which something will end that nobody was told of, and how many days before it is.
_days: Any = sa.literal_column("interval '1 day'")
_D = PROGRAMS.c.expiry_notice_days
_most = sa.select(sa.func.max(_D)).scalar_subquery()
UNTOLD = Statement[Any](
    sa.select(_L.account, _D.label("days"))
    .distinct()
    .join(ACCOUNTS, ACCOUNTS.c.id == _L.account_id)
    .join(PROGRAMS, PROGRAMS.c.id == ACCOUNTS.c.program_id)
    .where(
        _L.shard == sa.bindparam("shard"),
        ~_L.told,
        _L.due_time > sa.bindparam("now", type_=_L.due_time.type),
        _L.due_time <= sa.bindparam("now", type_=_L.due_time.type) + _most * _days,
        _L.state == "ACTIVE",
        _D > 0,
        _L.due_time <= sa.bindparam("now", type_=_L.due_time.type) + _D * _days,
    )
    .limit(sa.bindparam("limit", type_=sa.BigInteger))
)

# The first of each shard, by the index that has them.
_shards = sa.func.generate_series(0, SHARDS - 1).table_valued("shard", name="shards").render_derived()
_first_due = (
    sa.select(_L.due_time)
    .where(_L.shard == _shards.c.shard, _L.due_time.is_not(None))
    .order_by(_L.due_time)
    .limit(sa.literal_column("1"))
    .lateral("first_due")
)
OLDEST_DUE = Statement[Any](
    sa.select(sa.func.min(_first_due.c.due_time).label("due_time")).select_from(
        _shards.join(_first_due, sa.true())
    )
)

# Of members' accounts those whose lots do not hold what they should: of usable lots no more than the account,
# of pending ones what is pending, and each what transfers put into it and took.
_active, _pending = ACCOUNTS.alias("active"), ACCOUNTS.alias("pending")


def _held(state: str) -> Any:
    return sa.func.coalesce(
        sa.select(sa.func.sum(_L.remaining))
        .where(_L.account_id == _active.c.id, _L.state == state, _FILLED)
        .scalar_subquery(),
        0,
    )


_noted = sa.func.coalesce(
    sa.select(sa.func.sum(ALLOCATIONS_TABLE.c.amount))
    .where(ALLOCATIONS_TABLE.c.lot_id == _L.id)
    .scalar_subquery(),
    0,
)
WRONG_LOTS = Statement[Any](
    sa.select(_active.c.name)
    .outerjoin(
        _pending,
        sa.and_(
            _pending.c.membership_id == _active.c.membership_id,
            _pending.c.unit_id == _active.c.unit_id,
            _pending.c.type == "PENDING",
        ),
    )
    .where(
        among(_active.c.id, "ids"),
        _active.c.type == "MEMBERSHIP",
        sa.or_(
            _held("ACTIVE") > _active.c.balance,
            _held("PENDING") != sa.func.coalesce(_pending.c.balance, 0),
            sa.exists().where(_L.account_id == _active.c.id, _FILLED, _L.remaining != _noted),
        ),
    )
)
