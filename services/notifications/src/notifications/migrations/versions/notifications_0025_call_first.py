"""Whom a policy has called first; days after a day as well as before it."""

from alembic import op

revision = "notifications_0025"
down_revision = "notifications_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE policies ADD COLUMN call_first text")
    op.execute(
        "UPDATE policies SET call_first = 'NEVER' WHERE without_call AND event_type LIKE '%.PromiseAtRisk'"
    )
    for table in ("notices", "policies"):
        op.execute(f"UPDATE {table} SET days_before = -days_before WHERE days_before <> 0")  # noqa: S608 - of constants
        op.execute(  # no release has read it, nor what follows
            f"""
            -- squawk-ignore renaming-column
            ALTER TABLE {table} RENAME COLUMN days_before TO day_offset
            """
        )
    op.execute(
        """
        -- squawk-ignore renaming-column
        ALTER TABLE policies RENAME COLUMN after TO send_delay
        """
    )
    op.execute(
        """
        -- squawk-ignore ban-drop-column
        ALTER TABLE policies DROP COLUMN without_call
        """
    )
