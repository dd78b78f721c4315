"""Customers, identifiers, timeline, views, consents and imports."""

from alembic import op

revision = "customer_0001"
down_revision = None
branch_labels = ("customer",)
depends_on = None


def upgrade() -> None:
    customers()
    identifiers()
    timeline()
    views()
    sections()
    consents()
    imports()


def customers() -> None:
    op.execute("""
        CREATE TABLE customers (
            id uuid PRIMARY KEY,
            display_name text NOT NULL,
            kind text NOT NULL,
            given_name text NOT NULL,
            additional_name text NOT NULL,
            family_name text NOT NULL,
            honorific_prefix text NOT NULL,
            honorific_suffix text NOT NULL,
            birth_date text NOT NULL,
            organization_name text NOT NULL,
            addresses text NOT NULL,
            language_code text NOT NULL,
            time_zone text NOT NULL,
            region_code text NOT NULL,
            relationship_manager text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL
        )
        """)
    op.execute("CREATE INDEX customers_create_time ON customers (create_time, id)")
    op.execute(
        "CREATE INDEX customers_relationship_manager ON customers (relationship_manager, create_time, id)"
    )
    op.execute("CREATE INDEX customers_region_code ON customers (region_code, create_time, id)")


def identifiers() -> None:
    op.execute("""
        CREATE TABLE identifiers (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL REFERENCES customers DEFERRABLE INITIALLY DEFERRED,
            type text NOT NULL,
            system text NOT NULL,
            value text NOT NULL,
            normalized_value text NOT NULL,
            quality text NOT NULL,
            create_time timestamptz NOT NULL
        )
        """)
    # One handle belongs to one customer, but for numbers, which people share. What has no normalized value is
    # kept, and matches nobody.
    op.execute("""
        CREATE UNIQUE INDEX identifiers_handle ON identifiers (type, system, normalized_value)
        WHERE normalized_value <> '' AND type NOT IN ('PHONE', 'FAX')
        """)
    op.execute("""
        CREATE INDEX identifiers_number ON identifiers (normalized_value, type)
        WHERE normalized_value <> '' AND type IN ('PHONE', 'FAX')
        """)
    op.execute("CREATE INDEX identifiers_customer ON identifiers (customer_id, create_time, id)")


def timeline() -> None:
    op.execute("""
        CREATE TABLE timeline (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            occur_time timestamptz NOT NULL,
            event_type text NOT NULL,
            service text NOT NULL,
            resource text NOT NULL,
            reference text NOT NULL,
            channel text NOT NULL,
            direction text NOT NULL,
            topic text NOT NULL,
            summary text NOT NULL,
            department text NOT NULL,
            actor text NOT NULL,
            trace_id text NOT NULL,
            amount numeric,
            currency_code text NOT NULL
        )
        """)
    op.execute("CREATE INDEX timeline_customer ON timeline (customer_id, occur_time, id)")


def views() -> None:
    op.execute("""
        CREATE TABLE view_parts (
            customer_id uuid NOT NULL,
            resource text NOT NULL,
            kind text NOT NULL,
            facts bytea NOT NULL,
            part bytea NOT NULL,
            ended boolean NOT NULL,
            urgent boolean NOT NULL,
            change_time timestamptz NOT NULL,
            PRIMARY KEY (customer_id, resource)
        )
        """)
    # A view shows the first rows of each of these, however many there are.
    op.execute("""
        CREATE INDEX view_parts_live
        ON view_parts (customer_id, kind, urgent DESC, change_time DESC, resource) WHERE NOT ended
        """)
    op.execute("""
        CREATE INDEX view_parts_ended ON view_parts (customer_id, kind, change_time DESC, resource)
        WHERE ended
        """)
    # Views are read whole and replaced whole: inline up to 8 kB, with room on the page for the next version.
    op.execute("""
        CREATE TABLE views (
            customer_id uuid PRIMARY KEY,
            view bytea NOT NULL,
            open_promises bigint NOT NULL,
            open_cases bigint NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL
        ) WITH (fillfactor = 60, toast_tuple_target = 8160)
        """)


