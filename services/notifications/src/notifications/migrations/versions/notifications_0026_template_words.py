"""Bad news is a type; who needs a second person, and what holds MJML, are called so."""

from alembic import op

revision = "notifications_0026"
down_revision = "notifications_0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE templates SET type = 'BAD_NEWS' WHERE bad_news AND type = 'INFORMATION'")
    op.execute(  # no release has read these
        """
        -- squawk-ignore ban-drop-column
        ALTER TABLE templates DROP COLUMN bad_news
        """
    )
    for table, name, now in (("templates", "reviewed", "review_required"), ("texts", "html", "mjml")):
        op.execute(
            f"""
            -- squawk-ignore renaming-column
            ALTER TABLE {table} RENAME COLUMN {name} TO {now}
            """
        )
