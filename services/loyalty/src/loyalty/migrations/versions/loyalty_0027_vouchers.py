"""Vouchers, their uses, and wrong tries at their codes; rewards and goodwill that are vouchers."""

from alembic import op

revision = "loyalty_0027"
down_revision = "loyalty_0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE rewards ADD COLUMN voucher jsonb")
    op.execute(  # what the release before gives is among what may be given now
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE goodwill DROP CONSTRAINT goodwill_kind,
            ADD CONSTRAINT goodwill_kind CHECK (
                kind IN ('POINTS', 'MONEY', 'ITEM', 'REPAIR', 'WAIVED_FEE', 'VOUCHER')
                AND (kind = 'POINTS') = (currency_code = '')
            ) NOT VALID
        """
    )
    with op.get_context().autocommit_block():  # what reads every row locks nobody out meanwhile
        op.execute("ALTER TABLE goodwill VALIDATE CONSTRAINT goodwill_kind")
    op.execute(
        """
        CREATE TABLE vouchers (
            id uuid PRIMARY KEY,
            program_id text NOT NULL REFERENCES programs,
            customer_id uuid,
            membership_id uuid REFERENCES memberships,
            code_hash bytea NOT NULL UNIQUE,
            money numeric CHECK (money > 0),
            money_currency text NOT NULL,
            percent_off bigint NOT NULL CHECK (percent_off BETWEEN 0 AND 100),
            item text NOT NULL,
            max_uses bigint NOT NULL CHECK (max_uses > 0),
            in_parts boolean NOT NULL,
            used_count bigint NOT NULL CHECK (used_count >= 0 AND (in_parts OR used_count <= max_uses)),
            used_amount numeric NOT NULL CHECK (used_amount >= 0 AND used_amount <= coalesce(money, 0)),
            start_date date NOT NULL,
            end_date date,
            start_time timestamptz NOT NULL,
            expire_time timestamptz,
            state text NOT NULL CHECK (state IN ('ACTIVE', 'USED', 'CANCELLED', 'EXPIRED')),
            reason_code text NOT NULL,
            redemption_id uuid UNIQUE REFERENCES redemptions,
            goodwill_id uuid UNIQUE REFERENCES goodwill,
            campaign text NOT NULL,
            department_id text,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX vouchers_of_customer ON vouchers (customer_id, id)")
    op.execute("CREATE INDEX vouchers_of_campaign ON vouchers (campaign, id)")
    op.execute("CREATE INDEX vouchers_by_state ON vouchers (state, id)")
    op.execute("CREATE INDEX vouchers_of_membership ON vouchers (membership_id)")
    op.execute("CREATE INDEX vouchers_due ON vouchers (expire_time) WHERE state = 'ACTIVE'")
    op.execute("CREATE INDEX vouchers_owed ON vouchers (program_id) WHERE state = 'ACTIVE'")
    op.execute(
        """
        CREATE TABLE voucher_uses (
            id uuid PRIMARY KEY,
            voucher_id uuid NOT NULL REFERENCES vouchers,
            customer_id uuid,
            money numeric,
            money_currency text NOT NULL,
            reference text NOT NULL,
            purchase_id uuid,
            reverses_id uuid UNIQUE REFERENCES voucher_uses,
            reason_code text NOT NULL,
            department_id text,
            create_time timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX voucher_uses_of_voucher ON voucher_uses (voucher_id, id)")
    op.execute(
        """
        CREATE TABLE voucher_tries (
            id uuid PRIMARY KEY,
            trier text NOT NULL,
            create_time timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX voucher_tries_of_trier ON voucher_tries (trier, create_time)")
