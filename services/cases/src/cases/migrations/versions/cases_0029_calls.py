"""What a department has to know of work, and what makes work a call, are kept as they are told."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0029"
down_revision = "cases_0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE departments ADD COLUMN work_kinds jsonb NOT NULL DEFAULT '[]'")
    op.execute(
        """
        UPDATE departments SET work_kinds = replace(
            requires ->> 'work_kinds', '"format": "UNSPECIFIED"', '"format": null'
        )::jsonb WHERE requires ? 'work_kinds'
        """
    )
    # No release has read them.
    op.execute(
        """
        -- squawk-ignore ban-drop-column
        ALTER TABLE departments DROP COLUMN requires
        """
    )
    op.execute(
        """
        -- squawk-ignore renaming-column
        ALTER TABLE work_items RENAME COLUMN calling TO call
        """
    )
    # Whoever looks for a notice by its id says by that that there is one.
    create_index(
        "work_items_call_notice",
        "work_items ((call ->> 'notice_id')) WHERE call ->> 'notice_id' IS NOT NULL",
        kind="UNIQUE INDEX",
    )
