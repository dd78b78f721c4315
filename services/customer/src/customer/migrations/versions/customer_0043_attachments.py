"""Files of customers, and which of them came or went with a contact."""

from alembic import op

revision = "customer_0043"
down_revision = "customer_0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS attachments (
            customer_id uuid NOT NULL,
            id uuid NOT NULL,
            sha256 text NOT NULL,
            display_name text NOT NULL,
            media_type text NOT NULL,
            size_bytes bigint NOT NULL,
            state text NOT NULL
                CHECK (state IN ('NOT_SCANNED', 'SCANNING', 'CLEAN', 'INFECTED', 'DELETED')),
            department text NOT NULL,
            actor text NOT NULL,
            create_time timestamptz NOT NULL,
            scan_time timestamptz,
            delete_time timestamptz,
            version bigint NOT NULL,
            PRIMARY KEY (customer_id, id)
        )
        """)
    op.execute("""
        CREATE INDEX IF NOT EXISTS attachments_latest ON attachments (customer_id, create_time, id)
        """)
    # In pieces of 2 kB beside the row, and not compressed: what is taken is compressed already.
    op.execute("""
        CREATE TABLE IF NOT EXISTS attachment_contents (
            customer_id uuid NOT NULL,
            id uuid NOT NULL,
            content bytea NOT NULL,
            PRIMARY KEY (customer_id, id),
            FOREIGN KEY (customer_id, id) REFERENCES attachments ON DELETE CASCADE
        )
        """)
    op.execute("ALTER TABLE attachment_contents ALTER COLUMN content SET STORAGE EXTERNAL")
    op.execute("""
        ALTER TABLE timeline ADD COLUMN IF NOT EXISTS attachment_ids text NOT NULL DEFAULT ''
        """)
