"""When customers turned to us: a contact is what we send, too."""

from alembic import op

revision = "notifications_0024"
down_revision = "notifications_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("contact_time", "subject_contact_time"):
        op.execute(f"""
            -- squawk-ignore renaming-column
            ALTER TABLE notices RENAME COLUMN {name} TO {name.replace("contact", "inbound")}
            """)
