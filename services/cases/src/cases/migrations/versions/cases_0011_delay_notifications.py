"""Who told a customer of a promise, how and when; what promises rest on."""

from alembic import op

revision = "cases_0011"
down_revision = "cases_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults, which the release before writes: it does not know of the columns.
    op.execute(
        """
        ALTER TABLE promises
            ADD COLUMN basis text NOT NULL DEFAULT 'EXPLICIT',
            ADD COLUMN delay_notify_time timestamptz,
            ADD COLUMN notifier text NOT NULL DEFAULT '',
            ADD COLUMN notify_channel text NOT NULL DEFAULT '',
            ADD COLUMN customer_requested boolean NOT NULL DEFAULT false
        """
    )
