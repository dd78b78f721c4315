"""Somebody with more authority is asked to take a case, or a promise."""

from alembic import op

revision = "cases_0019"
down_revision = "cases_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default where there has to be something, which the release before writes: it knows none of them.
    op.execute(
        """
        ALTER TABLE departments
            ADD COLUMN escalation_path text[] NOT NULL DEFAULT '{}',
            ADD COLUMN calendar_id text,
            ADD COLUMN escalation_business_minutes bigint NOT NULL DEFAULT 0
        """
    )
    op.execute(
        """
        CREATE TABLE escalations (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            department_id text NOT NULL,
            reason text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            due_time timestamptz NOT NULL,
            case_id uuid REFERENCES cases,
            promise_id uuid REFERENCES promises,
            clock_id uuid REFERENCES clocks,
            answer_promise_id uuid REFERENCES promises,
            state text NOT NULL CHECK (state IN ('OPEN', 'TAKEN', 'CANCELLED')),
            assignee text NOT NULL,
            end_time timestamptz,
            agents text[] NOT NULL,
            start_times timestamptz[] NOT NULL,
            due_times timestamptz[] NOT NULL,
            version bigint NOT NULL,
            CHECK (case_id IS NOT NULL OR promise_id IS NOT NULL),
            CHECK ((state = 'OPEN') = (end_time IS NULL)),
            CHECK (cardinality(agents) > 0),
            CHECK (cardinality(start_times) = cardinality(agents)),
            CHECK (cardinality(due_times) = cardinality(agents))
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX escalations_open ON escalations (case_id) WHERE state = 'OPEN'")
    op.execute(
        "CREATE UNIQUE INDEX escalations_open_promise ON escalations (promise_id) WHERE state = 'OPEN'"
    )
    op.execute("CREATE INDEX escalations_open_clock ON escalations (clock_id) WHERE state = 'OPEN'")
    op.execute("CREATE INDEX escalations_answer ON escalations (answer_promise_id)")
    for filtered in ("case_id", "promise_id", "customer_id", "department_id", "assignee", "state"):
        op.execute(f"CREATE INDEX escalations_{filtered.removesuffix('_id')} ON escalations ({filtered}, id)")
