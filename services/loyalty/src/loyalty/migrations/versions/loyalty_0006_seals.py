"""What has been checked of the ledger, and a hash of each entry that holds those before it."""

from alembic import op

revision = "loyalty_0006"
down_revision = "loyalty_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE seals (
            account_id uuid NOT NULL REFERENCES accounts,
            version bigint NOT NULL CHECK (version > 0),
            hash bytea NOT NULL CHECK (length(hash) = 32),
            PRIMARY KEY (account_id, version)
        )
        """
    )
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seals
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
        """
    )
    op.execute(
        """
        CREATE TABLE ledger_checks (
            id bigint PRIMARY KEY,
            cursor uuid,
            found jsonb NOT NULL,
            start_time timestamptz NOT NULL,
            faults jsonb NOT NULL,
            finish_time timestamptz
        )
        """
    )
