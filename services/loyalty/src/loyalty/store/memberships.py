"""Statements on memberships, who belongs to them, and their cards."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.aliases import group_of
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, rows_of, table, updated
from loyalty.domain.membership import Card, CardState, Member, MemberRole, Membership, MembershipState
from loyalty.names import CUSTOMER, MEMBERSHIP
from loyalty.store.tables import ACCOUNTS, METADATA

MEMBERSHIPS = table(METADATA, "memberships", Membership)
MEMBERS = table(METADATA, "members", Member)
CARDS = table(METADATA, "cards", Card)
_M, _P, _C, _A = MEMBERSHIPS.c, MEMBERS.c, CARDS.c, ACCOUNTS.c
_IN_PROGRAM = _M.program_id == sa.bindparam("program_id")
_PRESENT = _P.leave_time.is_(None)
_NOBODY = UUID(int=0)

# A new membership with its first member, where they are in none of the program; returns those that are new.
_new = rows_of("new", ids=sa.Uuid(), member_ids=sa.Uuid(), customer_ids=sa.Uuid())
_now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
_FIRST: dict[str, Any] = {
    "id": _new.c.member_ids,
    "program_id": sa.bindparam("program_id", type_=sa.Text),
    "membership_id": _new.c.ids,
    "customer_id": _new.c.customer_ids,
    "role": sa.literal_column(f"'{MemberRole.PRIMARY}'"),
    "join_time": _now,
    "leave_reason_code": sa.literal_column("''"),
}
_joined = (
    insert(MEMBERS)
    .from_select(list(_FIRST), sa.select(*_FIRST.values()))
    .on_conflict_do_nothing()
    .returning(_P.membership_id, _P.program_id, _P.customer_id, _P.join_time)
    .cte("joined")
)
_MADE: dict[str, Any] = {
    "id": _joined.c.membership_id,
    "program_id": _joined.c.program_id,
    "customer_id": _joined.c.customer_id,
    "create_time": _joined.c.join_time,
    "update_time": _joined.c.join_time,
    "version": sa.literal_column("1"),
}
JOIN = Statement(
    insert(MEMBERSHIPS).from_select(list(_MADE), sa.select(*_MADE.values())).returning(*_M), row=Membership
)


@dataclass(slots=True)
class EarningMembership(Membership):
    """The membership that a customer, `of`, earns on, and the tier that it has; "" without."""

    of: UUID = _NOBODY
    tier_id: str = ""


_asked = rows_of("asked", customer_ids=sa.Uuid())
_found = (
    sa.select(*_M)
    .join(MEMBERS, _P.membership_id == _M.id)
    .where(
        _P.program_id == sa.bindparam("program_id", type_=sa.Text),
        _P.customer_id == sa.func.any(group_of(_asked.c.customer_ids)),
        _PRESENT,
    )
    .order_by(_M.state != MembershipState.ACTIVE.value, _M.id)
    .limit(sa.literal_column("1"))
    .lateral("found")
)
_standings = sa.table("tier_standings", sa.column("id", sa.Uuid), sa.column("tier_id", sa.Text))
_tier = sa.select(_standings.c.tier_id).where(_standings.c.id == _found.c.id).scalar_subquery()
# Of customers who are members by several names the oldest that is active; without any, one that is closed.
EARNING = Statement(
    sa.select(
        _asked.c.customer_ids.label("of"), *_found.c, sa.func.coalesce(_tier, "").label("tier_id")
    ).select_from(_asked.join(_found, sa.true())),
    row=EarningMembership,
)

GET_MEMBERSHIP = Statement(
    sa.select(MEMBERSHIPS).where(_IN_PROGRAM, _M.id == sa.bindparam("id")), row=Membership
)
# Always in one order; memberships before their accounts.
LOCK_MEMBERSHIPS = Statement(
    sa.select(MEMBERSHIPS)
    .where(_IN_PROGRAM, among(_M.id, "ids"))
    .order_by(_M.id)
    .with_for_update(key_share=True),
    row=Membership,
)
UPDATE_MEMBERSHIP = Statement[Any](updated(MEMBERSHIPS))
LIST_MEMBERSHIPS = Listing(
    sa.select(MEMBERSHIPS).where(_IN_PROGRAM),
    _M.id,
    row=Membership,
    filters={
        "customer": filters.customer(_M.customer_id, CUSTOMER),
        "merged_into": filters.name(_M.merged_into_id, MEMBERSHIP),
    },
)

_OF = _P.membership_id == sa.bindparam("membership_id")
PRESENT_MEMBERS = Statement(sa.select(MEMBERS).where(_OF, _PRESENT).order_by(_P.id), row=Member)
CAME_WITH = Statement(
    sa.select(MEMBERS).where(_OF, _PRESENT, _P.came_with_id == sa.bindparam("came_with_id", type_=sa.Uuid)),
    row=Member,
)
_OF_PROGRAM = _P.program_id == sa.bindparam("program_id")
GET_MEMBER = Statement(sa.select(MEMBERS).where(_OF_PROGRAM, _OF, _P.id == sa.bindparam("id")), row=Member)
LIST_MEMBERS = Listing(sa.select(MEMBERS).where(_OF_PROGRAM, _OF), _P.id, row=Member)
ADD_MEMBERS = Bulk(MEMBERS, lambda into: into.on_conflict_do_nothing().returning(*_P), row=Member)
SAVE_MEMBERS = Bulk[Any](
    MEMBERS,
    lambda into: into.on_conflict_do_update(
        index_elements=["id"],
        set_={name: into.excluded[name] for name in ("role", "leave_time", "leave_reason_code")},
    ),
)

_CARD_OF = _C.membership_id == sa.bindparam("membership_id")
_CARDS = sa.select(CARDS).where(_C.program_id == sa.bindparam("program_id"))
GET_CARD = Statement(_CARDS.where(_CARD_OF, _C.id == sa.bindparam("id")), row=Card)
LOCK_CARD = Statement(
    _CARDS.where(_CARD_OF, _C.id == sa.bindparam("id")).with_for_update(key_share=True), row=Card
)
LIST_CARDS = Listing(_CARDS.where(_CARD_OF), _C.id, row=Card)
INSERT_CARD = Statement[Any](
    insert(CARDS)
    .values({each.name: sa.bindparam(each.name) for each in CARDS.c})
    .on_conflict_do_nothing()
    .returning(_C.id)
)
UPDATE_CARD = Statement[Any](updated(CARDS))
# The one that is in use; else the last that was.
CARD_BY_NUMBER = Statement(
    _CARDS.where(_C.number_hash == sa.bindparam("number_hash"))
    .order_by(_C.state != CardState.ACTIVE.value, _C.id.desc())
    .limit(sa.literal_column("1")),
    row=Card,
)

CLOSE_ACCOUNTS = Statement[Any](
    sa.update(ACCOUNTS)
    .where(_A.membership_id == sa.bindparam("membership_id", type_=sa.Uuid))
    .values(closed=sa.bindparam("now_closed", type_=sa.Boolean))
)


def with_parts(whole: sa.ColumnElement[UUID], *beside: sa.ColumnElement[Any]) -> sa.CTE:
    """SQL: each membership `whole` with itself and all that is `part` of it, however it came to be.

    `beside` are columns of where `whole` is from, which the rows have, too.
    """
    parts = sa.select(whole.label("whole"), whole.label("part"), *beside).cte("parts", recursive=True)
    merged = MEMBERSHIPS.alias("merged")
    further = sa.select(parts.c.whole, merged.c.id, *(parts.c[each.name] for each in beside))
    return parts.union_all(further.where(merged.c.merged_into_id == parts.c.part))


def parts_of(whole: sa.ColumnElement[UUID]) -> sa.Select[Any]:
    """SQL: the ids of one membership and of all that is part of it."""
    return sa.select(with_parts(whole).c.part)


def _got_by(of: sa.FromClause) -> sa.ColumnElement[UUID]:
    """SQL: the membership that has what another held, because that is part of it or was closed."""
    return sa.func.coalesce(of.c.merged_into_id, of.c.received_by_id)


# Where what was on accounts of a merged or closed membership is now: the accounts for the same purpose of the
# one that got it, however often that was merged on.
_parts = (
    sa.select(_M.id.label("part"), _got_by(MEMBERSHIPS).label("whole"))
    .where(
        _got_by(MEMBERSHIPS).is_not(None),
        _M.id.in_(sa.select(_A.membership_id).where(among(_A.name, "names"))),
    )
    .cte("parts", recursive=True)
)
_further = MEMBERSHIPS.alias("further")
_parts = _parts.union_all(
    sa.select(_parts.c.part, _got_by(_further)).where(
        _further.c.id == _parts.c.whole, _got_by(_further).is_not(None)
    )
)
_last = MEMBERSHIPS.alias("last")
_there = ACCOUNTS.alias("there")
SUCCESSORS = Statement[Any](
    sa.select(_A.name.label("was"), _there.c.name.label("became"))
    .join(_parts, _parts.c.part == _A.membership_id)
    .join(_last, sa.and_(_last.c.id == _parts.c.whole, _got_by(_last).is_(None)))
    .join(
        _there,
        sa.and_(
            _there.c.membership_id == _last.c.id,
            _there.c.unit_id == _A.unit_id,
            _there.c.type == _A.type,
        ),
    )
    .where(among(_A.name, "names"))
)
