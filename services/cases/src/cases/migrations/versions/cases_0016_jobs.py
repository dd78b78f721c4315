"""One thing is done to many cases."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0016"
down_revision = "cases_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE case_jobs (
            id uuid PRIMARY KEY,
            department_id text NOT NULL,
            all_departments boolean NOT NULL,
            filter text NOT NULL,
            problem_id uuid REFERENCES cases,
            owner_id text REFERENCES agents,
            topic text NOT NULL,
            note_text text NOT NULL,
            note_visibility text NOT NULL,
            resolution text NOT NULL,
            author text NOT NULL,
            case_count bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            cause_id uuid,
            last_id uuid NOT NULL,
            done_count bigint NOT NULL,
            refused_count bigint NOT NULL,
            state text NOT NULL CHECK (state IN ('RUNNING', 'DONE', 'CANCELLED')),
            end_time timestamptz,
            version bigint NOT NULL,
            CHECK ((problem_id IS NULL) = (filter <> '')),
            CHECK (owner_id IS NOT NULL OR topic <> '' OR note_text <> '' OR resolution <> ''),
            CHECK ((state = 'RUNNING') = (end_time IS NULL))
        )
        """
    )
    op.execute("CREATE INDEX case_jobs_department ON case_jobs (department_id, id)")
    op.execute("CREATE INDEX case_jobs_problem ON case_jobs (problem_id, id)")
    op.execute("CREATE INDEX case_jobs_state ON case_jobs (state, id)")
    op.execute(
        """
        CREATE TABLE case_job_results (
            case_job_id uuid NOT NULL REFERENCES case_jobs,
            case_id uuid NOT NULL REFERENCES cases,
            reason text NOT NULL,
            PRIMARY KEY (case_job_id, case_id)
        )
        """
    )
    op.execute("CREATE INDEX case_job_results_reason ON case_job_results (case_job_id, reason, case_id)")
    create_index("case_links_caused", "case_links (linked_case_id, id) WHERE kind = 'CAUSED_BY'")
