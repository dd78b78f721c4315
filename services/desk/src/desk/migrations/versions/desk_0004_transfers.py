"""Files that are imported and exported at the desk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "desk_0004"
down_revision = "desk_0003"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("wanted", JSONB, nullable=False),
        sa.Column("counts", JSONB, nullable=False),
        sa.Column("doing", sa.Text, nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("lent", sa.LargeBinary, nullable=False),
        sa.Column("create_time", _AT, nullable=False),
        sa.Column("update_time", _AT, nullable=False),
        sa.Column("forgotten", sa.Boolean, nullable=False),
    )
    op.create_index("transfers_department", "transfers", ["department", "direction", "create_time", "id"])
    op.create_index("transfers_kept", "transfers", ["update_time"], postgresql_where="NOT forgotten")
    op.create_index("transfers_past", "transfers", ["update_time"])
    op.create_table(
        "transfer_parts",
        sa.Column("transfer", sa.Uuid, sa.ForeignKey("transfers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
