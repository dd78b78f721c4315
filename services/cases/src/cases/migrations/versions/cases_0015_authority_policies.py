"""What people may do alone, and what they did of it lately."""

from alembic import op

revision = "cases_0015"
down_revision = "cases_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE authority_policies (
            id text NOT NULL,
            version bigint NOT NULL CHECK (version > 0),
            display_name text NOT NULL,
            department_id text NOT NULL,
            act text NOT NULL CHECK (act IN ('GOODWILL', 'EXTENSION')),
            disabled boolean NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            permissions text[] NOT NULL,
            least_bands text[] NOT NULL CHECK (
                least_bands <@ ARRAY['', 'STANDARD', 'SILVER', 'GOLD', 'PLATINUM']
            ),
            least_harms text[] NOT NULL CHECK (
                least_harms <@ ARRAY['', 'NONE', 'INCONVENIENCE', 'LOSS', 'SEVERE']
            ),
            amounts bigint[] NOT NULL CHECK (0 < ALL (amounts)),
            rolling_day_amounts bigint[] NOT NULL,
            PRIMARY KEY (id, version),
            CHECK (cardinality(permissions) BETWEEN 1 AND 50),
            CHECK (cardinality(least_bands) = cardinality(permissions)),
            CHECK (cardinality(least_harms) = cardinality(permissions)),
            CHECK (cardinality(amounts) = cardinality(permissions)),
            CHECK (cardinality(rolling_day_amounts) = cardinality(permissions))
        )
        """
    )
    op.execute(
        """
        CREATE TABLE authority_uses (
            id uuid PRIMARY KEY,
            act text NOT NULL CHECK (act IN ('GOODWILL', 'EXTENSION')),
            agent text NOT NULL,
            amount bigint NOT NULL CHECK (amount >= 0),
            use_time timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX authority_uses_agent ON authority_uses (agent, use_time)")
