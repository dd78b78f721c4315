"""Statements on earning rules, what was earned by them, and how much caps have counted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, rows_of, table
from chassis.db.versions import versioned
from loyalty.domain.earning import Earning
from loyalty.domain.earning_rule import Basis, EarningRule, RuleState
from loyalty.domain.lots import LotPolicy, end_of
from loyalty.domain.value import Purchase
from loyalty.names import CUSTOMER
from loyalty.store.memberships import with_parts
from loyalty.store.tables import METADATA, PROGRAMS, PURCHASES, UNITS

EARNING_RULES = table(METADATA, "earning_rules", EarningRule, key=("id", "version"))
_LATEST, EARNING_RULE, EARNING_RULE_VERSION, INSERT_EARNING_RULE = versioned(EARNING_RULES, EarningRule)
LIST_EARNING_RULES = Listing(sa.select(_LATEST), _LATEST.c.id, row=EarningRule)


@dataclass(slots=True)
class RuleInForce(EarningRule):
    """A version, with the zone of its program, whose midnight ends a day, and the policy of its unit."""

    time_zone: str = "UTC"
    unit_lot_policy: LotPolicy | None = None

    def has_ended(self, at: datetime) -> bool:
        """Whether what it gives would have ended before it is earned: then it gives nothing."""
        policy = self.lot_policy or self.unit_lot_policy
        last = policy.expiry_date if policy else None
        return last is not None and end_of(last, ZoneInfo(self.time_zone)) <= at


def _zoned(versions: Any) -> Any:
    return (
        sa.select(*versions.c, PROGRAMS.c.time_zone, UNITS.c.lot_policy.label("unit_lot_policy"))
        .join(PROGRAMS, PROGRAMS.c.id == versions.c.program_id)
        .join(UNITS, sa.and_(UNITS.c.program_id == versions.c.program_id, UNITS.c.id == versions.c.unit_id))
    )


# Of each rule the latest version that was in force by then, or has ended it.
_then = (
    sa.select(EARNING_RULES)
    .ext(distinct_on(EARNING_RULES.c.id))
    .where(
        EARNING_RULES.c.state != RuleState.DRAFT.value,
        EARNING_RULES.c.effective_time <= sa.bindparam("at", type_=sa.DateTime(timezone=True)),
    )
    .order_by(EARNING_RULES.c.id, EARNING_RULES.c.version.desc())
    .subquery("then")
)
_IN_FORCE = (
    _zoned(_then).where(_then.c.state == RuleState.ACTIVE.value).order_by(_then.c.position, _then.c.id)
)
RULES_IN_FORCE = Statement(_IN_FORCE.where(_then.c.basis != Basis.EVENT.value), row=RuleInForce)
# Every version that was ever in force, or ended one.
EVENT_RULES = Statement(
    _zoned(EARNING_RULES).where(
        EARNING_RULES.c.basis == Basis.EVENT.value, EARNING_RULES.c.state != RuleState.DRAFT.value
    ),
    row=RuleInForce,
)
# A rule as it is in force by then, or has ended; and every version of those of a program that ever was so.
RULE_BY_THEN = Statement(_zoned(_then).where(_then.c.id == sa.bindparam("id")), row=RuleInForce)
_of_program = sa.and_(
    EARNING_RULES.c.program_id == sa.bindparam("program_id"),
    EARNING_RULES.c.basis != Basis.EVENT.value,
    EARNING_RULES.c.state != RuleState.DRAFT.value,
)
VERSIONS_OF_PROGRAM = Statement(_zoned(EARNING_RULES).where(_of_program), row=RuleInForce)
RULES_OF_PROGRAM = Statement(
    sa.select(EARNING_RULES)
    .ext(distinct_on(EARNING_RULES.c.id))
    .where(_of_program)
    .order_by(EARNING_RULES.c.id),
    row=EarningRule,
)
ACTIVE_VERSIONS = Statement[Any](
    sa.select(_then.c.id, _then.c.version).where(
        _then.c.state == RuleState.ACTIVE.value, among(_then.c.id, "ids")
    )
)
_versions = rows_of("asked", ids=sa.Text(), versions=sa.BigInteger())
RULES_BY_VERSION = Statement(
    _zoned(EARNING_RULES).join(
        _versions,
        sa.and_(EARNING_RULES.c.id == _versions.c.ids, EARNING_RULES.c.version == _versions.c.versions),
    ),
    row=RuleInForce,
)

EARNINGS = table(METADATA, "earnings", Earning)
INSERT_EARNINGS = Bulk[Any](EARNINGS)
# Those of purchases that are given back or corrected; nobody else does until the transaction ends.
LOCK_EARNINGS = Statement(
    sa.select(EARNINGS).where(among(EARNINGS.c.id, "ids")).order_by(EARNINGS.c.id).with_for_update(),
    row=Earning,
)
SAVE_EARNINGS = Bulk[Any](
    EARNINGS,
    lambda into: into.on_conflict_do_update(
        index_elements=["id"],
        set_={
            name: into.excluded[name]
            for name in (
                "customer_id",
                "given",
                "moved",
                "update_time",
                "version",
                "earners",
                "reevaluation_job_id",
            )
        },
    ),
)
GET_EARNING = Statement(sa.select(EARNINGS).where(EARNINGS.c.id == sa.bindparam("id")), row=Earning)
SOME_EARNINGS = Statement(sa.select(EARNINGS).where(among(EARNINGS.c.id, "ids")), row=Earning)
LIST_EARNINGS = Listing(
    sa.select(EARNINGS),
    EARNINGS.c.id,
    descending=True,
    row=Earning,
    filters={"customer": filters.customer(EARNINGS.c.customer_id, CUSTOMER)},
)

EARNING_CAPS = sa.Table(
    "earning_caps",
    METADATA,
    sa.Column("rule_id", sa.Text, primary_key=True),
    sa.Column("holder", sa.Uuid, primary_key=True),
    sa.Column("span", sa.Text, primary_key=True),
    sa.Column("used", sa.BigInteger, nullable=False),
)
# Adds to what caps have counted, and says what they have by then. Rows are given in the order of their keys,
# so that two transactions cannot wait for each other; with nothing to add it locks them.
ADD_TO_CAPS = Bulk[Any](
    EARNING_CAPS,
    lambda into: into.on_conflict_do_update(
        index_elements=["rule_id", "holder", "span"],
        set_={"used": EARNING_CAPS.c.used + into.excluded.used},
    ).returning(EARNING_CAPS),
)
# The same of memberships that are part of others, by the holder of the whole: who is merged with somebody has
# earned what both had.
_parts = with_parts(rows_of("asked", holders=sa.Uuid()).c.holders)
CAPS_OF_PARTS = Statement[Any](
    sa.select(
        _parts.c.whole.label("holder"),
        _parts.c.part,
        *(EARNING_CAPS.c[n] for n in ("rule_id", "span", "used")),
    )
    .join(EARNING_CAPS, EARNING_CAPS.c.holder == _parts.c.part)
    .where(_parts.c.part != _parts.c.whole, among(EARNING_CAPS.c.rule_id, "rule_ids"))
)
SOME_CAPS = Statement[Any](sa.select(EARNING_CAPS).where(among(EARNING_CAPS.c.holder, "holders")))

_P = PURCHASES.c
_start, _end = (sa.bindparam(name, type_=sa.DateTime(timezone=True)) for name in ("start", "end"))
# What customers bought in a time, the latest first.
BOUGHT_BETWEEN = Statement(
    sa.select(PURCHASES)
    .where(
        sa.or_(_start.is_(None), _P.purchase_time >= _start),
        sa.or_(_end.is_(None), _P.purchase_time < _end),
        _P.paid > 0,
        _P.customer_id.is_not(None),
    )
    .order_by(_P.purchase_time.desc(), _P.id.desc())
    .limit(sa.bindparam("limit", type_=sa.BigInteger)),
    row=Purchase,
)
