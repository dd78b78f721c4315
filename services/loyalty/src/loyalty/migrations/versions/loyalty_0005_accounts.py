"""Accounts for every purpose, in slots where everybody moves them, and what they held at any time."""

from alembic import op

from chassis.db.indexes import create_index

revision = "loyalty_0005"
down_revision = "loyalty_0004"
branch_labels = None
depends_on = None

MEMBERS = "'MEMBERSHIP', 'PENDING', 'RESERVED'"
OWN = "'ISSUED', 'REDEEMED', 'GOODWILL', 'EXPIRED', 'BREAKAGE', 'PARTNER', 'ISSUER'"


def upgrade() -> None:
    types()
    slots()
    history()
    indexes()


def types() -> None:
    """The release before looks for a member's account by its name, and is not disturbed by others."""
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE accounts DROP CONSTRAINT accounts_type_check, DROP CONSTRAINT member_is_a_customer
        """
    )
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE accounts DROP CONSTRAINT member_not_below_zero
        """
    )
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE accounts DROP CONSTRAINT accounts_membership_id_unit_id_key
        """
    )
    op.execute(
        f"""
        ALTER TABLE accounts
            ADD COLUMN owner_code text NOT NULL DEFAULT '',
            ADD COLUMN whole_id uuid,
            ADD COLUMN slot bigint NOT NULL DEFAULT 0,
            ADD CONSTRAINT accounts_type_check CHECK (type IN ({MEMBERS}, {OWN})) NOT VALID,
            ADD CONSTRAINT member_is_a_customer CHECK (
                (type IN ({MEMBERS})) = (membership_id IS NOT NULL)
                AND (membership_id IS NULL) = (customer_id IS NULL)
            ) NOT VALID,
            ADD CONSTRAINT member_not_below_zero CHECK (balance >= 0 OR type NOT IN ({MEMBERS})) NOT VALID,
            ADD CONSTRAINT slot_of_a_whole CHECK ((whole_id IS NULL) = (slot = 0)) NOT VALID
        """
    )
    op.execute(
        """
        INSERT INTO accounts (id, name, type, program_id, unit_id, create_time, update_time)
        SELECT gen_random_uuid(), 'programs/' || program_id || '/accounts/' || id || '-' || lower(kind), kind,
            program_id, id, create_time, create_time
        FROM units CROSS JOIN unnest(ARRAY['EXPIRED', 'BREAKAGE']) kind
        ON CONFLICT DO NOTHING
        """
    )


def slots() -> None:
    """Beside each account of a program's own fifteen others that are it, too: what it holds is their sum."""
    op.execute(
        """
        INSERT INTO accounts (id, name, type, program_id, unit_id, create_time, update_time, whole_id, slot)
        SELECT gen_random_uuid(), name || '.' || n, type, program_id, unit_id, create_time, create_time, id, n
        FROM accounts CROSS JOIN generate_series(1, 15) n
        WHERE membership_id IS NULL AND whole_id IS NULL
        ON CONFLICT DO NOTHING
        """
    )


def history() -> None:
    """What an account held: times of one account never decrease with its version, so halving finds them."""
    op.execute(
        """
        CREATE FUNCTION entry_before(account uuid, at timestamptz, OUT version bigint, OUT balance bigint)
        LANGUAGE plpgsql STABLE AS $$
        DECLARE
            high bigint := (SELECT max(e.version) FROM entries e WHERE e.account_id = account);
            middle bigint := high;
        BEGIN
            version := 0;
            WHILE version < high LOOP
                IF (
                    SELECT t.post_time FROM entries e JOIN transfers t ON t.id = e.transfer_id
                    WHERE e.account_id = account AND e.version = middle
                ) < at THEN version := middle; ELSE high := middle - 1; END IF;
                middle := (version + high + 1) / 2;
            END LOOP;
            balance := coalesce(
                (
                    SELECT e.balance FROM entries e
                    WHERE e.account_id = account AND e.version = entry_before.version
                ),
                0
            );
        END $$
        """
    )


def indexes() -> None:
    create_index(
        "accounts_slots", "accounts (whole_id, slot) WHERE whole_id IS NOT NULL", kind="UNIQUE INDEX"
    )
    create_index("accounts_of_purpose", "accounts (membership_id, unit_id, type)", kind="UNIQUE INDEX")
