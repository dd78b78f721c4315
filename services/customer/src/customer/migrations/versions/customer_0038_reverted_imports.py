"""An import is taken back, and whom it created are customers no more."""

from alembic import op

from chassis.db.indexes import create_index

revision = "customer_0038"
down_revision = "customer_0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE import_jobs
            ADD COLUMN IF NOT EXISTS traced_count bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS reverted_count bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS kept_count bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS revert_time timestamptz,
            ADD COLUMN IF NOT EXISTS revert_expire_time timestamptz,
            ADD COLUMN IF NOT EXISTS reverter text NOT NULL DEFAULT '',
            ADD COLUMN IF NOT EXISTS revert_id uuid
        """)
    op.execute("ALTER TABLE import_effects ADD COLUMN IF NOT EXISTS undone boolean")
    op.execute("""
        CREATE TABLE IF NOT EXISTS deleted_customers (
            id uuid PRIMARY KEY,
            delete_time timestamptz NOT NULL
        )
        """)
    create_index("import_effects_left", "import_effects (job_id, line) WHERE undone IS NULL")
