"""Rewards in versions, their stock, and redemptions of them."""

from alembic import op

from chassis.db.indexes import create_index

revision = "loyalty_0019"
down_revision = "loyalty_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE rewards (
            id text NOT NULL,
            version bigint NOT NULL CHECK (version > 0),
            display_name text NOT NULL,
            program_id text NOT NULL,
            unit_id text NOT NULL,
            points bigint NOT NULL CHECK (points > 0),
            cash numeric,
            cash_currency text NOT NULL,
            stocked boolean NOT NULL,
            condition text NOT NULL,
            member_limit bigint NOT NULL,
            limit_days bigint NOT NULL,
            start_time timestamptz,
            end_time timestamptz,
            return_policy text CHECK (return_policy IN ('ONLY_PENDING', 'FULFILLED')),
            return_days bigint NOT NULL,
            reference text NOT NULL,
            disabled boolean NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            PRIMARY KEY (id, version),
            FOREIGN KEY (program_id, unit_id) REFERENCES units
        )
        """
    )
    op.execute(
        """
        CREATE TABLE reward_stocks (
            reward_id text PRIMARY KEY,
            available bigint NOT NULL CHECK (available >= 0)
        ) WITH (fillfactor = 50)
        """
    )
    op.execute(
        """
        CREATE TABLE redemptions (
            id uuid PRIMARY KEY,
            reward_id text NOT NULL,
            reward_version bigint NOT NULL,
            customer_id uuid NOT NULL,
            membership_id uuid NOT NULL REFERENCES memberships,
            account text NOT NULL,
            state text NOT NULL CHECK (
                state IN ('RESERVED', 'FULFILLED', 'CANCELLED', 'EXPIRED', 'RETURNED')
            ),
            points bigint NOT NULL CHECK (points > 0),
            cash numeric,
            cash_currency text NOT NULL,
            reference text NOT NULL,
            stocked boolean NOT NULL,
            reservation_id uuid NOT NULL UNIQUE REFERENCES reservations,
            transfer_id uuid UNIQUE REFERENCES transfers,
            return_transfer_id uuid UNIQUE REFERENCES transfers,
            reason_code text NOT NULL,
            expire_time timestamptz NOT NULL,
            fulfill_time timestamptz,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            FOREIGN KEY (reward_id, reward_version) REFERENCES rewards,
            CHECK ((state IN ('FULFILLED', 'RETURNED')) = (transfer_id IS NOT NULL)),
            CHECK ((state = 'RETURNED') = (return_transfer_id IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX redemptions_of_customer ON redemptions (customer_id, id)")
    op.execute("CREATE INDEX redemptions_of_reward ON redemptions (reward_id, id)")
    op.execute("CREATE INDEX redemptions_by_state ON redemptions (state, id)")
    op.execute("CREATE INDEX redemptions_of_member ON redemptions (membership_id, reward_id, create_time)")
    op.execute("ALTER TABLE reservations ADD COLUMN redemption_id uuid")
    create_index(
        "reservations_of_redemption",
        "reservations (redemption_id) WHERE redemption_id IS NOT NULL",
        kind="UNIQUE INDEX",
    )
