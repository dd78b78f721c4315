"""Customers who may be one are found: keys of each, what came of each pair, and who changed since."""

from alembic import op

revision = "customer_0006"
down_revision = "customer_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    keys()
    candidates()
    jobs()
    queue()
    everybody()


def keys() -> None:
    # Read by range of a key, never by customer: their keys are in match_records.
    op.execute("""
        CREATE TABLE match_keys (
            key bigint NOT NULL,
            customer_id uuid NOT NULL,
            PRIMARY KEY (key, customer_id)
        )
        """)
    op.execute("""
        CREATE TABLE match_records (
            customer_id uuid PRIMARY KEY,
            digest text NOT NULL,
            packed_keys bytea NOT NULL
        )
        """)


def candidates() -> None:
    op.execute("""
        CREATE TABLE match_candidates (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            other_customer_id uuid NOT NULL,
            state text NOT NULL,
            weight_millibits bigint NOT NULL,
            link text NOT NULL,
            fields text NOT NULL,
            barred text NOT NULL,
            match_parameters_id uuid NOT NULL,
            decider text NOT NULL,
            reason_code text NOT NULL,
            comment text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            decide_time timestamptz,
            version bigint NOT NULL,
            UNIQUE (customer_id, other_customer_id),
            CHECK (customer_id < other_customer_id)
        )
        """)
    op.execute("CREATE INDEX match_candidates_other ON match_candidates (other_customer_id)")
    op.execute("CREATE INDEX match_candidates_weight ON match_candidates (weight_millibits, id)")
    op.execute("CREATE INDEX match_candidates_state ON match_candidates (state, weight_millibits, id)")
    op.execute(
        "CREATE INDEX match_candidates_create_time ON match_candidates (create_time, weight_millibits, id)"
    )
    op.execute(
        "CREATE INDEX match_candidates_waiting ON match_candidates (create_time) WHERE state = 'PENDING'"
    )


def jobs() -> None:
    op.execute("""
        CREATE TABLE match_parameters (
            id uuid PRIMARY KEY,
            digest text NOT NULL,
            learned boolean NOT NULL,
            customer_count bigint NOT NULL,
            document text NOT NULL,
            create_time timestamptz NOT NULL
        )
        """)
    op.execute("CREATE INDEX match_parameters_create_time ON match_parameters (create_time, id)")
    op.execute("""
        CREATE TABLE match_jobs (
            id uuid PRIMARY KEY,
            retrain boolean NOT NULL,
            state text NOT NULL,
            phase text NOT NULL,
            last_id uuid NOT NULL,
            match_parameters_id uuid,
            customer_count bigint NOT NULL,
            matched_count bigint NOT NULL,
            candidate_count bigint NOT NULL,
            linked_count bigint NOT NULL,
            skipped_key_count bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            end_time timestamptz,
            version bigint NOT NULL
        )
        """)
    op.execute("CREATE UNIQUE INDEX match_jobs_running ON match_jobs (state) WHERE state = 'RUNNING'")
    op.execute("CREATE INDEX match_jobs_create_time ON match_jobs (create_time, id)")


def queue() -> None:
    # Written by triggers, so that nobody who changes a customer can forget it, the release before included,
    # and without a round trip. A row each time: who changes a customer waits for nobody who compares them.
    op.execute("""
        CREATE TABLE match_queue (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer_id uuid NOT NULL,
            create_time timestamptz NOT NULL DEFAULT now(),
            due_time timestamptz NOT NULL DEFAULT now()
        )
        """)
    op.execute("""
        CREATE FUNCTION queue_changed_customers() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO match_queue (customer_id) SELECT id FROM changed;
            RETURN NULL;
        END $$
        """)
    op.execute("""
        CREATE FUNCTION queue_customers_of_identifiers() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO match_queue (customer_id) SELECT DISTINCT customer_id FROM changed;
            RETURN NULL;
        END $$
        """)
    for table, act, rows, function in (
        ("customers", "INSERT", "NEW", "queue_changed_customers"),
        ("customers", "UPDATE", "NEW", "queue_changed_customers"),
        ("customers", "DELETE", "OLD", "queue_changed_customers"),
        # Who gets or loses one is changed themselves.
        ("identifiers", "UPDATE", "NEW", "queue_customers_of_identifiers"),
    ):
        op.execute(f"""
            CREATE TRIGGER {table}_{act.lower()}_is_matched AFTER {act} ON {table}
            REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {function}()
            """)


def everybody() -> None:
    # Customers of before are matched by a job. A new database has neither them nor, before the chassis' own
    # revision, timers.
    op.execute("""
        DO $$ DECLARE job uuid := gen_random_uuid(); BEGIN
            IF to_regclass('timers') IS NOT NULL AND EXISTS (SELECT FROM customers) THEN
                INSERT INTO match_jobs VALUES (
                    job, false, 'RUNNING', 'INDEX', '00000000-0000-0000-0000-000000000000', NULL,
                    greatest((SELECT reltuples::bigint FROM pg_class WHERE oid = 'customers'::regclass), 0),
                    0, 0, 0, 0, now(), now(), NULL, 1
                );
                INSERT INTO timers (id, kind, key, due_at, correlation_id, causation_id, traceparent)
                VALUES (gen_random_uuid(), 'match-everybody', job::text, now() + interval '1 minute',
                    job::text, job, '');
            END IF;
        END $$
        """)
