"""Who answers for the relationship with a customer hears of broken promises."""

from alembic import op

revision = "cases_0014"
down_revision = "cases_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE relationship_managers (
            customer_id uuid PRIMARY KEY,
            agent_id text NOT NULL,
            version bigint NOT NULL,
            update_time timestamptz NOT NULL
        )
        """
    )
