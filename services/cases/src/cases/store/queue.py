"""The queues: work that nobody has yet, read by indexes that hold nothing else, a lane at a time."""

from typing import Any

import sqlalchemy as sa

from cases.domain.queue import Candidate
from cases.domain.work_item import WorkItem
from cases.store.tables import WORK_ITEMS
from chassis.db.statement import Statement
from chassis.db.tables import updated

OPEN_CASES_MAX, DONE_MAX = 500, 200  # of an agent, by which they know customers: the latest
DEPARTMENTS_MAX = 100  # whose queues are measured
LANES_MAX = 1000  # of a department, of a team or for an agent that are looked at
COUNTED_MAX = 1000
_MOMENT = sa.DateTime(timezone=True)
_WAITING = "work_items.state = 'PENDING' AND work_items.assignee_id IS NULL AND work_items.block_time IS NULL"
_OF = f"work_items.department_id = :department_id AND {_WAITING}"
_CAN_GO_ON = """
    (cardinality(work_items.predecessor_ids) = 0 OR NOT EXISTS (
        SELECT FROM work_items AS before
        WHERE before.id = ANY (work_items.predecessor_ids) AND before.state <> 'FINISHED'
    ))
"""
_READY = f"{_OF} AND {_CAN_GO_ON} AND work_items.id <> ALL (CAST(:but AS uuid[]))"
_ASKED = "string_to_array(lane, ' ')"


def _lanes(where: str = "true") -> Statement[Any]:
    """Lanes in which something waits: from one to the next by the index, however much waits in them.

    Of those that are wanted the first; the others are passed over and not counted, so that they hide none.
    """
    walked = f"""
    WITH RECURSIVE lanes AS (
        (SELECT lane FROM work_items WHERE {_OF} ORDER BY lane LIMIT 1)
        UNION ALL
        SELECT (SELECT lane FROM work_items WHERE {_OF} AND lane > lanes.lane ORDER BY lane LIMIT 1)
        FROM lanes WHERE lanes.lane IS NOT NULL
    )
    SELECT lane FROM lanes WHERE lane IS NOT NULL AND {where} LIMIT {LANES_MAX}
"""  # noqa: S608 - of constants
    return Statement[Any](sa.text(walked))


LANES = _lanes()
LANES_OF_TEAM = _lanes(f"{_ASKED} @> ARRAY[CAST(:team AS text)]")
# Nothing is asked that is not among what somebody can do; to who names no language, any is as good.
LANES_FOR = _lanes(
    f"""NOT EXISTS (
        SELECT FROM unnest({_ASKED}) AS asked WHERE asked <> ALL (CAST(:able AS text[]))
            AND NOT (CAST(:any_language AS boolean) AND starts_with(asked, 'language:'))
    )"""
)

# Each department in whose queue something waits, in the same way.
DEPARTMENTS_WAITING = Statement[Any](
    sa.text(
        f"""
    WITH RECURSIVE departments AS (
        (SELECT department_id FROM work_items WHERE {_WAITING} ORDER BY department_id LIMIT 1)
        UNION ALL
        SELECT (SELECT department_id FROM work_items
            WHERE {_WAITING} AND department_id > departments.department_id ORDER BY department_id LIMIT 1)
        FROM departments WHERE departments.department_id IS NOT NULL
    )
    SELECT department_id FROM departments WHERE department_id IS NOT NULL LIMIT {DEPARTMENTS_MAX}
"""  # noqa: S608 - of constants
    )
)


def _first(column: str, where: str = "", what: str = "id") -> str:
    """The first of each lane by a column, and of these the first: an index range each."""
    return f"""
        SELECT {what} FROM unnest(CAST(:lanes AS text[])) AS lanes(lane) CROSS JOIN LATERAL (
            SELECT work_items.* FROM work_items WHERE {_READY} AND work_items.lane = lanes.lane {where}
            ORDER BY work_items.{column}, work_items.id LIMIT :most
        ) AS each
        ORDER BY each.{column}, each.id LIMIT :most
    """  # noqa: S608 - of constants


