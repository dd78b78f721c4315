"""Earlier parameters of matching can be put in force again, and a job says why nothing was learned."""

from alembic import op

from chassis.db.indexes import create_index

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
    create_index("match_parameters_activate_time", "match_parameters (activate_time, id)")
