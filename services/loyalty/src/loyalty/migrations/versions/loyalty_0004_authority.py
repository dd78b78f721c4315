"""What people may grant alone, as cases says, and how much the cases harm that promises are on."""

from alembic import op

revision = "loyalty_0004"
down_revision = "loyalty_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE authority_policies (
            id text PRIMARY KEY,
            version bigint NOT NULL,
            department_id text NOT NULL,
            disabled boolean NOT NULL,
            update_time timestamptz NOT NULL,
            permissions text[] NOT NULL,
            least_bands text[] NOT NULL,
            least_harms text[] NOT NULL,
            amounts bigint[] NOT NULL,
            rolling_day_amounts bigint[] NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE case_harms (
            case_id uuid PRIMARY KEY,
            harm text NOT NULL CHECK (harm IN ('NONE', 'INCONVENIENCE', 'LOSS', 'SEVERE')),
            version bigint NOT NULL
        )
        """
    )
    # Of promises that were told before it is not known.
    op.execute("ALTER TABLE promises ADD COLUMN case_id uuid")
