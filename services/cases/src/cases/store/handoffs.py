"""The ledger of hand-offs. A line is written once and closed once: nobody reads it in between."""

from typing import Any

import sqlalchemy as sa

from cases import names
from cases.domain.handoff import Handoff
from cases.store.tables import METADATA
from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Statement, of_entity
from chassis.db.tables import table

HANDOFFS = table(METADATA, "handoffs", Handoff)

HANDOFF = of_entity(HANDOFFS, Handoff)[0]
LIST_HANDOFFS = Listing(
    sa.select(HANDOFFS),
    HANDOFFS.c.id,  # UUIDv7: in the order of handing over
    row=Handoff,
    filters={
        "work_item": filters.name(HANDOFFS.c.work_item_id, names.WORK_ITEM),
        "case": filters.name(HANDOFFS.c.case_id, names.CASE),
        "from_department": filters.name(HANDOFFS.c.from_department_id, names.DEPARTMENT),
        "to_department": filters.name(HANDOFFS.c.to_department_id, names.DEPARTMENT),
    },
)
INSERT_HANDOFF = Statement[Any](sa.insert(HANDOFFS))
_AT = sa.bindparam("at", type_=HANDOFFS.c.hand_over_time.type)
_OF_ITEM = HANDOFFS.c.work_item_id == sa.bindparam("work_item_id")
# Of a work item the one that has not ended: of what came to its department before there was a ledger, none.
_OPEN = sa.update(HANDOFFS).where(_OF_ITEM, HANDOFFS.c.end_time.is_(None))
_BLOCKS, _UNBLOCKS = HANDOFFS.c.block_times, HANDOFFS.c.unblock_times

START_HANDOFF = Statement[Any](_OPEN.values(start_time=_AT))
BLOCK_HANDOFF = Statement[Any](_OPEN.values(block_times=sa.func.array_append(_BLOCKS, _AT)))
UNBLOCK_HANDOFF = Statement[Any](_OPEN.values(unblock_times=sa.func.array_append(_UNBLOCKS, _AT)))
# Work may be said to have ended earlier than it is known to have gone on: then it ended when that was known.
_ENDED = sa.func.greatest(
    _AT, HANDOFFS.c.hand_over_time, HANDOFFS.c.start_time, _BLOCKS[sa.func.cardinality(_BLOCKS)]
)
END_HANDOFF = Statement[Any](
    _OPEN.values(
        end_time=_ENDED,
        unblock_times=sa.case(
            (
                sa.func.cardinality(_BLOCKS) > sa.func.cardinality(_UNBLOCKS),
                sa.func.array_append(_UNBLOCKS, _ENDED),
            ),
            else_=_UNBLOCKS,
        ),
    )
)
HAD_BEFORE = Statement[Any](
    sa.select(
        sa.exists().where(_OF_ITEM, HANDOFFS.c.to_department_id == sa.bindparam("department_id")).label("had")
    )
)
