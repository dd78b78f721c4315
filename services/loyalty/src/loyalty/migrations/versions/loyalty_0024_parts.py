"""Memberships are listed by what they are part of."""

from chassis.db.indexes import create_index

revision = "loyalty_0024"
down_revision = "loyalty_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("memberships_parts", "memberships (program_id, merged_into_id, id)")
