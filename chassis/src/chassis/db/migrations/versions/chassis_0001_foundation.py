"""Outbox, inbox, causes, what was set aside, stored responses, audit, timers and work."""

from alembic import op

from chassis.db import days

revision = "chassis_0001"
down_revision = None
branch_labels = ("chassis",)
depends_on = None

EVERY_DAY_VACUUMED = "autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.05"


def upgrade() -> None:
    outbox()
    inbox()
    causes()
    parked()
    stream()
    idempotency()
    recognised()
    audit()
    timers()
    work()
    keeping()
    for function in days.FUNCTIONS:
        op.execute(function)


def outbox() -> None:
    op.execute(
        """
        CREATE TABLE outbox (
            id uuid PRIMARY KEY,
            shard smallint NOT NULL,
            subject text NOT NULL,
            type text NOT NULL,
            resource text NOT NULL,
            resource_version bigint NOT NULL,
            data bytea NOT NULL,
            time timestamptz NOT NULL,
            actor text NOT NULL,
            correlation_id text NOT NULL,
            causation_id uuid NOT NULL,
            traceparent text NOT NULL,
            transaction_id uuid,
            published_at timestamptz
        ) PARTITION BY RANGE (id)
        """
    )
    # Only what is still to be published: the relay's query stays small however large the outbox grows.
    op.execute("CREATE INDEX outbox_unpublished ON outbox (shard, id) WHERE published_at IS NULL")
    op.execute("CREATE INDEX outbox_resource ON outbox (resource, resource_version, id)")
    op.execute(f"CREATE TABLE outbox_default PARTITION OF outbox DEFAULT WITH ({EVERY_DAY_VACUUMED})")


def inbox() -> None:
    op.execute(
        """
        CREATE TABLE inbox (
            event_id uuid NOT NULL,
            consumer text NOT NULL,
            source text NOT NULL,
            type text NOT NULL,
            resource text NOT NULL,
            time timestamptz NOT NULL,
            actor text NOT NULL,
            correlation_id text NOT NULL,
            causation_id uuid NOT NULL,
            traceparent text NOT NULL,
            transaction_id uuid,
            PRIMARY KEY (event_id, consumer)
        ) PARTITION BY RANGE (event_id)
        """
    )
    # Readers wait for the events of a transaction that recorded too many to name.
    op.execute("CREATE INDEX inbox_transaction ON inbox (transaction_id) WHERE transaction_id IS NOT NULL")
    op.execute("CREATE TABLE inbox_default PARTITION OF inbox DEFAULT")


def causes() -> None:
    op.execute(
        """
        CREATE TABLE causes (
            id uuid PRIMARY KEY,
            source text NOT NULL,
            type text NOT NULL,
            resource text NOT NULL,
            resource_version bigint NOT NULL,
            time timestamptz NOT NULL,
            actor text NOT NULL,
            causation_id uuid NOT NULL,
            traceparent text NOT NULL
        ) PARTITION BY RANGE (id)
        """
    )
    op.execute("CREATE INDEX causes_resource ON causes (resource, resource_version, id) WHERE source = ''")
    op.execute("CREATE TABLE causes_default PARTITION OF causes DEFAULT")


def keeping() -> None:
    op.execute(
        """
        CREATE TABLE keeping (
            parent text PRIMARY KEY,
            key text NOT NULL,
            period text NOT NULL,
            days integer NOT NULL,
            causes text NOT NULL
        )
        """
    )
    op.execute(
        f"""
        INSERT INTO keeping VALUES
            ('outbox', 'id', 'day', {days.OUTBOX_DAYS}, $$ {days.FACT_AS_CAUSE} $$),
            ('inbox', 'event_id', 'day', {days.INBOX_DAYS}, $$ {days.EVENT_AS_CAUSE} $$),
            ('causes', 'id', 'month', {days.CAUSES_DAYS}, ''),
            ('audit', 'id', 'month', {days.AUDIT_DAYS}, '')
        """  # noqa: S608
    )


