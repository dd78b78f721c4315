"""What a membership holds and who belongs to it: each of them sees the balance."""

from alembic import op

revision = "customer_0023"
down_revision = "customer_0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS households (
            membership text NOT NULL PRIMARY KEY,
            told bytea NOT NULL
        )
        """)
