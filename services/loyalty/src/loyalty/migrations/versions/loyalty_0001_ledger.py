"""Ledger, purchases, customer value and goodwill."""

from alembic import op

revision = "loyalty_0001"
down_revision = None
branch_labels = ("loyalty",)
depends_on = None


def upgrade() -> None:
    programs()
    accounts()
    entries()
    append_only()
    purchases()
    goodwill()
    promises()
    main_program()


def programs() -> None:
    op.execute(
        """
        CREATE TABLE programs (
            id text PRIMARY KEY,
            display_name text NOT NULL,
            version bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE units (
            program_id text NOT NULL REFERENCES programs,
            id text NOT NULL,
            display_name text NOT NULL,
            version bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            PRIMARY KEY (program_id, id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE memberships (
            id uuid PRIMARY KEY,
            program_id text NOT NULL REFERENCES programs,
            customer_id uuid NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX memberships_of_customer ON memberships (program_id, customer_id)")
    op.execute("CREATE INDEX memberships_of_program ON memberships (program_id, id)")


def accounts() -> None:
    op.execute(
        """
        CREATE TABLE accounts (
            id uuid PRIMARY KEY,
            name text NOT NULL UNIQUE,
            type text NOT NULL CHECK (type IN ('MEMBERSHIP', 'ISSUED', 'REDEEMED', 'GOODWILL')),
            program_id text NOT NULL,
            unit_id text NOT NULL,
            membership_id uuid REFERENCES memberships,
            customer_id uuid,
            balance bigint NOT NULL DEFAULT 0,
            version bigint NOT NULL DEFAULT 0,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            FOREIGN KEY (program_id, unit_id) REFERENCES units,
            UNIQUE (membership_id, unit_id),
            CONSTRAINT member_is_a_customer CHECK (
                (type = 'MEMBERSHIP') = (membership_id IS NOT NULL)
                AND (membership_id IS NULL) = (customer_id IS NULL)
            ),
            CONSTRAINT member_not_below_zero CHECK (balance >= 0 OR type <> 'MEMBERSHIP')
        ) WITH (fillfactor = 70)
        """
    )
    op.execute("CREATE INDEX accounts_of_program ON accounts (program_id, name)")
    op.execute("CREATE INDEX accounts_of_membership ON accounts (program_id, membership_id, name)")
    op.execute(
        """
        CREATE TABLE transfers (
            id uuid PRIMARY KEY,
            leg_count bigint NOT NULL CHECK (leg_count >= 2),
            reason_code text NOT NULL,
            reverses_id uuid UNIQUE REFERENCES transfers,
            cause_id uuid NOT NULL,
            post_time timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE entries (
            account_id uuid NOT NULL REFERENCES accounts,
            version bigint NOT NULL CHECK (version > 0),
            transfer_id uuid NOT NULL REFERENCES transfers,
            leg bigint NOT NULL CHECK (leg >= 0),
            amount bigint NOT NULL CHECK (amount <> 0),
            balance bigint NOT NULL,
            PRIMARY KEY (account_id, version)
        )
        """
    )
    # As many legs as a transfer says, none of which is beyond them: no other can be added later.
    op.execute("CREATE UNIQUE INDEX entries_of_transfer ON entries (transfer_id, leg)")


def entries() -> None:
    """What makes the ledger right whoever writes to it; each is checked at commit."""
    op.execute(
        """
        CREATE FUNCTION transfer_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (
                SELECT count(DISTINCT account_id) <> NEW.leg_count OR count(*) <> NEW.leg_count
                FROM entries WHERE transfer_id = NEW.id
            ) OR EXISTS (
                SELECT FROM entries e JOIN accounts a ON a.id = e.account_id
                WHERE e.transfer_id = NEW.id GROUP BY a.program_id, a.unit_id HAVING sum(e.amount) <> 0
            ) THEN
                RAISE EXCEPTION 'the legs of transfer % must add up to zero in each unit', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_is_balanced';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER transfer_is_balanced AFTER INSERT ON transfers
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION transfer_is_balanced()
        """
    )
    op.execute(
        """
        CREATE FUNCTION entry_continues() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.balance - NEW.amount IS DISTINCT FROM (
                CASE WHEN NEW.version = 1 THEN 0 ELSE (
                    SELECT balance FROM entries
                    WHERE account_id = NEW.account_id AND version = NEW.version - 1
                ) END
            ) OR NEW.version > (SELECT version FROM accounts WHERE id = NEW.account_id)
              OR NEW.leg >= (SELECT leg_count FROM transfers WHERE id = NEW.transfer_id) THEN
                RAISE EXCEPTION 'entry % of account % must continue its balance', NEW.version, NEW.account_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_continues';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER entry_continues AFTER INSERT ON entries
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_continues()
        """
    )
    op.execute(
        """
        CREATE FUNCTION account_says_newest_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM accounts a LEFT JOIN LATERAL (
                    SELECT version, balance FROM entries WHERE account_id = a.id ORDER BY version DESC LIMIT 1
                ) newest ON true
                WHERE a.id = NEW.id
                  AND (a.version, a.balance) <> (coalesce(newest.version, 0), coalesce(newest.balance, 0))
            ) THEN
                RAISE EXCEPTION 'account % must say what its newest entry says', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'account_says_newest_entry';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER account_says_newest_entry AFTER INSERT OR UPDATE ON accounts
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION account_says_newest_entry()
        """
    )


def append_only() -> None:
    op.execute(
        """
        CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: post a reversal instead', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    for table in ("transfers", "entries"):
        op.execute(
            f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
            """
        )
    op.execute(
        """
        CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON accounts
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
        """
    )


def purchases() -> None:
    op.execute(
        """
        CREATE TABLE purchases (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            paid numeric NOT NULL,
            currency_code text NOT NULL,
            purchase_time timestamptz NOT NULL,
            quantity bigint NOT NULL CHECK (quantity >= 0),
            reference text NOT NULL,
            import_key text UNIQUE,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            refunded numeric NOT NULL CHECK (refunded BETWEEN 0 AND greatest(paid, 0)),
            refunded_by text NOT NULL,
            version bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX purchases_of_customer ON purchases (customer_id, purchase_time, id)")
    op.execute("CREATE INDEX purchases_in_time ON purchases (purchase_time, id)")
    op.execute(
        """
        CREATE TABLE customer_values (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL UNIQUE,
            totals jsonb NOT NULL,
            purchase_count bigint NOT NULL CHECK (purchase_count >= 0),
            first_purchase_time timestamptz,
            last_purchase_time timestamptz,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CHECK ((purchase_count = 0) = (first_purchase_time IS NULL)),
            CHECK ((purchase_count = 0) = (last_purchase_time IS NULL))
        ) WITH (fillfactor = 70)
        """
    )
    # Amounts are text in JSON: its numbers would be read as floats.
    op.execute(
        """
        CREATE FUNCTION totals_added(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
            SELECT coalesce(jsonb_object_agg(key, total), '{}') FROM (
                SELECT key, trim_scale(sum(value::numeric))::text AS total
                FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) of_both
                GROUP BY key
            ) added
        $$
        """
    )


def goodwill() -> None:
    op.execute(
        """
        CREATE TABLE goodwill (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            membership_id uuid NOT NULL REFERENCES memberships,
            program_id text NOT NULL,
            unit_id text NOT NULL,
            amount bigint NOT NULL CHECK (amount > 0),
            reason_code text NOT NULL,
            promise_id uuid,
            root_id uuid,
            department_id text,
            transfer_id uuid NOT NULL UNIQUE REFERENCES transfers DEFERRABLE INITIALLY DEFERRED,
            authority_policy text NOT NULL,
            policy_version bigint NOT NULL,
            grantor text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            state text NOT NULL CHECK (state IN ('GRANTED', 'REVERSED')),
            version bigint NOT NULL,
            CHECK ((promise_id IS NULL) = (root_id IS NULL))
        )
        """
    )
    op.execute("CREATE INDEX goodwill_listed ON goodwill (customer_id, id)")
    op.execute("CREATE INDEX goodwill_of_harm ON goodwill (customer_id, root_id)")
    op.execute("CREATE INDEX goodwill_of_customer ON goodwill (customer_id, create_time)")
    op.execute("CREATE INDEX goodwill_of_grantor ON goodwill (grantor, create_time)")


def promises() -> None:
    op.execute(
        """
        CREATE TABLE promises (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            root_id uuid NOT NULL
        )
        """
    )
    op.execute("CREATE TABLE harms (root_id uuid PRIMARY KEY)")


def main_program() -> None:
    """The program that every installation has."""
    op.execute("INSERT INTO programs VALUES ('main', 'Points', 1, 'epoch', 'epoch')")
    op.execute("INSERT INTO units VALUES ('main', 'points', 'Points', 1, 'epoch', 'epoch')")
    op.execute(
        """
        INSERT INTO accounts (id, name, type, program_id, unit_id, create_time, update_time)
        SELECT gen_random_uuid(), 'programs/main/accounts/points-' || lower(type), type,
            'main', 'points', 'epoch', 'epoch'
        FROM unnest(ARRAY['ISSUED', 'REDEEMED', 'GOODWILL']) type
        """
    )
