"""Goodwill in money and in kind, and what somebody with more authority is asked for."""

from alembic import op

from chassis.db.indexes import create_index

revision = "loyalty_0014"
down_revision = "loyalty_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE authority_policies ADD COLUMN act text NOT NULL DEFAULT 'GOODWILL'")
    # What is asked for has neither, and the release before reads what is not there as such.
    for column in ("membership_id", "transfer_id"):
        op.execute(
            f"""
            -- squawk-ignore ban-drop-not-null
            ALTER TABLE goodwill ALTER COLUMN {column} DROP NOT NULL
            """
        )
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE goodwill DROP CONSTRAINT goodwill_state_check
        """
    )
    op.execute(
        """
        ALTER TABLE goodwill
            ADD COLUMN kind text NOT NULL DEFAULT 'POINTS',
            ADD COLUMN currency_code text NOT NULL DEFAULT '',
            ADD COLUMN gift_reference text NOT NULL DEFAULT '',
            ADD COLUMN explanation text NOT NULL DEFAULT '',
            ADD COLUMN causing_id text,
            ADD COLUMN requester text NOT NULL DEFAULT '',
            ADD COLUMN decider text NOT NULL DEFAULT '',
            ADD COLUMN decision_reason_code text NOT NULL DEFAULT '',
            ADD COLUMN expire_time timestamptz
        """
    )
    op.execute(
        """
        ALTER TABLE goodwill
            ADD CONSTRAINT goodwill_state CHECK (
                state IN ('GRANTED', 'REVERSED', 'REQUESTED', 'DECLINED', 'EXPIRED')
            ) NOT VALID,
            ADD CONSTRAINT goodwill_moved CHECK (
                (state IN ('GRANTED', 'REVERSED')) = (transfer_id IS NOT NULL)
            ) NOT VALID,
            ADD CONSTRAINT goodwill_kind CHECK (
                kind IN ('POINTS', 'MONEY', 'ITEM', 'REPAIR', 'WAIVED_FEE')
                AND (kind = 'POINTS') = (currency_code = '')
            ) NOT VALID
        """
    )
    with op.get_context().autocommit_block():  # what reads every row locks nobody out meanwhile
        for name in ("goodwill_state", "goodwill_moved", "goodwill_kind"):
            op.execute(f"ALTER TABLE goodwill VALIDATE CONSTRAINT {name}")
    stands = "WHERE state = 'GRANTED'"
    create_index("goodwill_stands_customer", f"goodwill (customer_id, update_time) {stands}")
    create_index("goodwill_stands_grantor", f"goodwill (grantor, update_time) {stands}")
    create_index("goodwill_of_root", "goodwill (root_id) WHERE root_id IS NOT NULL")
    create_index("goodwill_by_state", "goodwill (state, id)")
    waits = "WHERE state = 'REQUESTED'"
    create_index("goodwill_one_request", f"goodwill (root_id) {waits}", kind="UNIQUE INDEX")
    create_index("accounts_of_goodwill", "accounts (id) WHERE type = 'GOODWILL'")
