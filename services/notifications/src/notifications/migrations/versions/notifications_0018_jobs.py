"""Jobs that send to many customers."""

from alembic import op

revision = "notifications_0018"
down_revision = "notifications_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE notice_jobs (
            id uuid PRIMARY KEY,
            department_id text NOT NULL,
            filter text NOT NULL,
            kind text NOT NULL,
            template_id text NOT NULL REFERENCES templates,
            variables jsonb NOT NULL,
            rate_per_minute bigint NOT NULL CHECK (rate_per_minute > 0),
            author text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            expire_time timestamptz,
            cause_id uuid,
            page_token text NOT NULL,
            step bigint NOT NULL,
            requested_count bigint NOT NULL,
            refused_count bigint NOT NULL,
            state text NOT NULL CHECK (state IN ('RUNNING', 'STOPPED', 'DONE')),
            reason_code text NOT NULL,
            end_time timestamptz,
            version bigint NOT NULL,
            CHECK ((state = 'DONE') = (end_time IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX notice_jobs_department ON notice_jobs (department_id, id)")
    op.execute("CREATE INDEX notice_jobs_state ON notice_jobs (state, id)")
    op.execute(
        """
        CREATE TABLE notice_job_results (
            notice_job_id uuid NOT NULL REFERENCES notice_jobs,
            customer_id uuid NOT NULL,
            notice_id uuid,
            reason text NOT NULL,
            PRIMARY KEY (notice_job_id, customer_id)
        )
        """
    )
    op.execute(
        "CREATE INDEX notice_job_results_reason ON notice_job_results (notice_job_id, reason, customer_id)"
    )
