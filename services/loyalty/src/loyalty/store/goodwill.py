"""Statements on goodwill."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.db.statement import Statement
from loyalty.domain.goodwill import Goodwill
from loyalty.store.tables import GOODWILL

# Returns nothing when the promise has a grant. Of two at once, the second waits for the first and sees it.
INSERT_GOODWILL = Statement[Any](
    insert(GOODWILL)
    .values({c.name: sa.bindparam(c.name) for c in GOODWILL.c})
    .on_conflict_do_nothing(index_elements=["promise_id"])
    .returning(GOODWILL.c.id)
)

GET_GOODWILL = Statement(sa.select(GOODWILL).where(GOODWILL.c.id == sa.bindparam("id")), row=Goodwill)
