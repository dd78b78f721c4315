"""Several customers belong to a membership, cards find it, and it can be closed or be part of another."""

from alembic import op

from chassis.db.indexes import create_index

revision = "loyalty_0012"
down_revision = "loyalty_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE memberships
            ADD COLUMN state text NOT NULL DEFAULT 'ACTIVE',
            ADD COLUMN merged_into_id uuid,
            ADD COLUMN close_reason_code text NOT NULL DEFAULT '',
            ADD CONSTRAINT memberships_state_check CHECK (state IN ('ACTIVE', 'CLOSED', 'MERGED')) NOT VALID,
            ADD CONSTRAINT merged_into_another CHECK (
                (state = 'MERGED') = (merged_into_id IS NOT NULL) AND merged_into_id <> id
            ) NOT VALID
        """
    )
    members()
    cards()
    closed()
    indexes()


def members() -> None:
    op.execute(
        """
        CREATE TABLE members (
            id uuid PRIMARY KEY,
            program_id text NOT NULL,
            membership_id uuid NOT NULL REFERENCES memberships DEFERRABLE INITIALLY DEFERRED,
            customer_id uuid NOT NULL,
            role text NOT NULL CHECK (role IN ('PRIMARY', 'MEMBER')),
            join_time timestamptz NOT NULL,
            leave_time timestamptz,
            leave_reason_code text NOT NULL,
            came_with_id uuid,
            counts_from timestamptz
        )
        """
    )
    op.execute(
        """
        INSERT INTO members (id, program_id, membership_id, customer_id, role, join_time, leave_reason_code)
        SELECT gen_random_uuid(), program_id, id, customer_id, 'PRIMARY', create_time, '' FROM memberships
        """
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no index is made of rows that are not checked yet
    # A customer is in one membership of a program at a time, for whom one customer answers.
    op.execute(
        "CREATE UNIQUE INDEX members_once ON members (customer_id, program_id) WHERE leave_time IS NULL"
    )
    op.execute(
        """
        CREATE UNIQUE INDEX members_primary ON members (membership_id)
        WHERE role = 'PRIMARY' AND leave_time IS NULL
        """
    )
    op.execute("CREATE INDEX members_of_membership ON members (program_id, membership_id, id)")
    # The release before makes memberships without them.
    op.execute(
        """
        CREATE FUNCTION membership_has_its_first() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO members (
                id, program_id, membership_id, customer_id, role, join_time, leave_reason_code
            )
            VALUES (
                gen_random_uuid(), NEW.program_id, NEW.id, NEW.customer_id, 'PRIMARY', NEW.create_time, ''
            )
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER membership_has_its_first AFTER INSERT ON memberships
        FOR EACH ROW EXECUTE FUNCTION membership_has_its_first()
        """
    )


def cards() -> None:
    op.execute(
        """
        CREATE TABLE cards (
            id uuid PRIMARY KEY,
            program_id text NOT NULL,
            membership_id uuid NOT NULL REFERENCES memberships,
            number text NOT NULL,
            state text NOT NULL CHECK (state IN ('ACTIVE', 'BLOCKED')),
            replaced_id uuid UNIQUE REFERENCES cards,
            replaced_card text NOT NULL,
            block_reason_code text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX cards_in_use ON cards (program_id, number) WHERE state = 'ACTIVE'")
    op.execute("CREATE INDEX cards_by_number ON cards (program_id, number, id)")
    op.execute("CREATE INDEX cards_of_membership ON cards (program_id, membership_id, id)")


def closed() -> None:
    """Nothing moves on the accounts of what is closed, whichever release posts."""
    op.execute("ALTER TABLE lots ADD COLUMN origin_id uuid")
    op.execute("ALTER TABLE accounts ADD COLUMN closed boolean NOT NULL DEFAULT false")
    op.execute(
        """
        CREATE FUNCTION account_is_closed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'account % is closed', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'account_is_closed';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER account_is_closed BEFORE UPDATE ON accounts FOR EACH ROW
        WHEN (OLD.closed AND NEW.closed AND OLD.version <> NEW.version)
        EXECUTE FUNCTION account_is_closed()
        """
    )


def indexes() -> None:
    # Who left a membership that was made for them may have another.
    create_index("memberships_made_for", "memberships (program_id, customer_id, id)")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS memberships_of_customer")
    create_index("lots_brought", "lots (origin_id) WHERE origin_id IS NOT NULL")
    create_index("memberships_merged", "memberships (merged_into_id) WHERE merged_into_id IS NOT NULL")
