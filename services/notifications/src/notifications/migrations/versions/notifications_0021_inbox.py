"""Messages in the inboxes that customers read in an app."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0021"
down_revision = "notifications_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE IF NOT EXISTS inbox_messages (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            notice text NOT NULL,
            key text NOT NULL UNIQUE,
            subject text NOT NULL,
            body text NOT NULL,
            html text NOT NULL,
            language_code text NOT NULL,
            create_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL,
            read_time timestamptz
        )
        """)
    create_index("inbox_messages_customer", "inbox_messages (customer_id, id)")
    create_index("inbox_messages_unread", "inbox_messages (customer_id, id) WHERE read_time IS NULL")
    create_index("inbox_messages_expire", "inbox_messages (expire_time)")
