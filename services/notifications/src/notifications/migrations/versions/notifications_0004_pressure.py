"""What a customer was sent lately is found by when that was; attempts are counted beside their numbers."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0004"
down_revision = "notifications_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE notices ADD COLUMN IF NOT EXISTS latest_number bigint NOT NULL DEFAULT 0")
    create_index("notices_sent", "notices (customer, send_time) WHERE send_time IS NOT NULL")
    create_index("notices_sending", "notices (customer) WHERE state = 'SENDING'")
