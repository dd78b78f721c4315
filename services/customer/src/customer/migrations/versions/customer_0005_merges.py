"""Two customers are one, and two again."""

from alembic import op

revision = "customer_0005"
down_revision = "customer_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE customer_merge_sequence")
    op.execute("""
        CREATE TABLE customer_merges (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL REFERENCES customers (id),
            merged_customer_id uuid NOT NULL REFERENCES customers (id),
            reason_code text NOT NULL,
            comment text NOT NULL,
            state text NOT NULL CHECK (state IN ('MERGED', 'UNDONE')),
            actor text NOT NULL,
            create_time timestamptz NOT NULL,
            undo_actor text NOT NULL,
            undo_reason_code text NOT NULL,
            undo_time timestamptz CHECK ((undo_time IS NULL) = (state = 'MERGED')),
            sequence bigint NOT NULL UNIQUE,
            known_by bigint NOT NULL,
            version bigint NOT NULL,
            CHECK (customer_id <> merged_customer_id)
        )
        """)
    op.execute("CREATE INDEX customer_merges_holding ON customer_merges (customer_id) WHERE state = 'MERGED'")
    op.execute("CREATE INDEX customer_merges_customer ON customer_merges (customer_id, id)")
    op.execute("CREATE INDEX customer_merges_merged ON customer_merges (merged_customer_id, id)")
    op.execute("CREATE INDEX customer_merges_state ON customer_merges (state, id)")
    op.execute("CREATE INDEX customer_merges_created ON customer_merges (create_time, id)")
