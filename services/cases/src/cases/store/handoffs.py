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

# What of a stay was work: since it was begun, less the times in which it could not go on. A case is read with
# what was merged into it: one concern, that began when the first of them was opened.
_STAYS = """
    WITH roots AS (
        SELECT id, state, open_time, greatest(coalesce(resolve_time, :now), open_time) AS close_time
        FROM cases
        WHERE open_time >= :start_time AND open_time < :end_time AND survivor_id IS NULL
            AND (CAST(:topic AS text) = '' OR topic = :topic)
    ), members AS (
        SELECT id AS root_id, id, open_time FROM roots
        UNION ALL
        SELECT roots.id, cases.id, cases.open_time FROM roots JOIN cases ON cases.survivor_id = roots.id
    ), chosen AS (
        SELECT roots.id, state, close_time, min(members.open_time) AS open_time
        FROM roots JOIN members ON members.root_id = roots.id
        GROUP BY roots.id, state, close_time
    ), stays AS (
        SELECT handoffs.*, members.root_id,
            coalesce(handoffs.end_time, greatest(
                -- of work that the release before has finished nobody has ended the line
                coalesce((SELECT finish_time FROM work_items WHERE id = work_item_id), :now),
                hand_over_time, start_time
            )) AS until
        FROM handoffs JOIN members ON members.id = handoffs.case_id
    ), worked AS (
        SELECT stays.*, CASE
            WHEN start_time IS NULL THEN '{}'
            WHEN block_times = '{}' THEN tstzmultirange(tstzrange(start_time, until))
            ELSE tstzmultirange(tstzrange(start_time, until)) - (
                SELECT range_agg(tstzrange(began, greatest(coalesce(ended, until), began)))
                FROM unnest(block_times, unblock_times) AS block (began, ended)
            ) END AS work
        FROM stays
    ), measured AS (
        SELECT worked.*,
            extract(epoch FROM coalesce(start_time, until) - hand_over_time) AS wait_s,
            CASE WHEN block_times = '{}' THEN extract(epoch FROM until - coalesce(start_time, until)) ELSE (
                SELECT coalesce(sum(extract(epoch FROM upper(each) - lower(each))), 0)
                FROM unnest(work) AS each
            ) END AS work_s,
            extract(epoch FROM until - coalesce(start_time, until)) AS begun_s
        FROM worked
    )
"""
PAIRS_MAX = 1000
REPORT_PAIRS = Statement[Any](
    sa.text(
        _STAYS  # noqa: S608 - of constants
        + """
    SELECT requesting_department_id, department_id, count(*) AS handoff_count,
        count(*) FILTER (WHERE returned) AS return_count,
        count(*) FILTER (WHERE asked_customer_again) AS asked_customer_again_count,
        round(sum(wait_s))::bigint AS wait_seconds,
        round(percentile_cont(0.5) WITHIN GROUP (ORDER BY wait_s))::bigint AS median_wait_seconds,
        round(sum(work_s))::bigint AS work_seconds,
        round(percentile_cont(0.5) WITHIN GROUP (ORDER BY work_s))::bigint AS median_work_seconds,
        round(sum(begun_s - work_s))::bigint AS blocked_seconds
    FROM measured GROUP BY 1, 2 ORDER BY wait_seconds DESC, 1, 2 LIMIT :most
"""
    )
)
# What is done at the same time counts once, and so it is less than by pairs.
REPORT_CASES = Statement[Any](
    sa.text(
        _STAYS  # noqa: S608 - of constants
        + """
    , lived AS (
        SELECT chosen.id, state, extract(epoch FROM close_time - open_time) AS life_s,
            range_agg(work) * tstzmultirange(tstzrange(open_time, close_time)) AS work
        FROM chosen LEFT JOIN measured ON measured.root_id = chosen.id
        GROUP BY chosen.id, state, open_time, close_time
    ), split AS (
        SELECT state, life_s, (
            SELECT coalesce(sum(extract(epoch FROM upper(each) - lower(each))), 0) FROM unnest(work) AS each
        ) AS work_s
        FROM lived
    )
    SELECT count(*) AS case_count, count(*) FILTER (WHERE state = 'OPEN') AS open_case_count,
        round(coalesce(sum(life_s), 0))::bigint AS end_to_end_seconds,
        round(coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY life_s), 0))::bigint
            AS median_end_to_end_seconds,
        round(coalesce(sum(work_s), 0))::bigint AS work_seconds,
        round(coalesce(sum(life_s), 0))::bigint - round(coalesce(sum(work_s), 0))::bigint AS wait_seconds
    FROM split
"""
    )
)
