"""What departments keep of customers, where each value came from, and what people pinned."""

from alembic import op

revision = "customer_0007"
down_revision = "customer_0006"
branch_labels = None
depends_on = None

_PROFILE = {
    "display-name": ("Display name", "What people call the customer, where somebody chose it.", "TEXT"),
    "given-name": ("Given name", "", "TEXT"),
    "additional-name": ("Additional name", "", "TEXT"),
    "family-name": ("Family name", "", "TEXT"),
    "honorific-prefix": ("Title before the name", "", "TEXT"),
    "honorific-suffix": ("Title behind the name", "", "TEXT"),
    "birth-date": ("Birth date", "", "DATE"),
    "organization-name": ("Organization", "What an organization is called, or where a person is.", "TEXT"),
    "addresses": ("Addresses", "All postal addresses together.", "TEXT"),
    "language-code": ("Language", "", "TEXT"),
    "time-zone": ("Time zone", "", "TEXT"),
    "region-code": ("Country", "", "TEXT"),
}


def upgrade() -> None:
    # The release before inserts customers without it.
    op.execute("ALTER TABLE customers ADD COLUMN profile_sources text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE import_jobs ADD COLUMN system text NOT NULL DEFAULT ''")
    op.execute("""
        CREATE TABLE attributes (
            id text COLLATE "C" PRIMARY KEY,
            display_name text NOT NULL,
            description text NOT NULL,
            type text NOT NULL,
            data_class text NOT NULL,
            codes text[] NOT NULL,
            rule text NOT NULL,
            trusted_sources text[] NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            delete_time timestamptz
        )
        """)
    for attribute, (display_name, description, kind) in _PROFILE.items():
        op.execute(f"""
            INSERT INTO attributes VALUES (
                'profile.{attribute}', '{display_name}', '{description}', '{kind}', 'PERSONAL', '{{}}',
                'MANUAL', '{{}}', now(), now(), 1, NULL
            )
            """)  # noqa: S608 - of constants
    op.execute("""
        CREATE TABLE observations (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            source text NOT NULL,
            department_id text NOT NULL,
            actor text NOT NULL,
            origin text NOT NULL,
            observe_time timestamptz NOT NULL,
            confidence double precision NOT NULL,
            contents jsonb NOT NULL,
            create_time timestamptz NOT NULL,
            act_id uuid NOT NULL
        )
        """)
    op.execute("CREATE INDEX observations_customer ON observations (customer_id, observe_time, id)")
    op.execute("""
        CREATE TABLE attribute_candidates (
            customer_id uuid NOT NULL,
            attribute_id text COLLATE "C" NOT NULL REFERENCES attributes,
            source text NOT NULL,
            value text NOT NULL,
            observation_id uuid NOT NULL,
            department_id text NOT NULL,
            actor text NOT NULL,
            observe_time timestamptz NOT NULL,
            confidence double precision NOT NULL,
            PRIMARY KEY (customer_id, attribute_id, source)
        )
        """)
    op.execute("""
        CREATE TABLE attribute_pins (
            customer_id uuid NOT NULL,
            attribute_id text COLLATE "C" NOT NULL REFERENCES attributes,
            observation_id uuid,
            actor text NOT NULL,
            pin_time timestamptz,
            version bigint NOT NULL,
            PRIMARY KEY (customer_id, attribute_id)
        )
        """)
