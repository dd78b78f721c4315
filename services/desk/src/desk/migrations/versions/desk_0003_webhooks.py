"""What webhooks brought."""

import sqlalchemy as sa
from alembic import op

revision = "desk_0003"
down_revision = "desk_0002"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "received",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("receive_time", _AT, nullable=False),
        sa.Column("update_time", _AT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason_code", sa.Text, nullable=False),
        sa.Column("problems", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("candidates", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("ringing", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("ring_time", _AT),
        sa.Column("talking", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("forgotten", sa.Boolean, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index(
        "received_undecided",
        "received",
        ["receive_time", "id"],
        postgresql_where="state IN ('WAITING', 'NOT_UNDERSTOOD')",
    )
    op.create_index(
        "received_open",
        "received",
        ["source", "kind", "state", "receive_time"],
        postgresql_where="state IN ('RECEIVED', 'WAITING', 'NOT_UNDERSTOOD')",
    )
    op.create_index(
        "received_unforgotten",
        "received",
        ["update_time"],
        postgresql_where="state IN ('RECORDED', 'DROPPED') AND NOT forgotten",
    )
    op.create_index(
        "received_settled",
        "received",
        ["update_time"],
        postgresql_where="state IN ('RECORDED', 'DROPPED')",
    )
    op.create_index("received_ring_time", "received", ["ring_time"], postgresql_where="ringing <> '{}'")
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("received", sa.Uuid, sa.ForeignKey("received.id", ondelete="CASCADE"), nullable=False),
        sa.Column("receive_time", _AT, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("deliveries_received", "deliveries", ["received", "receive_time"])
