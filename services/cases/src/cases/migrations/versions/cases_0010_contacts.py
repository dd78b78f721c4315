"""The last contacts about each case, for the clocks that wait for an answer."""

from alembic import op

revision = "cases_0010"
down_revision = "cases_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE case_contacts (
            case_id uuid PRIMARY KEY REFERENCES cases,
            hear_time timestamptz,
            answer_time timestamptz
        )
        """
    )
