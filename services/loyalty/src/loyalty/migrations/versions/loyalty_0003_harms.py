"""What was given for a harm is found by it, whichever name of the customer it was given to."""

from chassis.db.indexes import create_index

revision = "loyalty_0003"
down_revision = "loyalty_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("goodwill_root", "goodwill (root_id) WHERE root_id IS NOT NULL")
