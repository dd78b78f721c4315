"""Rules by which members earn, what each purchase earned by them, and what is owed after it was spent."""

from alembic import op

revision = "loyalty_0018"
down_revision = "loyalty_0017"
branch_labels = None
depends_on = None

MEMBERS = "'MEMBERSHIP', 'PENDING', 'RESERVED', 'DEBT'"
OWN = "'ISSUED', 'REDEEMED', 'GOODWILL', 'EXPIRED', 'BREAKAGE', 'PARTNER', 'ISSUER'"


def upgrade() -> None:
    rules()
    earnings()
    debts()


def rules() -> None:
    op.execute(
        """
        CREATE TABLE earning_rules (
            id text NOT NULL,
            version bigint NOT NULL CHECK (version > 0),
            display_name text NOT NULL,
            department_id text NOT NULL,
            program_id text NOT NULL,
            unit_id text NOT NULL,
            basis text NOT NULL CHECK (basis IN ('LINE', 'PURCHASE', 'EVENT')),
            condition text NOT NULL,
            points_per_currency_unit numeric,
            currency_code text NOT NULL,
            fixed_points bigint NOT NULL,
            multiplier numeric,
            caps jsonb NOT NULL,
            start_date date,
            end_date date,
            position bigint NOT NULL,
            exclusive_group text NOT NULL,
            event_type text NOT NULL,
            customer_field text NOT NULL,
            state text NOT NULL CHECK (state IN ('DRAFT', 'ACTIVE', 'ENDED')),
            effective_time timestamptz,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            lot_policy jsonb,
            PRIMARY KEY (id, version),
            FOREIGN KEY (program_id, unit_id) REFERENCES units,
            CHECK ((state = 'DRAFT') = (effective_time IS NULL)),
            CHECK (num_nonnulls(points_per_currency_unit, nullif(fixed_points, 0), multiplier) = 1)
        )
        """
    )


def earnings() -> None:
    op.execute(
        """
        CREATE TABLE earnings (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            event_type text NOT NULL,
            given jsonb NOT NULL,
            moved jsonb NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX earnings_of_customer ON earnings (customer_id, id)")
    op.execute(
        """
        CREATE TABLE earning_caps (
            rule_id text NOT NULL,
            holder uuid NOT NULL,
            span text NOT NULL,
            used bigint NOT NULL,
            PRIMARY KEY (rule_id, holder, span)
        ) WITH (fillfactor = 80)
        """
    )
    op.execute("CREATE INDEX earning_caps_of_holder ON earning_caps (holder)")
    op.execute("ALTER TABLE transfers ADD COLUMN purchase_id uuid")


def debts() -> None:
    """A member's account of what was taken back after it was spent may be below zero: no other of theirs."""
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE accounts DROP CONSTRAINT accounts_type_check, DROP CONSTRAINT member_is_a_customer
        """
    )
    op.execute(
        f"""
        ALTER TABLE accounts
            ADD CONSTRAINT accounts_type_check CHECK (type IN ({MEMBERS}, {OWN})) NOT VALID,
            ADD CONSTRAINT member_is_a_customer CHECK (
                (type IN ({MEMBERS})) = (membership_id IS NOT NULL)
                AND (membership_id IS NULL) = (customer_id IS NULL)
            ) NOT VALID
        """
    )
