"""Cases are linked and merged."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0009"
down_revision = "cases_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults, which the release before writes: it does not know of the columns.
    op.execute(
        """
        ALTER TABLE cases
            ADD COLUMN kind text NOT NULL DEFAULT 'CONCERN',
            ADD COLUMN survivor_id uuid
        """
    )
    # There is a state more: others take their place in the same statement's transaction.
    op.execute(
        """
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE cases DROP CONSTRAINT cases_state_check, DROP CONSTRAINT cases_check
        """
    )
    op.execute(
        """
        ALTER TABLE cases
            ADD CONSTRAINT cases_state CHECK (state IN ('OPEN', 'RESOLVED', 'MERGED')) NOT VALID,
            ADD CONSTRAINT cases_resolved CHECK (
                state = 'MERGED' OR (state = 'RESOLVED') = (resolve_time IS NOT NULL)
            ) NOT VALID,
            ADD CONSTRAINT cases_merged CHECK (
                (state = 'MERGED') = (survivor_id IS NOT NULL) AND survivor_id <> id
            ) NOT VALID,
            ADD CONSTRAINT cases_survivor FOREIGN KEY (survivor_id) REFERENCES cases NOT VALID
        """
    )
    with op.get_context().autocommit_block():  # what reads every row locks nobody out meanwhile
        op.execute("SET statement_timeout = 0")
        for name in ("cases_state", "cases_resolved", "cases_merged", "cases_survivor"):
            op.execute(f"ALTER TABLE cases VALIDATE CONSTRAINT {name}")
        op.execute("RESET statement_timeout")
    op.execute(
        """
        CREATE TABLE case_links (
            id uuid PRIMARY KEY,
            case_id uuid NOT NULL REFERENCES cases,
            linked_case_id uuid NOT NULL REFERENCES cases,
            kind text NOT NULL CHECK (
                kind IN ('RELATED', 'FOLLOWS', 'CAUSED_BY', 'MERGED_INTO', 'SPLIT_FROM')
            ),
            reason_code text NOT NULL,
            author text NOT NULL,
            create_time timestamptz NOT NULL,
            CHECK (case_id <> linked_case_id)
        )
        """
    )
    op.execute("CREATE INDEX case_links_case ON case_links (case_id, id)")
    op.execute("CREATE INDEX case_links_linked_case ON case_links (linked_case_id, id)")
    # What is the same either way round is there once; what brought a case about, or took it up, is one.
    op.execute(
        """
        CREATE UNIQUE INDEX case_links_once ON case_links
            (kind, least(case_id, linked_case_id), greatest(case_id, linked_case_id))
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX case_links_one ON case_links (case_id, kind)
            WHERE kind IN ('CAUSED_BY', 'MERGED_INTO', 'SPLIT_FROM')
        """
    )
    # A case and those that are read and settled with it.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION members_of_case(asked uuid) RETURNS uuid[]
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT array_agg(id) FROM (
                SELECT asked AS id UNION ALL SELECT id FROM cases WHERE survivor_id = asked
            ) AS members
        $$
        """
    )
    create_index("cases_survivor_id", "cases (survivor_id, id)")
    create_index("cases_kind", "cases (kind, id)")
