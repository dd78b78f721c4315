"""The band that others were last told of."""

from alembic import op

revision = "loyalty_0002"
down_revision = "loyalty_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults, which the release before writes: no version is a band that nobody kept.
    op.execute(
        """
        ALTER TABLE customer_values
            ADD COLUMN band text NOT NULL DEFAULT 'STANDARD',
            ADD COLUMN formula_version text NOT NULL DEFAULT ''
        """
    )
    # While others write, as long as it takes; one that was interrupted has left an index that nobody uses.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS customer_values_by_formula")
        op.execute(
            "CREATE INDEX CONCURRENTLY customer_values_by_formula"
            " ON customer_values (formula_version, customer_id)"
        )
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
