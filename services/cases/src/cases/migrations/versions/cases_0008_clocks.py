"""Clocks, and the policies that start them."""

from alembic import op

revision = "cases_0008"
down_revision = "cases_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    policies()
    clocks()


def policies() -> None:
    op.execute(
        """
        CREATE TABLE clock_policies (
            id text NOT NULL,
            version bigint NOT NULL CHECK (version > 0),
            display_name text NOT NULL,
            department_id text NOT NULL,
            subject text NOT NULL CHECK (subject IN ('CASE', 'WORK_ITEM')),
            condition text NOT NULL,
            position bigint NOT NULL,
            disabled boolean NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            targets jsonb NOT NULL CHECK (jsonb_array_length(targets) BETWEEN 1 AND 4),
            PRIMARY KEY (id, version)
        )
        """
    )


def clocks() -> None:
    op.execute(
        """
        CREATE TABLE clocks (
            id uuid PRIMARY KEY,
            case_id uuid NOT NULL REFERENCES cases,
            customer_id uuid NOT NULL,
            department_id text NOT NULL,
            metric text NOT NULL CHECK (
                metric IN ('FIRST_RESPONSE', 'NEXT_RESPONSE', 'RESOLUTION', 'SILENCE')
            ),
            clock_policy_id text NOT NULL,
            policy_version bigint NOT NULL,
            business_minutes bigint NOT NULL CHECK (business_minutes > 0),
            warning_minutes bigint NOT NULL,
            start_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            work_item_id uuid REFERENCES work_items,
            state text NOT NULL CHECK (state IN ('RUNNING', 'PAUSED', 'FULFILLED', 'BREACHED')),
            due_time timestamptz,
            warning_time timestamptz,
            pause_time timestamptz,
            pause_reason_code text NOT NULL,
            fulfill_time timestamptz,
            breach_time timestamptz,
            elapsed_minutes bigint NOT NULL,
            warned boolean NOT NULL,
            marks text[] NOT NULL,
            mark_times timestamptz[] NOT NULL,
            version bigint NOT NULL,
            FOREIGN KEY (clock_policy_id, policy_version) REFERENCES clock_policies,
            CHECK (cardinality(marks) = cardinality(mark_times)),
            CHECK ((state = 'BREACHED') = (breach_time IS NOT NULL)),
            CHECK (state <> 'FULFILLED' OR fulfill_time IS NOT NULL),
            CHECK (state <> 'PAUSED' OR pause_time IS NOT NULL),
            CHECK (fulfill_time IS NULL OR pause_time IS NULL),
            CHECK ((pause_time IS NULL) = (pause_reason_code = ''))
        )
        """
    )
    op.execute("CREATE INDEX clocks_case ON clocks (case_id, id)")
    op.execute("CREATE INDEX clocks_work_item ON clocks (work_item_id, id)")
    op.execute("CREATE INDEX clocks_department ON clocks (department_id, id)")
    op.execute("CREATE INDEX clocks_state ON clocks (state, id)")
    op.execute("CREATE INDEX clocks_policy ON clocks (clock_policy_id, policy_version)")
