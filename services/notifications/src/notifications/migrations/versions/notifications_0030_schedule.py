"""When a policy's notices are sent is one thing."""

from alembic import op

revision = "notifications_0030"
down_revision = "notifications_0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE policies ADD COLUMN schedule jsonb")
    op.execute(
        """
        UPDATE policies SET schedule = CASE date_field
            WHEN '' THEN jsonb_build_object('delay', 'PT' || extract(epoch FROM send_delay) || 'S')
            ELSE jsonb_build_object('day', jsonb_build_object(
                'date_field', date_field, 'offset_days', day_offset, 'hour', send_hour, 'yearly', yearly
            ))
        END WHERE date_field <> '' OR send_delay IS NOT NULL
        """
    )
    for column in (
        "send_delay",
        "date_field",
        "day_offset",
        "send_hour",
        "yearly",
    ):  # no release has read them
        op.execute(
            f"""
            -- squawk-ignore ban-drop-column
            ALTER TABLE policies DROP COLUMN {column}
            """
        )
