"""Merges that were undone are words of somebody that two are two, whatever the matcher knew of them."""

from alembic import op

revision = "customer_0011"
down_revision = "customer_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A new database has no merges, and no names before the chassis' own revision. Before anybody was matched
    # there are no parameters, and nobody could have been linked again.
    op.execute("""
        DO $$ BEGIN
            IF to_regclass('alias_groups') IS NOT NULL THEN
                INSERT INTO match_candidates (
                    id, customer_id, other_customer_id, state, weight_millibits, link, fields, barred,
                    match_parameters_id, decider, reason_code, comment, create_time, update_time, decide_time,
                    version
                )
                SELECT DISTINCT ON (pair.first, pair.other)
                    gen_random_uuid(), pair.first, pair.other, 'REJECTED', 0, '', '[]', '', parameters.id,
                    undo_actor, undo_reason_code, '', undo_time, undo_time, undo_time, 1
                FROM customer_merges,
                    LATERAL (SELECT least(customer_id, merged_customer_id) AS first,
                        greatest(customer_id, merged_customer_id) AS other) AS pair,
                    (SELECT id FROM match_parameters ORDER BY create_time DESC, id DESC LIMIT 1) AS parameters
                WHERE state = 'UNDONE' AND survivor_of(customer_id) <> survivor_of(merged_customer_id)
                ORDER BY pair.first, pair.other, undo_time DESC
                ON CONFLICT (customer_id, other_customer_id) DO UPDATE SET
                    state = 'REJECTED', decider = excluded.decider, reason_code = excluded.reason_code,
                    decide_time = excluded.decide_time, update_time = excluded.update_time,
                    version = match_candidates.version + 1
                WHERE match_candidates.state <> 'REJECTED' OR match_candidates.reason_code = 'unlinked';
            END IF;
        END $$
        """)