def sections() -> None:
    op.execute("""
        CREATE TABLE section_schemas (
            id text PRIMARY KEY,
            department_id text NOT NULL,
            display_name text NOT NULL,
            message_type text NOT NULL,
            descriptors bytea NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            deleted_version bigint NOT NULL,
            delete_time timestamptz
        )
        """)
    op.execute("""
        CREATE TABLE view_sections (
            customer_id uuid NOT NULL REFERENCES customers,
            section text NOT NULL REFERENCES section_schemas,
            content bytea,
            drawn bytea NOT NULL,
            as_of_time timestamptz NOT NULL,
            stale_time timestamptz,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            schema_version bigint NOT NULL,
            put_id uuid NOT NULL,
            PRIMARY KEY (customer_id, section)
        )
        """)
    # A changed schema draws anew the sections that are behind it, some at a time, until none is.
    op.execute("""
        CREATE INDEX view_sections_schema ON view_sections (section, schema_version, customer_id)
        WHERE content IS NOT NULL
        """)


def consents() -> None:
    op.execute("""
        CREATE TABLE purposes (
            id text PRIMARY KEY,
            display_name text NOT NULL,
            description text NOT NULL,
            department_id text NOT NULL,
            contact_default text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL
        )
        """)
    # What we promised or must tell is welcome until refused; advertising is not until asked for.
    op.execute("""
        INSERT INTO purposes VALUES
        ('marketing', 'Marketing', 'Advertising and offers.', 'platform', 'DENIED', now(), now(), 1),
        ('service', 'Service', 'Promises, cases, safety: what one has of us.', 'platform', 'ALLOWED', now(),
         now(), 1)
        """)
    op.execute("""
        CREATE TABLE consents (
            customer_id uuid NOT NULL REFERENCES customers,
            id text NOT NULL,
            purpose_id text NOT NULL REFERENCES purposes,
            channel text NOT NULL,
            state text NOT NULL,
            source text NOT NULL,
            wording_version text NOT NULL,
            effective_time timestamptz NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            PRIMARY KEY (customer_id, id)
        )
        """)
    op.execute("""
        CREATE TABLE consent_history (
            customer_id uuid NOT NULL,
            id text NOT NULL,
            purpose_id text NOT NULL,
            channel text NOT NULL,
            version bigint NOT NULL,
            state text NOT NULL,
            source text NOT NULL,
            wording_version text NOT NULL,
            effective_time timestamptz NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            actor text NOT NULL,
            PRIMARY KEY (customer_id, id, version)
        )
        """)
    op.execute("""
        CREATE FUNCTION refuse_consent_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
        """)
    op.execute("""
        CREATE TRIGGER consent_history_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent_history
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_consent_history_change()
        """)
    op.execute("""
        CREATE TABLE preferences (
            customer_id uuid PRIMARY KEY REFERENCES customers,
            channels text[] NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL
        )
        """)


def imports() -> None:
    op.execute("""
        CREATE TABLE import_jobs (
            id uuid PRIMARY KEY,
            source text NOT NULL,
            state text NOT NULL,
            row_count bigint NOT NULL,
            last_line bigint NOT NULL,
            refused_count bigint NOT NULL,
            created_count bigint NOT NULL,
            matched_count bigint NOT NULL,
            renamed_count bigint NOT NULL,
            department_id text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            end_time timestamptz,
            importer text NOT NULL,
            commit_id uuid
        )
        """)
    # One job of a department for one source is under way; one that ended may be imported again.
    op.execute(
        "CREATE UNIQUE INDEX import_jobs_under_way ON import_jobs (department_id, source) "
        "WHERE state IN ('OPEN', 'COMMITTING')"
    )
    op.execute("CREATE INDEX import_jobs_create_time ON import_jobs (create_time, id)")
    for filtered in ("source", "state", "department_id"):
        op.execute(f"CREATE INDEX import_jobs_{filtered} ON import_jobs ({filtered}, create_time, id)")
    op.execute("""
        CREATE TABLE import_rows (
            job_id uuid NOT NULL REFERENCES import_jobs,
            line bigint NOT NULL,
            draft bytea NOT NULL,
            PRIMARY KEY (job_id, line)
        )
        """)
    op.execute("""
        CREATE TABLE import_findings (
            job_id uuid NOT NULL REFERENCES import_jobs,
            line bigint NOT NULL,
            position bigint NOT NULL,
            field text NOT NULL,
            reason text NOT NULL,
            description text NOT NULL,
            applied boolean NOT NULL,
            PRIMARY KEY (job_id, line, position)
        )
        """)
