"""Purchases are reckoned anew by other rules than those of then."""

from alembic import op

revision = "loyalty_0025"
down_revision = "loyalty_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE reevaluation_jobs (
            id uuid PRIMARY KEY,
            department_id text NOT NULL,
            program_id text NOT NULL REFERENCES programs,
            rule_id text NOT NULL,
            rules jsonb NOT NULL,
            start_time timestamptz NOT NULL,
            end_time timestamptz NOT NULL,
            store text NOT NULL,
            customer_id uuid,
            purchase_count bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            cause_id uuid,
            last_id uuid NOT NULL,
            done_count bigint NOT NULL,
            changed_count bigint NOT NULL,
            changes jsonb NOT NULL,
            state text NOT NULL CHECK (state IN ('RUNNING', 'DONE', 'CANCELLED')),
            done_time timestamptz,
            version bigint NOT NULL,
            CHECK (start_time < end_time),
            CHECK (rule_id = '' OR jsonb_array_length(rules) = 1),
            CHECK (changed_count <= done_count AND done_count <= purchase_count),
            CHECK ((state = 'RUNNING') = (done_time IS NULL))
        )
        """
    )
    op.execute("CREATE INDEX reevaluation_jobs_department ON reevaluation_jobs (department_id, id)")
    op.execute("CREATE INDEX reevaluation_jobs_state ON reevaluation_jobs (state, id)")
    op.execute(
        """
        CREATE TABLE reevaluation_purchases (
            reevaluation_job_id uuid NOT NULL REFERENCES reevaluation_jobs,
            purchase_id uuid NOT NULL,
            PRIMARY KEY (reevaluation_job_id, purchase_id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE reevaluation_results (
            reevaluation_job_id uuid NOT NULL REFERENCES reevaluation_jobs,
            purchase_id uuid NOT NULL,
            program_id text NOT NULL,
            unit_id text NOT NULL,
            customer_id uuid NOT NULL,
            earned_points bigint NOT NULL,
            points bigint NOT NULL,
            PRIMARY KEY (reevaluation_job_id, purchase_id, unit_id),
            CHECK (points <> earned_points)
        )
        """
    )
    op.execute("ALTER TABLE earnings ADD COLUMN reevaluation_job_id uuid")
