"""All that the customer said is kept until it is answered: word of an earlier answer may come later."""

from alembic import op

revision = "cases_0020"
down_revision = "cases_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE case_contacts ADD COLUMN hear_times timestamptz[] NOT NULL DEFAULT '{}'")
    op.execute(
        """
        UPDATE case_contacts SET hear_times = ARRAY[hear_time]
        WHERE hear_time > coalesce(answer_time, '-infinity')
        """
    )
    # No release has read it.
    op.execute(
        """
        -- squawk-ignore ban-drop-column
        ALTER TABLE case_contacts DROP COLUMN hear_time
        """
    )
