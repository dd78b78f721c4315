"""Clocks of promises, and clocks that stand still with the work."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0022"
down_revision = "cases_0021"
branch_labels = None
depends_on = None

METRICS = "'FIRST_RESPONSE', 'NEXT_RESPONSE', 'RESOLUTION', 'SILENCE', 'DELAY_NOTIFICATION', 'NEXT_PROMISE'"
CHECKS = {
    "clocks": ("clocks_metric", "clocks_about", "clocks_promise"),
    "clock_policies": ("clock_policies_subject", "clock_policies_pauses"),
}


def upgrade() -> None:
    columns()
    checks()
    with op.get_context().autocommit_block():  # while others read and write
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        for table, names in CHECKS.items():
            for name in names:
                op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
    create_index("clocks_promise_id", "clocks (promise_id, id)")
    create_index(
        "clocks_policy_running",
        "clocks (clock_policy_id, id) WHERE fulfill_time IS NULL AND breach_time IS NULL",
    )


def columns() -> None:
    op.execute(  # only a promise can be on no case, and no release before this has clocks of those
        """
        -- squawk-ignore ban-drop-not-null
        ALTER TABLE clocks ALTER COLUMN case_id DROP NOT NULL
        """
    )
    op.execute(
        """
        ALTER TABLE clocks
            ADD COLUMN promise_id uuid,
            ADD COLUMN pauses text[] NOT NULL DEFAULT '{}',
            ADD COLUMN mark_reason_codes text[] NOT NULL DEFAULT '{}'
        """
    )
    op.execute("ALTER TABLE clock_policies ADD COLUMN pauses text[] NOT NULL DEFAULT '{}'")


def checks() -> None:
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE clocks DROP CONSTRAINT clocks_metric_check
        """
    )
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE clock_policies DROP CONSTRAINT clock_policies_subject_check
        """
    )
    op.execute(
        f"""
        ALTER TABLE clocks
            ADD CONSTRAINT clocks_metric CHECK (metric IN ({METRICS})) NOT VALID,
            ADD CONSTRAINT clocks_about CHECK (case_id IS NOT NULL OR promise_id IS NOT NULL) NOT VALID,
            ADD CONSTRAINT clocks_promise FOREIGN KEY (promise_id) REFERENCES promises NOT VALID
        """
    )
    op.execute(
        """
        ALTER TABLE clock_policies
            ADD CONSTRAINT clock_policies_subject CHECK (
                subject IN ('CASE', 'WORK_ITEM', 'PROMISE')
            ) NOT VALID,
            ADD CONSTRAINT clock_policies_pauses CHECK (
                pauses <@ ARRAY['WORK_BLOCKED', 'CUSTOMER_ANSWER']
            ) NOT VALID
        """
    )
