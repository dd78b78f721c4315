"""Work is routed: to teams, to those with certain skills, and first to those who speak its language."""

from alembic import op

from chassis.db.indexes import create_index

revision = "cases_0023"
down_revision = "cases_0022"
branch_labels = None
depends_on = None

WAITING = "WHERE state = 'PENDING' AND assignee_id IS NULL AND block_time IS NULL"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE teams (
            id text PRIMARY KEY,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            display_name text NOT NULL,
            department_id text NOT NULL,
            skills text[] NOT NULL,
            version bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX teams_department ON teams (department_id, id)")
    op.execute(
        """
        CREATE TABLE presences (
            agent_id text PRIMARY KEY,
            state text NOT NULL,
            until_time timestamptz,
            since_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE customer_languages (
            customer_id uuid PRIMARY KEY,
            language_code text NOT NULL,
            version bigint NOT NULL,
            update_time timestamptz NOT NULL
        )
        """
    )
    op.execute("ALTER TABLE topics ADD COLUMN required_skills text[] NOT NULL DEFAULT '{}'")
    op.execute(
        """
        ALTER TABLE agents
            ADD COLUMN team_ids text[] NOT NULL DEFAULT '{}',
            ADD COLUMN skills text[] NOT NULL DEFAULT '{}',
            ADD COLUMN language_codes text[] NOT NULL DEFAULT '{}',
            ADD COLUMN capacity bigint NOT NULL DEFAULT 0
        """
    )
    # With defaults, which what is there has, and what the release before writes: it does not know of them.
    op.execute(
        """
        ALTER TABLE work_items
            ADD COLUMN team_id text,
            ADD COLUMN required_skills text[] NOT NULL DEFAULT '{}',
            ADD COLUMN language_code text NOT NULL DEFAULT '',
            ADD COLUMN lane text NOT NULL DEFAULT '',
            ADD COLUMN queue_time timestamptz DEFAULT now()
        """
    )
    create_index("work_items_lane_deadline", f"work_items (department_id, lane, deadline_time, id) {WAITING}")
    create_index("work_items_lane_rank", f"work_items (department_id, lane, rank_time, id) {WAITING}")
    create_index("work_items_lane_time", f"work_items (department_id, lane, queue_time, id) {WAITING}")
    create_index("work_items_open", "work_items (assignee_id, id) WHERE state <> 'FINISHED'")
    create_index("agents_department", "agents (department_id, id)")
    for name in ("work_items_queue_deadline", "work_items_queue_rank"):  # of no release
        with op.get_context().autocommit_block():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
