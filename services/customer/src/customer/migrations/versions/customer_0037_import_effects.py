"""What an import would do is looked at first, and what each row did is kept.

Rows with defaults, which the release before writes. Its own condition for a job that is under way is found in
the new index, too, which says more.
"""

from alembic import op

from chassis.db.indexes import create_index

revision = "customer_0037"
down_revision = "customer_0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE import_jobs
            ADD COLUMN IF NOT EXISTS mode text NOT NULL DEFAULT 'UNSPECIFIED',
            ADD COLUMN IF NOT EXISTS changed_count bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS skipped_count bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS rejected_count bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS previewed_line bigint NOT NULL DEFAULT 0
        """)
    op.execute("ALTER TABLE import_findings ADD COLUMN IF NOT EXISTS preview boolean NOT NULL DEFAULT false")
    op.execute("""
        CREATE TABLE IF NOT EXISTS import_effects (
            job_id uuid NOT NULL REFERENCES import_jobs,
            line bigint NOT NULL,
            outcome text NOT NULL,
            customer_id uuid,
            created_line bigint NOT NULL,
            matched bigint NOT NULL,
            changes jsonb NOT NULL,
            added jsonb NOT NULL,
            observation text NOT NULL,
            version bigint NOT NULL,
            preview boolean NOT NULL,
            PRIMARY KEY (job_id, line)
        )
        """)
    op.execute("""
        CREATE INDEX IF NOT EXISTS import_effects_customer ON import_effects (customer_id, job_id)
        WHERE customer_id IS NOT NULL
        """)
    op.execute("""
        CREATE TABLE IF NOT EXISTS import_previews (
            job_id uuid NOT NULL REFERENCES import_jobs,
            customer_id uuid NOT NULL,
            held bytea NOT NULL,
            PRIMARY KEY (job_id, customer_id)
        )
        """)
    op.execute("""
        CREATE TABLE IF NOT EXISTS import_preview_keys (
            job_id uuid NOT NULL REFERENCES import_jobs,
            digest bytea NOT NULL,
            customer_id uuid NOT NULL,
            shared boolean NOT NULL,
            PRIMARY KEY (job_id, digest, customer_id)
        )
        """)
    create_index(
        "import_jobs_not_done",
        "import_jobs (department_id, source) "
        "WHERE state IN ('OPEN', 'COMMITTING', 'PREVIEWING', 'PREVIEWED')",
        kind="UNIQUE INDEX",
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS import_jobs_under_way")
