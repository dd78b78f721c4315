"""Departments declare topics; cases are more or less pressing; notes are for colleagues or for customers."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0006"
down_revision = "cases_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE topics (
            id text PRIMARY KEY,
            display_name text NOT NULL,
            department_id text NOT NULL,
            parent_topic_id text REFERENCES topics,
            default_owner_id text REFERENCES agents,
            default_harm text CHECK (default_harm IN ('NONE', 'INCONVENIENCE', 'LOSS', 'SEVERE')),
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CHECK (parent_topic_id <> id)
        )
        """
    )
    op.execute("CREATE INDEX topics_department ON topics (department_id, id)")
    op.execute("CREATE INDEX topics_parent_topic ON topics (parent_topic_id, id)")
    op.execute(
        """
        CREATE TABLE customer_standings (
            customer_id uuid PRIMARY KEY,
            band text NOT NULL,
            version bigint NOT NULL,
            update_time timestamptz NOT NULL
        )
        """
    )
    # With defaults, which the release before writes: it does not know of the columns.
    op.execute(
        """
        ALTER TABLE cases
            ADD COLUMN harm text NOT NULL DEFAULT 'INCONVENIENCE',
            ADD COLUMN priority text NOT NULL DEFAULT 'P3',
            ADD COLUMN priority_reasons text[] NOT NULL DEFAULT '{harm-inconvenience}'
        """
    )
    op.execute("ALTER TABLE notes ADD COLUMN visibility text NOT NULL DEFAULT 'INTERNAL'")
    create_index("cases_priority", "cases (priority, id)")
    create_index("notes_visibility", "notes (case_id, visibility, id)")
