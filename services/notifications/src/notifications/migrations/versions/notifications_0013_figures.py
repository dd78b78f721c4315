"""Whether customers turned to us after a message, and lists by policy, template, department and channel."""

from alembic import op

from chassis.db.indexes import create_index

revision = "notifications_0013"
down_revision = "notifications_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE notices
            ADD COLUMN IF NOT EXISTS contact_time timestamptz,
            ADD COLUMN IF NOT EXISTS subject_contact_time timestamptz
        """)
    create_index("notices_policy", "notices (notice_policy_id, id)")
    create_index("notices_template", "notices (template_id, id)")
    create_index("notices_department", "notices (department, id)")
    create_index("notices_channel", "notices (channel, id)")
