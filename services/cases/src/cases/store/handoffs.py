"""The ledger of hand-offs. A line is written once and closed once: nobody reads it in between."""

from typing import Any

import sqlalchemy as sa

from cases import names
from cases.domain.handoff import Handoff
from cases.store.tables import METADATA, members
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import table

BLOCKS_MAX = 1_000  # of a stay: what comes after them is counted as work

HANDOFFS = table(METADATA, "handoffs", Handoff)

HANDOFF = of_entity(HANDOFFS, Handoff)[0]
LIST_HANDOFFS = Listing(
    sa.select(HANDOFFS),
    HANDOFFS.c.id,  # UUIDv7: in the order of handing over
    row=Handoff,
    filters={
        "work_item": filters.name(HANDOFFS.c.work_item_id, names.WORK_ITEM),
        "case": filters.one_of(HANDOFFS.c.case_id, names.CASE, members),
        "requesting_department": filters.name(HANDOFFS.c.requesting_department_id, names.DEPARTMENT),
        "department": filters.name(HANDOFFS.c.department_id, names.DEPARTMENT),
    },
)
INSERT_HANDOFF = Statement[Any](sa.insert(HANDOFFS))
_AT = sa.bindparam("at", type_=HANDOFFS.c.hand_over_time.type)
_OF_ITEM = HANDOFFS.c.work_item_id == sa.bindparam("work_item_id")
# Of a work item the one that has not ended: of what came to its department before there was a ledger, none.
_OPEN = sa.update(HANDOFFS).where(_OF_ITEM, HANDOFFS.c.end_time.is_(None))
_BLOCKS, _UNBLOCKS = HANDOFFS.c.block_times, HANDOFFS.c.unblock_times

# Clocks of computers differ, who asks first may be heard last, and work may be said to have ended before it
# is known to have gone on: nothing ends before it began.
_BLOCKED = _BLOCKS[sa.func.cardinality(_BLOCKS)]
_IS_BLOCKED = sa.func.cardinality(_BLOCKS) > sa.func.cardinality(_UNBLOCKS)
_ENDED = sa.func.greatest(_AT, HANDOFFS.c.hand_over_time, HANDOFFS.c.start_time, _BLOCKED)

START_HANDOFF = Statement[Any](_OPEN.values(start_time=sa.func.greatest(_AT, HANDOFFS.c.hand_over_time)))
BLOCK_HANDOFF = Statement[Any](
    _OPEN.where(sa.func.cardinality(_BLOCKS) < sa.literal_column(str(BLOCKS_MAX))).values(
        block_times=sa.func.array_append(_BLOCKS, _AT)
    )
)
UNBLOCK_HANDOFF = Statement[Any](
    _OPEN.where(_IS_BLOCKED).values(
        unblock_times=sa.func.array_append(_UNBLOCKS, sa.func.greatest(_AT, _BLOCKED))
    )
)
END_HANDOFF = Statement[Any](
    _OPEN.values(
        end_time=_ENDED,
        unblock_times=sa.case(
            (_IS_BLOCKED, sa.func.array_append(_UNBLOCKS, _ENDED)),
            else_=_UNBLOCKS,
        ),
    )
)
HAD_BEFORE = Statement[Any](
    sa.select(
        sa.exists().where(_OF_ITEM, HANDOFFS.c.department_id == sa.bindparam("department_id")).label("had")
    )
)
