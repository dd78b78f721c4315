"""Statements on what was posted as breakage, and on what was issued in a month."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Bulk, Statement
from chassis.db.tables import rows_of, table
from loyalty.domain.breakage import Breakage, Due
from loyalty.domain.ledger import EARNED_FROM, AccountType
from loyalty.store.ledger import entry_before
from loyalty.store.tables import ACCOUNTS, METADATA, PROGRAMS

BREAKAGES = table(METADATA, "breakages", Breakage, key=("program_id", "unit_id", "start_time"))
_B, _A = BREAKAGES.c, ACCOUNTS.c
POSTED = Statement(
    sa.select(BREAKAGES).where(
        _B.program_id == sa.bindparam("program_id"), _B.unit_id == sa.bindparam("unit_id")
    ),
    row=Breakage,
)
INSERT_BREAKAGES = Bulk[Any](BREAKAGES)
_until = (
    sa.select(sa.func.max(_B.end_time))
    .where(_B.program_id == _A.program_id, _B.unit_id == _A.unit_id)
    .scalar_subquery()
)
# Every unit that has an account for it: there are as many as programs have units, which is few.
UNITS = Statement(
    sa.select(_A.program_id, _A.unit_id, PROGRAMS.c.time_zone, _until.label("posted_until"))
    .join(PROGRAMS, PROGRAMS.c.id == _A.program_id)
    .where(_A.type == AccountType.BREAKAGE.value, _A.membership_id.is_(None), _A.whole_id.is_(None))
    .order_by(_A.program_id, _A.unit_id),
    row=Due,
)

_months = rows_of("months", starts=sa.DateTime(timezone=True), ends=sa.DateTime(timezone=True))
_before, _after = entry_before(_months.c.starts, "first"), entry_before(_months.c.ends, "last")
_GIVERS: list[Any] = [sa.literal_column(f"'{kind}'") for kind in sorted({*EARNED_FROM, AccountType.GOODWILL})]
# What a unit's accounts that members get from gave in each month, by the type of the account.
ISSUED_IN = Statement[Any](
    sa.select(
        _A.type,
        _months.c.starts.label("start"),
        sa.cast(sa.func.sum(_before.c.balance - _after.c.balance), sa.BigInteger).label("amount"),
    )
    .join_from(ACCOUNTS, _months, sa.true())
    .join(_before, sa.true())
    .join(_after, sa.true())
    .where(
        _A.program_id == sa.bindparam("program_id"),
        _A.unit_id == sa.bindparam("unit_id"),
        _A.membership_id.is_(None),
        _A.type.in_(_GIVERS),
    )
    .group_by(_A.type, _months.c.starts)
)
