"""Cases are brought to somebody with more authority."""

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
            ADD COLUMN lead_id text,
            ADD COLUMN head_id text,
            ADD COLUMN calendar_id text,
            ADD COLUMN escalation_minutes bigint NOT NULL DEFAULT 0
        """
    )
    op.execute(
        """
        CREATE TABLE escalations (
            id uuid PRIMARY KEY,
            case_id uuid NOT NULL REFERENCES cases,
            customer_id uuid NOT NULL,
            department_id text NOT NULL,
            reason text NOT NULL,
            agent_id text NOT NULL REFERENCES agents,
            due_time timestamptz NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            promise_id uuid REFERENCES promises,
            state text NOT NULL CHECK (state IN ('OPEN', 'TAKEN', 'CANCELLED')),
            taker text NOT NULL,
            end_time timestamptz,
            rungs text[] NOT NULL,
            agent_ids text[] NOT NULL,
            start_times timestamptz[] NOT NULL,
            due_times timestamptz[] NOT NULL,
            version bigint NOT NULL,
            CHECK ((state = 'OPEN') = (end_time IS NULL)),
            CHECK ((state = 'TAKEN') = (taker <> '')),
            CHECK (cardinality(rungs) BETWEEN 1 AND 3),
            CHECK (cardinality(agent_ids) = cardinality(rungs)),
            CHECK (cardinality(start_times) = cardinality(rungs)),
            CHECK (cardinality(due_times) = cardinality(rungs))
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX escalations_open ON escalations (case_id) WHERE state = 'OPEN'")
    op.execute("CREATE INDEX escalations_case ON escalations (case_id, id)")
    op.execute("CREATE INDEX escalations_agent ON escalations (agent_id, id)")
    op.execute("CREATE INDEX escalations_state ON escalations (state, id)")