def parked() -> None:
    op.execute(
        """
        CREATE TABLE parked (
            event_id uuid NOT NULL,
            consumer text NOT NULL,
            state text NOT NULL CHECK (state IN ('PARKED', 'DEAD')),
            source text NOT NULL,
            subject text NOT NULL,
            type text NOT NULL,
            resource text NOT NULL,
            customer text NOT NULL,
            transaction_id uuid,
            headers jsonb NOT NULL,
            data bytea NOT NULL,
            attempts integer NOT NULL,
            error text NOT NULL,
            reason text NOT NULL,
            parked_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            PRIMARY KEY (event_id, consumer)
        )
        """
    )
    op.execute("CREATE INDEX parked_due ON parked (consumer, due_at) WHERE state = 'PARKED'")
    op.execute("CREATE INDEX parked_dead ON parked (parked_at, event_id) WHERE state = 'DEAD'")
    op.execute("CREATE INDEX parked_dead_of ON parked (consumer, parked_at, event_id) WHERE state = 'DEAD'")
    op.execute("CREATE INDEX parked_transaction ON parked (transaction_id) WHERE transaction_id IS NOT NULL")


def stream() -> None:
    op.execute(
        """
        CREATE TABLE stream (
            name text PRIMARY KEY,
            identity text NOT NULL,
            last_sequence bigint NOT NULL,
            whole_until bigint
        )
        """
    )


def idempotency() -> None:
    op.execute(
        """
        CREATE TABLE idempotency (
            request_id uuid PRIMARY KEY,
            method text NOT NULL,
            request_hash bytea NOT NULL,
            response bytea NOT NULL,
            consistency_token text NOT NULL,
            at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX idempotency_at ON idempotency (at)")


def recognised() -> None:
    op.execute("CREATE TABLE recognised (import_key text PRIMARY KEY, known_as text NOT NULL)")
    op.execute("CREATE INDEX recognised_as ON recognised (known_as)")


def audit() -> None:
    op.execute(
        """
        CREATE TABLE audit (
            id uuid PRIMARY KEY,
            at timestamptz NOT NULL,
            actor text NOT NULL,
            department text NOT NULL,
            via text NOT NULL,
            purpose text NOT NULL,
            what text NOT NULL,
            reason_code text NOT NULL,
            request_id text NOT NULL,
            cause_id uuid,
            correlation_id text NOT NULL,
            traceparent text NOT NULL,
            resources text NOT NULL,
            refused text NOT NULL DEFAULT '',
            void boolean NOT NULL DEFAULT false
        ) PARTITION BY RANGE (id)
        """
    )
    op.execute("CREATE TABLE audit_default PARTITION OF audit DEFAULT")
    # The firing of a timer is found by the timer's id, to explain the facts that it caused.
    op.execute("CREATE INDEX audit_timers ON audit (cause_id) WHERE actor = 'clock'")
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def timers() -> None:
    op.execute(
        f"""
        CREATE TABLE timers (
            id uuid PRIMARY KEY,
            kind text NOT NULL,
            key text NOT NULL,
            due_at timestamptz NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            correlation_id text NOT NULL,
            causation_id uuid NOT NULL,
            traceparent text NOT NULL,
            UNIQUE (kind, key)
        ) WITH ({EVERY_DAY_VACUUMED})
        """
    )
    op.execute("CREATE INDEX timers_due ON timers (due_at, id)")


def work() -> None:
    op.execute(
        f"""
        CREATE TABLE work (
            id uuid PRIMARY KEY,
            kind text NOT NULL,
            key text NOT NULL,
            state text NOT NULL DEFAULT 'PENDING',
            attempt integer NOT NULL DEFAULT 0,
            failures integer NOT NULL DEFAULT 0,
            due_at timestamptz NOT NULL,
            expire_at timestamptz NOT NULL,
            lease_until timestamptz,
            repeats smallint NOT NULL,
            unknown integer[] NOT NULL DEFAULT '{{}}',
            fingerprint text NOT NULL DEFAULT '',
            code text NOT NULL DEFAULT '',
            alarm boolean NOT NULL DEFAULT false,
            correlation_id text NOT NULL,
            causation_id uuid NOT NULL,
            traceparent text NOT NULL,
            ended_at timestamptz,
            UNIQUE (kind, key)
        ) WITH ({EVERY_DAY_VACUUMED})
        """
    )
    op.execute("CREATE INDEX work_due ON work (kind, due_at) WHERE state = 'PENDING'")
    op.execute("CREATE INDEX work_expiring ON work (expire_at) WHERE state = 'PENDING'")
    op.execute("CREATE INDEX work_leased ON work (lease_until) WHERE state IN ('CLAIMED', 'HANDING_OVER')")
    op.execute("CREATE INDEX work_live ON work (kind, state) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX work_unknown ON work (ended_at) WHERE state = 'UNKNOWN'")
    op.execute("CREATE INDEX work_open ON work (id) WHERE ended_at IS NULL OR state = 'UNKNOWN'")
    op.execute("CREATE INDEX work_ended ON work (ended_at) WHERE ended_at IS NOT NULL")
