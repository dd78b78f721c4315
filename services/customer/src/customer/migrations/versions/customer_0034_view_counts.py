"""How many parts of each kind a customer has, beside their view. Nothing reads or writes these columns now.

`counted_version` is the version of the view that the counts are of: another release that writes the view
leaves it behind, and they are counted anew.
"""

from alembic import op

revision = "customer_0034"
down_revision = "customer_0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("promises", "cases", "notices", "balances", "goodwill"):
        op.execute(f"ALTER TABLE views ADD COLUMN IF NOT EXISTS {name} bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE views ADD COLUMN IF NOT EXISTS counted_version bigint NOT NULL DEFAULT 0")
