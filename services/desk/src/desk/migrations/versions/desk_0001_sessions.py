"""Sessions."""

import sqlalchemy as sa
from alembic import op

revision = "desk_0001"
down_revision = None
branch_labels = ("desk",)
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("tokens", sa.LargeBinary, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("create_time", _AT, nullable=False),
        sa.Column("expire_time", _AT, nullable=False),
        sa.Column("refresh_until", _AT),
    )
    op.create_index("sessions_subject", "sessions", ["subject"])
    op.create_index("sessions_expire_time", "sessions", ["expire_time"])
