"""What a source says is kept for each department that records by it: none overwrites another's."""

from alembic import op

from chassis.db.indexes import create_index

revision = "customer_0018"
down_revision = "customer_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "attribute_candidates_said",
        "attribute_candidates (customer_id, attribute_id, department_id, source)",
        kind="UNIQUE INDEX",
    )
    # The key of before promises nothing to anybody: no release has this table.
    op.execute("""
        DO $$ BEGIN
            ALTER TABLE attribute_candidates
                DROP CONSTRAINT IF EXISTS attribute_candidates_pkey,
                ADD CONSTRAINT attribute_candidates_pkey PRIMARY KEY USING INDEX attribute_candidates_said;
        END $$
        """)
