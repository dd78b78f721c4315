"""Earlier parameters of matching can be put in force again, and a job says why nothing was learned."""

from alembic import op

revision = "customer_0020"
down_revision = "customer_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE match_jobs ADD COLUMN IF NOT EXISTS reason_code text NOT NULL DEFAULT ''")
    op.execute("""
        ALTER TABLE match_parameters
            ADD COLUMN IF NOT EXISTS activate_time timestamptz NOT NULL DEFAULT now(),
            ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 1
        """)
    op.execute("UPDATE match_parameters SET activate_time = create_time")
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS match_parameters_activate_time")
        op.execute(
            "CREATE INDEX CONCURRENTLY match_parameters_activate_time ON match_parameters (activate_time, id)"
        )
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
