"""Jobs are paused, and may be given up."""

from alembic import op

revision = "notifications_0028"
down_revision = "notifications_0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE notice_jobs DROP CONSTRAINT notice_jobs_state_check, DROP CONSTRAINT notice_jobs_check
        """
    )
    op.execute("UPDATE notice_jobs SET state = 'PAUSED' WHERE state = 'STOPPED'")
    op.execute(
        """
        ALTER TABLE notice_jobs
            ADD CONSTRAINT notice_jobs_state CHECK (
                state IN ('RUNNING', 'PAUSED', 'DONE', 'CANCELLED')
            ) NOT VALID,
            ADD CONSTRAINT notice_jobs_ended CHECK (
                (state IN ('DONE', 'CANCELLED')) = (end_time IS NOT NULL)
            ) NOT VALID
        """
    )
    with op.get_context().autocommit_block():  # what reads every row locks nobody out meanwhile
        for name in ("notice_jobs_state", "notice_jobs_ended"):
            op.execute(f"ALTER TABLE notice_jobs VALIDATE CONSTRAINT {name}")
