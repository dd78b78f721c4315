"""Statements on what was told of memberships."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, replaced
from customer.store.tables import HOUSEHOLDS, HouseholdRow

_H = HOUSEHOLDS.c

# A membership's row is what serialises those who hear of it: made when missing, then locked, both in the
# order of the names, and before any row of a view.
ENSURE_HOUSEHOLDS = Bulk[Any](
    HOUSEHOLDS, lambda insert: insert.on_conflict_do_nothing(index_elements=["membership"])
)
LOCKED_HOUSEHOLDS = Statement(
    sa.select(HOUSEHOLDS)
    .where(among(_H.membership, "memberships"))
    .order_by(_H.membership)
    .with_for_update(),
    row=HouseholdRow,
)
SAVE_HOUSEHOLDS = Bulk[Any](HOUSEHOLDS, replaced)
