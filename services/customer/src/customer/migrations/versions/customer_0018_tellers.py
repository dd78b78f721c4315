"""What a source says is kept for each department that records by it: none overwrites another's."""

from alembic import op

revision = "customer_0018"
down_revision = "customer_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS attribute_candidates_said")
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY attribute_candidates_said"
            " ON attribute_candidates (customer_id, attribute_id, department_id, source)"
        )
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
    # The key of before promises nothing to anybody: no release has this table.
    op.execute("""
        DO $$ BEGIN
            ALTER TABLE attribute_candidates
                DROP CONSTRAINT IF EXISTS attribute_candidates_pkey,
                ADD CONSTRAINT attribute_candidates_pkey PRIMARY KEY USING INDEX attribute_candidates_said;
        END $$
        """)
