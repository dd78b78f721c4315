"""Statements on tiers, on who has which, and on what they earned."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api.listing import Listing
from chassis.db.aliases import group_of
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, replaced, rows_of, table, updated
from loyalty.domain.ledger import COUNTED, EARNED_FROM
from loyalty.domain.membership import Membership, MembershipState
from loyalty.domain.program import Program
from loyalty.domain.tiers import Measure, Standing, Tier
from loyalty.store.earning import EARNINGS
from loyalty.store.memberships import MEMBERS, MEMBERSHIPS, with_parts
from loyalty.store.tables import ACCOUNTS, ENTRIES, METADATA, PROGRAMS, PURCHASES, TRANSFERS

TIERS = table(METADATA, "tiers", Tier, key=("program_id", "id"))
STANDINGS = table(METADATA, "tier_standings", Standing)
_T, _S, _M, _A, _P = TIERS.c, STANDINGS.c, MEMBERSHIPS.c, ACCOUNTS.c, PURCHASES.c

_TIERS = sa.select(TIERS).where(_T.program_id == sa.bindparam("program_id"))
_TIER = _TIERS.where(_T.id == sa.bindparam("id"))
GET_TIER = Statement(_TIER, row=Tier)
LOCK_TIER = Statement(_TIER.with_for_update(), row=Tier)
INSERT_TIER = Statement[Any](insert(TIERS).on_conflict_do_nothing().returning(_T.id))
TIER_WITH = Statement(_TIERS.where(_T.threshold == sa.bindparam("threshold")), row=Tier)
UPDATE_TIER = Statement[Any](updated(TIERS))
LIST_TIERS = Listing(_TIERS, _T.id, row=Tier)
TIERS_OF = Statement(_TIERS.order_by(_T.threshold), row=Tier)

# Programs whose tiers are reached by buying.
BY_PURCHASES = Statement(
    sa.select(PROGRAMS)
    .where(PROGRAMS.c.tier_policy["measure"].astext != Measure.POINTS.value)
    .order_by(PROGRAMS.c.id),  # so that two transactions lock standings in one order
    row=Program,
)

ACTIVE_MEMBERSHIPS = Statement(
    sa.select(MEMBERSHIPS).where(among(_M.id, "ids"), _M.state == MembershipState.ACTIVE.value),
    row=Membership,
)
SOME_MEMBERSHIPS = Statement(sa.select(MEMBERSHIPS).where(among(_M.id, "ids")), row=Membership)
PARTS_OF = Statement(
    sa.select(MEMBERSHIPS).where(_M.merged_into_id == sa.bindparam("whole_id", type_=sa.Uuid)),
    row=Membership,
)
NEXT_MEMBERSHIPS = Statement(
    sa.select(MEMBERSHIPS)
    .where(_M.program_id == sa.bindparam("program_id"), _M.id > sa.bindparam("after", type_=sa.Uuid))
    .order_by(_M.id)
    .limit(sa.bindparam("limit", type_=sa.BigInteger)),
    row=Membership,
)
GET_STANDINGS = Statement(sa.select(STANDINGS).where(among(_S.id, "ids")).order_by(_S.id), row=Standing)
SAVE_STANDINGS = Bulk[Any](
    STANDINGS,
    lambda into: into.on_conflict_do_update(
        index_elements=["id"],
        set_={each.name: into.excluded[each.name] for each in _S if each.name not in ("id", "create_time")},
    ),
)
DUE_STANDINGS = Statement[Any](
    sa.select(_S.id, _S.program_id)
    .where(_S.shard == sa.bindparam("shard"), _S.due_time <= sa.bindparam("now"))
    .order_by(_S.due_time)
    .limit(sa.bindparam("limit", type_=sa.BigInteger))
)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a membership earned since a moment, of what its program counts."""

    id: UUID
    progress: Decimal


# The memberships that are asked for, each with those that are part of it, and from when on is counted.
_asked = rows_of("asked", ids=sa.Uuid(), starts=sa.DateTime(timezone=True))
_parts = with_parts(_asked.c.ids, _asked.c.starts.label("since"))


@dataclass(frozen=True, slots=True)
class CountedPoints:
    """What an account earned of what counts for tiers, since a moment and up to one of its entries.

    Entries are never changed: it holds for ever, and what is counted later is counted from there on. A
    release that counts otherwise (`COUNTED`, `EARNED_FROM`) empties the table once no older one runs.
    """

    account_id: UUID
    since: datetime
    version: int  # of the last entry that was looked at
    amount: int


@dataclass(frozen=True, slots=True)
class AccountProgress(CountedPoints):
    """The same as it is now, of which membership, and how many entries had to be looked at for it."""

    id: UUID
    looked_at: int


