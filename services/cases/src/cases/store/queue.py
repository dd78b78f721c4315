"""The queues: work that nobody has yet, read by indexes that hold nothing else."""

from typing import Any

import sqlalchemy as sa

from cases.domain.queue import Candidate
from cases.domain.work_item import WorkItem
from cases.store.tables import WORK_ITEMS
from chassis.db.statement import Statement
from chassis.db.tables import updated

OPEN_CASES_MAX, DONE_MAX = 500, 200  # of an agent, by which they know customers: the latest
_WAITING = "work_items.state = 'PENDING' AND work_items.assignee_id IS NULL AND work_items.block_time IS NULL"
_READY = f"""
    work_items.department_id = :department_id AND {_WAITING} AND work_items.id <> ALL (CAST(:but AS uuid[]))
    AND (cardinality(work_items.predecessor_ids) = 0 OR NOT EXISTS (
        SELECT FROM work_items AS before
        WHERE before.id = ANY (work_items.predecessor_ids) AND before.state <> 'FINISHED'
    ))
"""
# Whether work waits for any is asked first: of an anti-join the planner expects few rows, and starts workers.
# Three scans, each of an index in its order: what is due soon, what comes first by its rank, and what is of
# customers whom the agent knows. Ranks shift all alike as time passes, so that no index changes with time.
CANDIDATES = Statement(
    sa.text(
        f"""
    WITH due AS (
        SELECT id FROM work_items WHERE {_READY} AND deadline_time <= :near
        ORDER BY deadline_time, id LIMIT :most
    ), ranked AS (
        SELECT id FROM work_items WHERE {_READY} ORDER BY rank_time, id LIMIT :most
    ), customers AS (
        (SELECT customer_id FROM cases WHERE owner_id = :agent_id AND state = 'OPEN'
            ORDER BY id DESC LIMIT {OPEN_CASES_MAX})
        UNION
        (SELECT customer_id FROM work_items WHERE assignee_id = :agent_id ORDER BY id DESC LIMIT {DONE_MAX})
    ), known AS (
        SELECT each.id FROM customers CROSS JOIN LATERAL (
            SELECT id FROM work_items WHERE {_READY} AND customer_id = customers.customer_id
            ORDER BY rank_time, id LIMIT :most
        ) AS each
    )
    SELECT id, create_time, deadline_time, deadline_basis, rank_time,
        customer_id IN (SELECT customer_id FROM customers) AS known
    FROM work_items
    WHERE id IN (SELECT id FROM due UNION ALL SELECT id FROM ranked UNION ALL SELECT id FROM known)
"""  # noqa: S608 - of constants
    ).columns(
        id=sa.Uuid(),
        create_time=sa.DateTime(timezone=True),
        deadline_time=sa.DateTime(timezone=True),
        deadline_basis=sa.Text(),
        rank_time=sa.DateTime(timezone=True),
        known=sa.Boolean(),
    ),
    row=Candidate,
)
_IDS: Any = sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))
# Rows are locked one by one in the order that is given, until one is had that nobody else holds: who locked
# several to choose among them would leave others with nothing.
TAKE_FIRST = Statement(
    sa.select(WORK_ITEMS)
    .where(WORK_ITEMS.c.id == sa.func.any(_IDS), sa.text(_WAITING))
    .order_by(sa.func.array_position(_IDS, WORK_ITEMS.c.id))
    .limit(sa.literal_column("1"))
    .with_for_update(key_share=True, skip_locked=True),
    row=WorkItem,
)
# What says by when work is to be done, read once the work item is locked.
DUE_OF = Statement[Any](
    sa.text(
        """
    SELECT
        (SELECT min(due_time) FROM promises
            WHERE work_item_id = :id AND state IN ('OPEN', 'AT_RISK', 'BROKEN')
                AND successor_id IS NULL AND withdraw_time IS NULL) AS promised,
        (SELECT min(due_time) FROM clocks WHERE work_item_id = :id AND fulfill_time IS NULL) AS clocked
"""
    )
)
SET_DEADLINE = Statement[Any](updated(WORK_ITEMS, "deadline_time", "deadline_basis", "rank_time"))
WAITING_OF = Statement[Any](
    sa.text(
        f"SELECT id FROM work_items WHERE customer_id = :customer_id AND {_WAITING} LIMIT {DONE_MAX}"  # noqa: S608 - of constants
    )
)
