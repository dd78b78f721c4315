"""Statements on programs, units and memberships."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement
from chassis.db.tables import updated
from loyalty.domain.program import Membership, Program, Unit
from loyalty.names import CUSTOMER
from loyalty.store.tables import MEMBERSHIPS, PROGRAMS, UNITS


def _inserted(table: sa.Table) -> sa.ClauseElement:
    """Returns the row when it is new."""
    new = insert(table).values({c.name: sa.bindparam(c.name) for c in table.c})
    return new.on_conflict_do_nothing().returning(*table.c)


INSERT_PROGRAM = Statement(_inserted(PROGRAMS), row=Program)
UPDATE_PROGRAM = Statement[Any](updated(PROGRAMS))
_PROGRAM = sa.select(PROGRAMS).where(PROGRAMS.c.id == sa.bindparam("id"))
GET_PROGRAM = Statement(_PROGRAM, row=Program)
LOCK_PROGRAM = Statement(_PROGRAM.with_for_update(), row=Program)
LIST_PROGRAMS = Listing(sa.select(PROGRAMS), PROGRAMS.c.id, row=Program)

INSERT_UNIT = Statement(_inserted(UNITS), row=Unit)
UPDATE_UNIT = Statement[Any](updated(UNITS))
_UNITS = sa.select(UNITS).where(UNITS.c.program_id == sa.bindparam("program_id"))
_UNIT = _UNITS.where(UNITS.c.id == sa.bindparam("id"))
GET_UNIT = Statement(_UNIT, row=Unit)
LOCK_UNIT = Statement(_UNIT.with_for_update(), row=Unit)
UNITS_OF = Statement(_UNITS, row=Unit)
LIST_UNITS = Listing(_UNITS, UNITS.c.id, row=Unit)

INSERT_MEMBERSHIP = Statement(_inserted(MEMBERSHIPS), row=Membership)
_MEMBERSHIPS = sa.select(MEMBERSHIPS).where(MEMBERSHIPS.c.program_id == sa.bindparam("program_id"))
GET_MEMBERSHIP = Statement(_MEMBERSHIPS.where(MEMBERSHIPS.c.id == sa.bindparam("id")), row=Membership)
MEMBERSHIP_OF = Statement(
    _MEMBERSHIPS.where(MEMBERSHIPS.c.customer_id == sa.bindparam("customer_id")), row=Membership
)
LIST_MEMBERSHIPS = Listing(
    _MEMBERSHIPS,
    MEMBERSHIPS.c.id,
    row=Membership,
    filters={"customer": filters.name(MEMBERSHIPS.c.customer_id, CUSTOMER)},
)
