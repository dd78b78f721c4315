"""Bars of a link are codes; candidates get theirs when their customers are compared next."""

from alembic import op

revision = "customer_0017"
down_revision = "customer_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE match_candidates SET barred = '', held_back = '' WHERE barred <> '' OR held_back <> ''"
    )