COUNTED_POINTS = table(METADATA, "counted_points", CountedPoints, key=("account_id",))
KEEP_COUNTED = Bulk[Any](COUNTED_POINTS, lambda into: replaced(into, "since", "version", "amount"))
# What was earned: legs of transfers that the program, a partner or an issuer has another leg of; what pays a
# debt, or became one, as well. What was taken back counts for the day on which it was earned; it comes later,
# so it is among the entries since.
_own, _reversed, _given, _counted = (
    ACCOUNTS.alias("own"),
    TRANSFERS.alias("reversed"),
    ENTRIES.alias("given"),
    COUNTED_POINTS.c,
)
# Where nothing is counted yet, the last entry before the time; looked for by COALESCE only then.
_low = sa.func.coalesce(
    _counted.version, sa.func.entry_before(_A.id, _parts.c.since).scalar_table_valued("version")
)
_earned = sa.and_(
    sa.func.coalesce(_reversed.c.post_time, EARNINGS.c.create_time, TRANSFERS.c.post_time) >= _parts.c.since,
    sa.exists()
    .where(_given.c.transfer_id == TRANSFERS.c.id)
    .where(_own.c.id == _given.c.account_id)
    .where(sa.or_(*(_own.c.type == each.value for each in sorted(EARNED_FROM)))),
)
_further = (
    sa.select(
        sa.func.coalesce(sa.func.sum(ENTRIES.c.amount).filter(_earned), 0).label("amount"),
        sa.func.max(ENTRIES.c.version).label("version"),
        sa.func.count().label("looked_at"),
    )
    .select_from(ENTRIES)
    .join(TRANSFERS, TRANSFERS.c.id == ENTRIES.c.transfer_id)
    .outerjoin(_reversed, _reversed.c.id == TRANSFERS.c.reverses_id)
    .outerjoin(EARNINGS, EARNINGS.c.id == TRANSFERS.c.purchase_id)
    .where(ENTRIES.c.account_id == _A.id, ENTRIES.c.version > _low)
    .lateral("further")
)
PROGRESS_BY_POINTS = Statement(
    sa.select(
        _parts.c.whole.label("id"),
        _A.id.label("account_id"),
        _parts.c.since,
        sa.func.coalesce(_further.c.version, _counted.version, 0).label("version"),
        sa.cast(sa.func.coalesce(_counted.amount, 0) + _further.c.amount, sa.BigInteger).label("amount"),
        _further.c.looked_at,
    )
    .select_from(_parts)
    .join(ACCOUNTS, _A.membership_id == _parts.c.part)
    .outerjoin(COUNTED_POINTS, sa.and_(_counted.account_id == _A.id, _counted.since == _parts.c.since))
    .join(_further, sa.true())
    .where(
        _A.unit_id == sa.bindparam("unit_id", type_=sa.Text),
        sa.or_(*(_A.type == each.value for each in COUNTED)),
    ),
    row=AccountProgress,
)

# What was bought by those who belonged to it then; each purchase once, whoever is merged with whom. What
# gives back more than it buys counts for when that was bought; it comes later, so it is among those since.
_original = PURCHASES.alias("original")
_when = sa.case(
    (_P.paid < 0, sa.func.coalesce(_original.c.purchase_time, _P.purchase_time)), else_=_P.purchase_time
)
_bought = (
    sa.select(_parts.c.whole.label("id"), _P.id.label("purchase"), _P.paid, _P.refunded)
    .distinct()
    .select_from(_parts)
    .join(MEMBERS, MEMBERS.c.membership_id == _parts.c.part)
    .join(PURCHASES, _P.customer_id == sa.func.any(group_of(MEMBERS.c.customer_id)))
    .outerjoin(_original, _original.c.id == _P.returned_purchase_id)
    .where(
        _P.purchase_time >= _parts.c.since,
        _when >= sa.func.greatest(_parts.c.since, MEMBERS.c.counts_from),
        sa.or_(MEMBERS.c.leave_time.is_(None), _when < MEMBERS.c.leave_time),
        sa.or_(
            sa.bindparam("currency_code", type_=sa.Text) == "",
            _P.currency_code == sa.bindparam("currency_code", type_=sa.Text),
        ),
    )
    .subquery("bought")
)
_b = _bought.c
PROGRESS_BY_SPEND = Statement(
    sa.select(_b.id, sa.func.trim_scale(sa.func.sum(_b.paid - _b.refunded)).label("progress")).group_by(
        _b.id
    ),
    row=Progress,
)
PROGRESS_BY_VISITS = Statement(
    sa.select(_b.id, sa.cast(sa.func.count(), sa.Numeric).label("progress"))
    .where(_b.paid > 0, _b.refunded < _b.paid)
    .group_by(_b.id),
    row=Progress,
)


@dataclass(slots=True)
class HeldTier(Tier):
    """A tier as a membership has it."""

    review_time: datetime | None = None


_held = (
    sa.select(_M.id)
    .join(MEMBERS, MEMBERS.c.membership_id == _M.id)
    .where(
        _M.program_id == sa.bindparam("program_id"),
        MEMBERS.c.program_id == sa.bindparam("program_id"),
        MEMBERS.c.customer_id == sa.func.any(group_of(sa.bindparam("customer_id", type_=sa.Uuid))),
        MEMBERS.c.leave_time.is_(None),
        _M.state == MembershipState.ACTIVE.value,
    )
    .order_by(_M.id)
    .limit(sa.literal_column("1"))
)
_member = sa.func.coalesce(sa.bindparam("membership_id", type_=sa.Uuid), _held.scalar_subquery())
# One look: the tier of an active membership, or of the one that a customer earns on.
TIER_OF = Statement(
    sa.select(TIERS, _S.review_time)
    .join(STANDINGS, sa.and_(_S.program_id == _T.program_id, _S.tier_id == _T.id))
    .join(MEMBERSHIPS, _M.id == _S.id)
    .where(
        _S.id == _member,
        _S.program_id == sa.bindparam("program_id"),
        _M.state == MembershipState.ACTIVE.value,
    ),
    row=HeldTier,
)
