"""Tiers of programs, and where memberships stand."""

from alembic import op

revision = "loyalty_0015"
down_revision = "loyalty_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE programs ADD COLUMN tier_policy jsonb")
    op.execute(
        """
        CREATE TABLE tiers (
            program_id text NOT NULL REFERENCES programs,
            id text NOT NULL,
            display_name text NOT NULL,
            threshold numeric NOT NULL CHECK (threshold > 0),
            version bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            benefits jsonb NOT NULL,
            PRIMARY KEY (program_id, id),
            UNIQUE (program_id, threshold)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE tier_standings (
            id uuid PRIMARY KEY REFERENCES memberships,
            program_id text NOT NULL,
            customer_id uuid NOT NULL,
            tier_id text NOT NULL,
            reach_time timestamptz,
            term_end timestamptz,
            review_time timestamptz,
            told boolean NOT NULL,
            due_time timestamptz,
            shard bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            whole_tier_id text NOT NULL,
            whole_term_end timestamptz
        ) WITH (fillfactor = 80)
        """
    )
    op.execute(
        "CREATE INDEX tier_standings_due ON tier_standings (shard, due_time) WHERE due_time IS NOT NULL"
    )
