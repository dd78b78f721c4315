"""Ledger, purchases, customer value and goodwill."""

from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

revision = "loyalty_0001"
down_revision = None
branch_labels = ("loyalty",)
depends_on = None

NAMESPACE = UUID("8f1f6c1e-5a0c-5b52-9d3e-2f6a4c1b7e90")


def upgrade() -> None:
    accounts()
    entries()
    append_only()
    purchases()
    goodwill()
    promises()
    main_programme()


def accounts() -> None:
    op.execute("CREATE TABLE programmes (id text PRIMARY KEY, display_name text NOT NULL)")
    op.execute(
        """
        CREATE TABLE accounts (
            id uuid PRIMARY KEY,
            programme text NOT NULL REFERENCES programmes,
            kind text NOT NULL CHECK (kind IN ('MEMBERSHIP', 'ISSUED', 'REDEEMED', 'GOODWILL')),
            customer_id uuid,
            points bigint NOT NULL DEFAULT 0,
            version bigint NOT NULL DEFAULT 0,
            open_time timestamptz NOT NULL,
            UNIQUE NULLS NOT DISTINCT (programme, kind, customer_id),
            CONSTRAINT membership_has_customer CHECK ((kind = 'MEMBERSHIP') = (customer_id IS NOT NULL)),
            CONSTRAINT membership_not_below_zero CHECK (points >= 0 OR kind <> 'MEMBERSHIP')
        ) WITH (fillfactor = 70)
        """
    )
    op.execute(
        """
        CREATE TABLE transfers (
            id uuid PRIMARY KEY,
            reason_code text NOT NULL,
            reverses uuid UNIQUE REFERENCES transfers,
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
            points bigint NOT NULL CHECK (points <> 0),
            balance bigint NOT NULL,
            PRIMARY KEY (account_id, version)
        )
        """
    )
    # One debit leg and one credit leg for a transfer: no third can be added later.
    op.execute("CREATE UNIQUE INDEX entries_of_transfer ON entries (transfer_id, (points > 0))")


def entries() -> None:
    """What makes the ledger right whoever writes to it; each is checked at commit."""
    op.execute(
        """
        CREATE FUNCTION transfer_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (
                SELECT count(DISTINCT account_id) <> 2 OR sum(points) <> 0
                FROM entries WHERE transfer_id = NEW.id
            ) THEN
                RAISE EXCEPTION 'transfer % must have two legs that add up to zero', NEW.id
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
            IF NEW.balance - NEW.points IS DISTINCT FROM (
                CASE WHEN NEW.version = 1 THEN 0 ELSE (
                    SELECT balance FROM entries
                    WHERE account_id = NEW.account_id AND version = NEW.version - 1
                ) END
            ) OR NEW.version > (SELECT version FROM accounts WHERE id = NEW.account_id) THEN
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
                  AND (a.version, a.points) <> (coalesce(newest.version, 0), coalesce(newest.balance, 0))
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
            amount numeric(20, 4) NOT NULL,
            currency_code text NOT NULL,
            purchase_time timestamptz NOT NULL,
            quantity integer NOT NULL CHECK (quantity >= 0),
            reference text NOT NULL,
            refunded numeric(20, 4) NOT NULL CHECK (refunded BETWEEN 0 AND greatest(amount, 0)),
            refunded_by text NOT NULL,
            import_key text UNIQUE,
            version bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX purchases_of_customer ON purchases (customer_id, purchase_time)")
    op.execute(
        """
        CREATE TABLE customer_values (
            customer_id uuid PRIMARY KEY,
            lifetime_value numeric(24, 4) NOT NULL,
            purchase_count bigint NOT NULL CHECK (purchase_count >= 0),
            first_purchase_time timestamptz,
            last_purchase_time timestamptz,
            version bigint NOT NULL,
            CHECK ((purchase_count = 0) = (first_purchase_time IS NULL)),
            CHECK ((purchase_count = 0) = (last_purchase_time IS NULL))
        ) WITH (fillfactor = 70)
        """
    )


def goodwill() -> None:
    op.execute(
        """
        CREATE TABLE goodwill (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            points bigint NOT NULL CHECK (points > 0),
            reason_code text NOT NULL,
            promise_id uuid,
            root_id uuid,
            transfer_id uuid NOT NULL REFERENCES transfers DEFERRABLE INITIALLY DEFERRED,
            policy text NOT NULL,
            policy_version text NOT NULL,
            grantor text NOT NULL,
            grant_time timestamptz NOT NULL,
            CHECK ((promise_id IS NULL) = (root_id IS NULL))
        )
        """
    )
    op.execute("CREATE INDEX goodwill_of_harm ON goodwill (customer_id, root_id)")
    op.execute("CREATE INDEX goodwill_of_customer ON goodwill (customer_id, grant_time)")
    op.execute("CREATE INDEX goodwill_of_grantor ON goodwill (grantor, grant_time)")


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


def main_programme() -> None:
    """The programme that every installation has. The ids are those of `loyalty.domain.ledger.AccountKey`."""
    op.execute("INSERT INTO programmes VALUES ('main', 'Points')")
    opening = sa.text(
        "INSERT INTO accounts (id, programme, kind, open_time) VALUES (:id, 'main', :kind, now())"
    )
    for kind in ("ISSUED", "REDEEMED", "GOODWILL"):
        account_id = uuid5(NAMESPACE, f"programmes/main/accounts/{kind.lower()}")
        op.execute(opening.bindparams(sa.bindparam("id", account_id, sa.Uuid), kind=kind))
