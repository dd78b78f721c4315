"""Jobs that cannot go on are blocked, and not paused."""

from alembic import op

revision = "notifications_0032"
down_revision = "notifications_0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE notice_jobs DROP CONSTRAINT notice_jobs_state
        """
    )
    op.execute(
        """
        ALTER TABLE notice_jobs ADD CONSTRAINT notice_jobs_state CHECK (
            state IN ('RUNNING', 'PAUSED', 'BLOCKED', 'DONE', 'CANCELLED')
        ) NOT VALID
        """
    )
    op.execute("UPDATE notice_jobs SET state = 'BLOCKED' WHERE state = 'PAUSED' AND reason_code <> 'asked'")
    op.execute("UPDATE notice_jobs SET reason_code = '' WHERE state = 'PAUSED'")
