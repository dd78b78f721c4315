"""Clocks that are neither done nor late are looked at one after the other."""

from chassis.db.indexes import create_index

revision = "cases_0025"
down_revision = "cases_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("clocks_undecided", "clocks (id) WHERE fulfill_time IS NULL AND breach_time IS NULL")
