"""What keeps tables for a while by partition: functions of the tables' owner, which the service calls.

How long is in the table `keeping`, which only the owner writes. The functions make the next partitions, and
remove only what is past its keeping, whoever calls them: see `chassis.db.maintain`. Of facts that the outbox
lets go of, and of events that the inbox does, the causes stay, in `causes`. The first migration creates all
this; `chassis.db.roles` lets the service's role call the functions.
"""

OUTBOX_DAYS = 14
INBOX_DAYS = 30
# Unless the owner is told otherwise, by the settings of `migrate`.
CAUSES_DAYS = 400
AUDIT_DAYS = 3660

# The columns of `causes` from a row of the outbox, and of the inbox.
FACT_AS_CAUSE = "id, '', type, resource, resource_version, time, actor, causation_id, traceparent"
EVENT_AS_CAUSE = "event_id, source, type, resource, 0, time, actor, causation_id, traceparent"

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
        EXECUTE format(
            'INSERT INTO causes SELECT %s FROM %I ON CONFLICT DO NOTHING', kept.causes, name
        );
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
        ', stay AS (INSERT INTO causes SELECT %s FROM gone ON CONFLICT DO NOTHING)', kept.causes
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


SIGNATURES = (
    "make_partitions(parent text)",
    "drop_partition(parent text, day date)",
    "forget(parent text, before uuid, most integer)",
)
"""What the service may call."""

FUNCTIONS = (
    _FIRST_ID,
    _as_owner(SIGNATURES[0], "void", "''", "day date; first uuid; past uuid;", _MAKE),
    _as_owner(SIGNATURES[1], "boolean", "to_char(day, 'YYYYMMDD')", "held boolean := false;", _DROP),
    _as_owner(SIGNATURES[2], "bigint", "'default'", "deleted bigint;", _FORGET),
)
