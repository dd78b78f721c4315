"""Where the time of cases goes, in one statement: all in all, and by which department waited for which."""

from typing import Any

import sqlalchemy as sa

from cases.store.calendars import LATEST
from cases.store.tables import DEPARTMENTS
from chassis.db.statement import Statement

PAIRS_MAX = 1000

# The latest version of the calendar of each department that names one.
CALENDARS_OF_DEPARTMENTS = Statement[Any](
    sa.select(DEPARTMENTS.c.id, LATEST.c.id.label("calendar_id"), LATEST.c.version).join(
        LATEST, LATEST.c.id == DEPARTMENTS.c.calendar_id
    )
)


def _open_s(at: str) -> str:
    """SQL: for how many seconds a calendar was open until a moment, since its first window."""
    window = f"width_bucket({at}, opens)"
    return f"least({at} + shifts[{window}], caps[{window}])"


# When calendars are open. Of each window: when it opens; what, added to a moment in it, makes the seconds
# that were open until then; and how many were at its end. The first calendar is open always.
_HOURS = """
    WITH hours AS MATERIALIZED (
        SELECT calendar, array_agg(opens ORDER BY opens) AS opens,
            array_agg(shift ORDER BY opens) AS shifts, array_agg(cap ORDER BY opens) AS caps
        FROM unnest(
            CAST(:calendars AS int[]), CAST(:opens AS float8[]),
            CAST(:shifts AS float8[]), CAST(:caps AS float8[])
        ) AS windows (calendar, opens, shift, cap)
        GROUP BY calendar
    ), always AS (
        SELECT opens, shifts, caps FROM hours WHERE calendar = 0
    ), known AS MATERIALIZED (
        SELECT department_id, opens, shifts, caps
        FROM unnest(
            CAST(:departments AS text[]), CAST(:calendars_of AS int[])
        ) AS named (department_id, calendar) JOIN hours USING (calendar)
    )
"""
# A case is read with what was merged into it: one concern, that began when the first of them was opened.
_CASES = """
    , roots AS MATERIALIZED (
        SELECT id, state, open_time, greatest(coalesce(resolve_time, :now), open_time) AS close_time
        FROM cases
        WHERE open_time >= :start_time AND open_time < :end_time AND survivor_id IS NULL
            AND (CAST(:topic AS text) = '' OR topic = :topic)
    ), merged AS MATERIALIZED (
        SELECT roots.id AS root_id, cases.id, cases.open_time
        FROM roots JOIN cases ON cases.survivor_id = roots.id
    ), lives AS MATERIALIZED (
        SELECT id, state, date_part('epoch', close_time) AS closed,
            date_part('epoch', least(open_time, first_time)) AS opened
        FROM roots LEFT JOIN (
            SELECT root_id, min(open_time) AS first_time FROM merged GROUP BY root_id
        ) AS first ON root_id = id
    ), members AS (
        SELECT id AS root_id, id FROM roots UNION ALL SELECT root_id, id FROM merged
    )
"""
# What of a stay was work: since it was begun, less the times in which it could not go on. Few were blocked:
# of these alone `pieces` are what is left, whatever the clocks of computers said. OFFSET 0 keeps what was
# computed once from being computed anew wherever it is used.
_STAYS = f"""
    , stays AS (
        SELECT root_id, requesting_department_id, department_id, returned, asked_customer_again,
            hand_over_time, start_time, block_times, unblock_times,
            CASE WHEN end_time IS NOT NULL THEN end_time ELSE greatest(
                -- of work that the release before has finished nobody has ended the line
                coalesce((SELECT finish_time FROM work_items WHERE id = work_item_id), :now),
                hand_over_time, start_time
            ) END AS until
        FROM members JOIN handoffs ON handoffs.case_id = members.id
        OFFSET 0
    ), timed AS (
        SELECT root_id, requesting_department_id, stays.department_id, returned, asked_customer_again,
            date_part('epoch', hand_over_time) AS came, date_part('epoch', until) AS ended,
            date_part('epoch', coalesce(start_time, until)) AS begun,
            CASE WHEN block_times <> '{{}}' AND start_time IS NOT NULL THEN
                tstzmultirange(tstzrange(start_time, until)) - (
                    SELECT range_agg(tstzrange(began, greatest(coalesce(ended, until), began)))
                    FROM unnest(block_times, unblock_times) AS block (began, ended)
                )
            END AS pieces,
            coalesce(known.opens, always.opens) AS opens, coalesce(known.shifts, always.shifts) AS shifts,
            coalesce(known.caps, always.caps) AS caps
        FROM stays CROSS JOIN always LEFT JOIN known USING (department_id)
        OFFSET 0
    ), counted AS (
        SELECT timed.*, {_open_s("came")} AS open_came, {_open_s("begun")} AS open_begun,
            {_open_s("ended")} AS open_ended
        FROM timed
        OFFSET 0
    ), measured AS MATERIALIZED (
        SELECT root_id, requesting_department_id, department_id, returned, asked_customer_again, begun, ended,
            pieces, begun - came AS wait_s, open_begun - open_came AS open_wait_s,
            CASE WHEN pieces IS NULL THEN ended - begun ELSE (
                SELECT coalesce(sum(date_part('epoch', upper(each) - lower(each))), 0)
                FROM unnest(pieces) AS each
            ) END AS work_s,
            CASE WHEN pieces IS NULL THEN open_ended - open_begun ELSE (
                SELECT coalesce(sum({_open_s("until")} - {_open_s("since")}), 0)
                FROM unnest(pieces) AS each,
                    LATERAL (SELECT date_part('epoch', lower(each)), date_part('epoch', upper(each)))
                        AS piece (since, until)
            ) END AS open_work_s
        FROM counted
    )
"""  # noqa: S608 - of constants
_PAIRS = """
    , pairs AS (
        SELECT requesting_department_id, department_id, count(*) AS handoff_count,
            count(*) FILTER (WHERE returned) AS return_count,
            count(*) FILTER (WHERE asked_customer_again) AS asked_customer_again_count,
            round(sum(wait_s))::bigint AS wait_seconds,
            round(percentile_cont(0.5) WITHIN GROUP (ORDER BY wait_s))::bigint AS median_wait_seconds,
            round(sum(work_s))::bigint AS work_seconds,
            round(percentile_cont(0.5) WITHIN GROUP (ORDER BY work_s))::bigint AS median_work_seconds,
            round(sum(ended - begun - work_s))::bigint AS blocked_seconds,
            round(sum(open_wait_s) / 60)::bigint AS wait_business_minutes,
            round(percentile_cont(0.5) WITHIN GROUP (ORDER BY open_wait_s) / 60)::bigint
                AS median_wait_business_minutes,
            round(sum(open_work_s) / 60)::bigint AS work_business_minutes,
            round(percentile_cont(0.5) WITHIN GROUP (ORDER BY open_work_s) / 60)::bigint
                AS median_work_business_minutes
        FROM measured GROUP BY 1, 2 ORDER BY wait_seconds DESC, 1, 2 LIMIT :most
    )
"""
# What is done at the same time counts once, and so it is less than by pairs: of each stretch of work, in the
# order in which they began, what comes after all before it.
_TOTALS = """
    , stretches AS (
        SELECT root_id, begun AS since, ended AS until FROM measured WHERE pieces IS NULL AND ended > begun
        UNION ALL
        SELECT root_id, date_part('epoch', lower(each)), date_part('epoch', upper(each))
        FROM measured, unnest(pieces) AS each WHERE pieces IS NOT NULL
    ), ordered AS (
        SELECT root_id, since, until, max(until) OVER (
            PARTITION BY root_id ORDER BY since ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
        FROM stretches
    ), worked AS (
        SELECT root_id, sum(greatest(0, least(until, closed) - greatest(since, before, opened))) AS worked_s
        FROM ordered JOIN lives ON lives.id = root_id
        GROUP BY root_id
    ), totals AS (
        SELECT count(*) AS case_count, count(*) FILTER (WHERE state = 'OPEN') AS open_case_count,
            round(coalesce(sum(closed - opened), 0))::bigint AS end_to_end_seconds,
            round(coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY closed - opened), 0))::bigint
                AS median_end_to_end_seconds,
            round(coalesce(sum(worked_s), 0))::bigint AS worked_seconds
        FROM lives LEFT JOIN worked ON worked.root_id = lives.id
    )
"""
# A row for each pair, with the totals; one without a pair where nothing was handed over.
_REPORT = "SELECT * FROM totals LEFT JOIN pairs ON true ORDER BY wait_seconds DESC, 6, 7"
REPORT_HANDOFFS = Statement[Any](sa.text(_HOURS + _CASES + _STAYS + _PAIRS + _TOTALS + _REPORT))
