"""How far policies on dates of customers have come."""

from typing import Any

import sqlalchemy as sa

from chassis.db.statement import Bulk, Statement
from chassis.db.tables import replaced, table
from notifications.domain.customer_date import Walk
from notifications.store.tables import METADATA

WALKS = table(METADATA, "customer_date_walks", Walk, key=("notice_policy_id",))
_OF_POLICY = WALKS.c.notice_policy_id == sa.bindparam("notice_policy_id")
WALK = Statement(sa.select(WALKS).where(_OF_POLICY), row=Walk)
LOCK_WALK = Statement(sa.select(WALKS).where(_OF_POLICY).with_for_update(), row=Walk)
PUT_WALK = Bulk[None](WALKS, replaced)
END_WALK = Statement[Any](sa.delete(WALKS).where(_OF_POLICY))
