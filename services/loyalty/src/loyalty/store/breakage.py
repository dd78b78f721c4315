"""Statements on what was posted as breakage."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Bulk, Statement
from chassis.db.tables import table
from loyalty.domain.breakage import Breakage, Due
from loyalty.domain.ledger import AccountType
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
