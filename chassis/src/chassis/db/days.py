"""What looks after the days of outbox and inbox: functions of the tables' owner, which the service calls.

They make the next days, and remove only what is past its keeping, whoever calls them: see
`chassis.db.maintain`. The first migration creates them; `chassis.db.roles` lets the service's role call them.
"""

# The smallest id of a day, as `chassis.ids.floor`.
_FIRST_ID = """
CREATE FUNCTION first_id(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (
        lpad(to_hex(extract(epoch FROM day::timestamp)::bigint * 1000), 12, '0') || '70008000000000000000'
    )::uuid
$$
"""

# Today and the two days after it, and no other range: a caller gives no bounds. Attached, not created as a
# partition: that would lock out writers of every day.
_MAKE = """
FOR day IN SELECT today + ahead FROM generate_series(0, 2) ahead LOOP
    name := parent || '_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(name) IS NOT NULL;
    first := first_id(day);
    past := first_id(day + 1);
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I) WITH (autovacuum_vacuum_scale_factor = 0.01)', name, parent
    );
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
    EXECUTE format(
        'WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *)'
        ' INSERT INTO %5$I SELECT * FROM moved', parent || '_default', key, first, past, name
    );
    EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, first, past
    );
END LOOP;
"""

_DROP = """
IF day > today - keeping THEN
    RAISE EXCEPTION '% is kept for % days', name, keeping USING ERRCODE = 'insufficient_privilege';
END IF;
IF parent = 'outbox' THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE published_at IS NULL)', name) INTO kept;
END IF;
IF NOT kept THEN
    EXECUTE format('DROP TABLE %I', name);
END IF;
RETURN NOT kept;
"""

_FORGET = """
IF before > first_id(today - keeping + 1) THEN
    RAISE EXCEPTION '% is kept for % days', parent, keeping USING ERRCODE = 'insufficient_privilege';
END IF;
EXECUTE format(
    'WITH gone AS (DELETE FROM %1$I WHERE ctid = ANY (ARRAY('
    'SELECT ctid FROM %1$I WHERE %2$I < %3$L%4$s LIMIT %5$s)) RETURNING 1) SELECT count(*) FROM gone',
    parent || '_default', key, before,
    CASE WHEN parent = 'outbox' THEN ' AND published_at IS NOT NULL' ELSE '' END, most
) INTO deleted;
RETURN deleted;
"""


def _as_owner(signature: str, result: str, name: str, variables: str, body: str) -> str:
    """A function about one table that runs with the rights of the tables' owner."""
    return f"""
        CREATE FUNCTION {signature} RETURNS {result} LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            key text := CASE parent WHEN 'outbox' THEN 'id' WHEN 'inbox' THEN 'event_id' END;
            name text := parent || '_' || {name};
            -- By the server's clock, with a day to spare for services whose clocks are ahead of it.
            today date := (now() AT TIME ZONE 'UTC')::date;
            keeping integer := CASE parent WHEN 'outbox' THEN 14 ELSE 30 END;
            {variables}
        BEGIN
            IF key IS NULL THEN
                RAISE EXCEPTION '% is not kept by day', parent USING ERRCODE = 'invalid_parameter_value';
            END IF;
            {body}
        END $$
    """


SIGNATURES = (
    "make_partitions(parent text)",
    "drop_partition(parent text, day date)",
    "forget(parent text, before uuid, most integer)",
)
"""What the service may call."""

FUNCTIONS = (
    _FIRST_ID,
    _as_owner(SIGNATURES[0], "void", "''", "day date; first uuid; past uuid;", _MAKE),
    _as_owner(SIGNATURES[1], "boolean", "to_char(day, 'YYYYMMDD')", "kept boolean := false;", _DROP),
    _as_owner(SIGNATURES[2], "bigint", "'default'", "deleted bigint;", _FORGET),
)