# Whether work waits for any is asked first: of an anti-join the planner expects few rows, and starts workers.
# Three scans, each of an index in its order: what is due soon, what comes first by its rank, and what is of
# customers whom the agent knows. Ranks shift all alike as time passes, so that no index changes with time.
CANDIDATES = Statement(
    sa.text(
        f"""
    WITH due AS (
        {_first("deadline_time", "AND work_items.deadline_time <= :near")}
    ), ranked AS (
        {_first("rank_time")}
    ), customers AS (
        (SELECT customer_id FROM cases WHERE owner_id = :agent_id AND state = 'OPEN'
            ORDER BY id DESC LIMIT {OPEN_CASES_MAX})
        UNION
        (SELECT customer_id FROM work_items WHERE assignee_id = :agent_id ORDER BY id DESC LIMIT {DONE_MAX})
    ), known AS (
        SELECT each.id FROM customers CROSS JOIN LATERAL (
            SELECT id FROM work_items WHERE {_READY} AND customer_id = customers.customer_id
                AND lane = ANY (CAST(:lanes AS text[]))
            ORDER BY rank_time, id LIMIT :most
        ) AS each
    )
    SELECT id, deadline_time, rank_time, customer_id IN (SELECT customer_id FROM customers) AS known
    FROM work_items
    WHERE id IN (SELECT id FROM due UNION ALL SELECT id FROM ranked UNION ALL SELECT id FROM known)
"""  # noqa: S608 - of constants
    ).columns(id=sa.Uuid(), deadline_time=_MOMENT, rank_time=_MOMENT, known=sa.Boolean()),
    row=Candidate,
)
_IDS: Any = sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))
# Rows are locked one by one in the order that is given, until one is had that nobody else holds: who locked
# several to choose among them would leave others with nothing. What went elsewhere since it was chosen, to
# another department or lane or behind other work, is not had.
TAKE_FIRST = Statement(
    sa.select(WORK_ITEMS)
    .where(
        WORK_ITEMS.c.id == sa.func.any(_IDS),
        sa.text(f"{_OF} AND {_CAN_GO_ON} AND work_items.lane = ANY (CAST(:lanes AS text[]))"),
    )
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
        -- Of a call: before it is due the customer is to be told.
        (SELECT promises.due_time FROM promises, work_items WHERE work_items.id = :id
            AND promises.id = CAST(work_items.call ->> 'promise_id' AS uuid)) AS told,
        (SELECT min(due_time) FROM clocks WHERE work_item_id = :id AND fulfill_time IS NULL) AS clocked
"""
    )
)
SET_DEADLINE = Statement[Any](updated(WORK_ITEMS, "deadline_time", "deadline_basis", "rank_time", "lane"))
SET_LANE = Statement[Any](updated(WORK_ITEMS, "lane"))
WAITING_OF = Statement[Any](
    sa.text(
        f"""
    SELECT asked.customer_id, waiting.id FROM unnest(CAST(:customer_ids AS uuid[])) AS asked (customer_id),
        LATERAL (SELECT id FROM work_items
            WHERE customer_id = asked.customer_id AND {_WAITING} LIMIT {DONE_MAX}) AS waiting
"""  # noqa: S608 - of constants
    )
)


def _listed(column: str, where: str) -> Statement[WorkItem]:
    after = f"AND (work_items.{column}, work_items.id) > (:after_time, CAST(:after_id AS uuid))"
    first = sa.text(_first(column, f"{where} {after}")).columns(id=sa.Uuid()).subquery("first")
    select = sa.select(WORK_ITEMS).join(first, first.c.id == WORK_ITEMS.c.id)
    return Statement(select.order_by(WORK_ITEMS.c[column], WORK_ITEMS.c.id), row=WorkItem)


# What waits, in the order in which it is given out: what is due soon, then the rest by its rank.
LIST_DUE = _listed("deadline_time", "AND work_items.deadline_time <= :near")
LIST_RANKED = _listed("rank_time", "AND work_items.deadline_time > :near")


def _each(column: str, most: int, where: str = "") -> str:
    """What is first in each lane by a column, at most so many of each: an index range each."""
    return f"""
        FROM unnest(CAST(:lanes AS text[])) AS lanes(lane) CROSS JOIN LATERAL (
            SELECT {column} FROM work_items WHERE {_READY} AND work_items.lane = lanes.lane {where}
            ORDER BY {column} LIMIT {most}
        ) AS each
    """  # noqa: S608 - of constants


COUNTS = Statement[Any](
    sa.text(
        f"""
    SELECT
        (SELECT count(*) FROM (SELECT {_each("queue_time", COUNTED_MAX)} LIMIT {COUNTED_MAX}) AS counted)
            AS waiting_count,
        (SELECT count(*) FROM (SELECT {_each("deadline_time", COUNTED_MAX, "AND deadline_time < :now")}
            LIMIT {COUNTED_MAX}) AS counted) AS overdue_count,
        (SELECT min(each.queue_time) {_each("queue_time", 1)}) AS oldest_time
"""  # noqa: S608 - of constants
    )
)
