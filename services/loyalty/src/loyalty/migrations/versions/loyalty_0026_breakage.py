"""What nobody came for is posted, once for each month that is over."""

from alembic import op

revision = "loyalty_0026"
down_revision = "loyalty_0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE breakages (
            program_id text NOT NULL,
            unit_id text NOT NULL,
            start_time timestamptz NOT NULL,
            end_time timestamptz NOT NULL CHECK (end_time > start_time),
            amount bigint NOT NULL,
            transfer_id uuid REFERENCES transfers,
            post_time timestamptz NOT NULL,
            PRIMARY KEY (program_id, unit_id, start_time),
            CHECK ((amount = 0) = (transfer_id IS NULL))
        )
        """
    )
