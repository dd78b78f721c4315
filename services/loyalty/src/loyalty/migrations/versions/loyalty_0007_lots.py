"""What members earn ends together in lots; transfers say from which they took; redemptions set aside."""

from alembic import op

revision = "loyalty_0007"
down_revision = "loyalty_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a policy nothing is in lots, and all that the release before earns and spends is not, either.
    op.execute("ALTER TABLE programs ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC'")
    op.execute("ALTER TABLE units ADD COLUMN lots jsonb NOT NULL DEFAULT '{}'")
    op.execute(
        """
        CREATE TABLE lots (
            id uuid PRIMARY KEY,
            account_id uuid NOT NULL REFERENCES accounts,
            account text NOT NULL,
            state text NOT NULL CHECK (state IN ('PENDING', 'ACTIVE', 'EXPIRED')),
            activate_time timestamptz,
            ends timestamptz NOT NULL,
            activity_days bigint NOT NULL,
            grace_days bigint NOT NULL,
            amount bigint NOT NULL,
            remaining bigint NOT NULL CHECK (remaining BETWEEN 0 AND amount),
            due_time timestamptz,
            shard bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CHECK (state <> 'EXPIRED' OR remaining = 0)
        ) WITH (fillfactor = 80)
        """
    )
    op.execute("CREATE INDEX lots_open ON lots (account_id) WHERE remaining > 0")
    op.execute("CREATE INDEX lots_listed ON lots (account_id, ends, id)")
    op.execute("CREATE INDEX lots_due ON lots (shard, due_time) WHERE due_time IS NOT NULL")
    op.execute(
        """
        CREATE TABLE allocations (
            transfer_id uuid NOT NULL REFERENCES transfers,
            lot_id uuid NOT NULL REFERENCES lots,
            amount bigint NOT NULL CHECK (amount <> 0),
            PRIMARY KEY (transfer_id, lot_id)
        )
        """
    )
    op.execute("CREATE INDEX allocations_of_lot ON allocations (lot_id)")
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON allocations
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
        """
    )
    op.execute(
        """
        CREATE TABLE reservations (
            id uuid PRIMARY KEY,
            account_id uuid NOT NULL REFERENCES accounts,
            account text NOT NULL,
            amount bigint NOT NULL CHECK (amount > 0),
            state text NOT NULL CHECK (state IN ('RESERVED', 'COMMITTED', 'RELEASED', 'EXPIRED')),
            reason_code text NOT NULL,
            expire_time timestamptz NOT NULL,
            transfer_id uuid NOT NULL UNIQUE REFERENCES transfers,
            end_transfer_id uuid UNIQUE REFERENCES transfers,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CHECK ((state = 'RESERVED') = (end_transfer_id IS NULL))
        )
        """
    )
    op.execute("CREATE INDEX reservations_of_account ON reservations (account, id)")
