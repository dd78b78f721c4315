"""That points will end is told some days before, once."""

from alembic import op

from chassis.db.indexes import create_index

revision = "loyalty_0017"
down_revision = "loyalty_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE programs ADD COLUMN expiry_notice_days bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE lots ADD COLUMN told boolean NOT NULL DEFAULT false")
    create_index("lots_untold", "lots (shard, due_time) WHERE due_time IS NOT NULL AND NOT told")
