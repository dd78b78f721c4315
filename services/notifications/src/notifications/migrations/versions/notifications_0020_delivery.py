"""By which channels a message goes is one thing, of jobs too; and jobs may begin later."""

from alembic import op

revision = "notifications_0020"
down_revision = "notifications_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("notices", "policies"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN delivery jsonb")
        op.execute(
            f"""
            UPDATE {table} SET delivery = jsonb_build_object(
                'channels', channels, 'fallback_after', 'PT' || extract(epoch FROM fallback_after) || 'S'
            ) WHERE channels <> '{{}}' OR fallback_after IS NOT NULL
            """  # noqa: S608
        )
        op.execute(  # no release has read them
            f"""
            -- squawk-ignore ban-drop-column
            ALTER TABLE {table} DROP COLUMN channels, DROP COLUMN fallback_after
            """
        )
    op.execute("ALTER TABLE notice_jobs ADD COLUMN delivery jsonb, ADD COLUMN schedule_time timestamptz")
