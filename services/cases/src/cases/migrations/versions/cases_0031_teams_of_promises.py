"""A promise says which team has it, and who said that it was kept; those of a day are found by it."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0031"
down_revision = "cases_0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE promises
            ADD COLUMN team_id text,
            ADD COLUMN keeper text NOT NULL DEFAULT ''
        """
    )
    create_index("promises_team", "promises (team_id, due_time, id) WHERE team_id IS NOT NULL")
    create_index("promises_day", "promises (due_date, due_time, id) WHERE due_date IS NOT NULL")
