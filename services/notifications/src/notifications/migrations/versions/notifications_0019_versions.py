"""Versions of policies are read for what happens while they hold, or waits of them."""

from chassis.db.indexes import create_index

revision = "notifications_0019"
down_revision = "notifications_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "notices_version_open",
        "notices (notice_policy_id, policy_version)"
        " WHERE subject <> '' AND state IN ('REQUESTED', 'SENDING', 'UNKNOWN')",
    )
