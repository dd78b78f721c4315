"""Outbox, inbox, causes, what was set aside, stored responses, audit, timers and work."""

from alembic import op

revision = "chassis_0001"
down_revision = None
branch_labels = ("chassis",)
depends_on = None

# What of a partition of the outbox stays, and of the inbox: what we told ourselves is there as our fact.
FACT_AS_CAUSE = """
    SELECT id, '', type, resource, resource_version, time, actor, causation_id, traceparent FROM %I
"""
EVENT_AS_CAUSE = """
    SELECT event_id, source, type, resource, 0, time, actor, causation_id, traceparent FROM %I
    WHERE source <> ''
"""

# The smallest id of a day, as `chassis.ids.floor`.
_FIRST_ID = """
CREATE FUNCTION first_id(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (
        lpad(to_hex(extract(epoch FROM day::timestamp)::bigint * 1000), 12, '0') || '70008000000000000000'
    )::uuid
$$
"""

# This day or month and the two after it, and no other range: a caller gives no bounds. Attached, not created
# as a partition: that would lock out writers of every other. Each one of the audit is append-only by itself.
_MAKE = """
FOR day IN
    SELECT date_trunc(kept.period, today::timestamp) + ahead * span FROM generate_series(0, 2) ahead
LOOP
    name := parent || '_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(name) IS NOT NULL;
    first := first_id(day);
    past := first_id((day + span)::date);
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I) WITH (autovacuum_vacuum_scale_factor = 0.01)', name, parent
    );
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
    EXECUTE format(
        'WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *)'
        ' INSERT INTO %5$I SELECT * FROM moved', parent || '_default', kept.key, first, past, name
    );
    EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, first, past
    );
    IF parent = 'audit' THEN
        EXECUTE format(
            'CREATE TRIGGER is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name
        );
    END IF;
END LOOP;
"""

_DROP = """
IF (day + span)::date > today - kept.days + 1 THEN
    RAISE EXCEPTION '% is kept for % days', name, kept.days USING ERRCODE = 'insufficient_privilege';
END IF;
IF parent = 'outbox' THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE published_at IS NULL)', name) INTO held;
END IF;
IF NOT held THEN
    IF kept.causes <> '' THEN
        EXECUTE format('INSERT INTO causes ' || kept.causes || ' ON CONFLICT DO NOTHING', name);
    END IF;
    EXECUTE format('DROP TABLE %I', name);
END IF;
RETURN NOT held;
"""

_FORGET = """
IF before > first_id(today - kept.days + 1) THEN
    RAISE EXCEPTION '% is kept for % days', parent, kept.days USING ERRCODE = 'insufficient_privilege';
END IF;
EXECUTE format(
    'WITH gone AS (DELETE FROM %1$I WHERE ctid = ANY (ARRAY('
    'SELECT ctid FROM %1$I WHERE %2$I < %3$L%4$s LIMIT %5$s)) RETURNING *)%6$s SELECT count(*) FROM gone',
    parent || '_default', kept.key, before,
    CASE WHEN parent = 'outbox' THEN ' AND published_at IS NOT NULL' ELSE '' END, most,
    CASE WHEN kept.causes <> '' THEN format(
        ', stay AS (INSERT INTO causes ' || kept.causes || ' ON CONFLICT DO NOTHING)', 'gone'
    ) ELSE '' END
) INTO deleted;
RETURN deleted;
"""


def _as_owner(signature: str, result: str, name: str, variables: str, body: str) -> str:
    """A function about one table that runs with the rights of the tables' owner."""
    return f"""
        CREATE FUNCTION {signature} RETURNS {result} LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            kept keeping%ROWTYPE;
            span interval;
            name text := parent || '_' || {name};
            -- By the server's clock, with a day to spare for services whose clocks are ahead of it.
            today date := (now() AT TIME ZONE 'UTC')::date;
            {variables}
        BEGIN
            SELECT * INTO kept FROM keeping k WHERE k.parent = {signature.partition("(")[0]}.parent;
            IF NOT FOUND THEN
                RAISE EXCEPTION '% is kept by no partition', parent
                    USING ERRCODE = 'invalid_parameter_value';
            END IF;
            span := ('1 ' || kept.period)::interval;
            {body}
        END $$
    """  # noqa: S608


FUNCTIONS = (
    _FIRST_ID,
    _as_owner("make_partitions(parent text)", "void", "''", "day date; first uuid; past uuid;", _MAKE),
    _as_owner(
        "drop_partition(parent text, day date)",
        "boolean",
        "to_char(day, 'YYYYMMDD')",
        "held boolean := false;",
        _DROP,
    ),
    _as_owner(
        "forget(parent text, before uuid, most integer)", "bigint", "'default'", "deleted bigint;", _FORGET
    ),
)

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
    for function in FUNCTIONS:
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
            ('outbox', 'id', 'day', 14, $$ {FACT_AS_CAUSE} $$),
            ('inbox', 'event_id', 'day', 30, $$ {EVENT_AS_CAUSE} $$),
            ('causes', 'id', 'month', 400, ''),
            ('audit', 'id', 'month', 3660, '')
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
