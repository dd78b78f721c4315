"""Cases, their notes and work items; promises; agents."""

from alembic import op

revision = "cases_0001"
down_revision = None
branch_labels = ("cases",)
depends_on = None


def upgrade() -> None:
    agents()
    cases()
    work_items()
    promises()


def cases() -> None:
    op.execute(
        """
        CREATE TABLE cases (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            topic text NOT NULL,
            display_name text NOT NULL,
            owner_id text NOT NULL REFERENCES agents,
            department_id text NOT NULL,
            open_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            state text NOT NULL CHECK (state IN ('OPEN', 'RESOLVED')),
            resolution text NOT NULL,
            resolve_time timestamptz,
            reopen_count bigint NOT NULL,
            version bigint NOT NULL,
            CHECK ((state = 'RESOLVED') = (resolve_time IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX cases_customer ON cases (customer_id, id)")
    op.execute("CREATE INDEX cases_owner ON cases (owner_id, id)")
    op.execute("CREATE INDEX cases_topic ON cases (topic, id)")
    op.execute("CREATE INDEX cases_state ON cases (state, id)")
    op.execute("CREATE INDEX cases_open_time ON cases (open_time, id)")
    op.execute(
        """
        CREATE TABLE notes (
            id uuid PRIMARY KEY,
            case_id uuid NOT NULL REFERENCES cases,
            text text NOT NULL,
            author text NOT NULL,
            create_time timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX notes_case ON notes (case_id, id)")


def work_items() -> None:
    op.execute(
        """
        CREATE TABLE work_items (
            id uuid PRIMARY KEY,
            case_id uuid NOT NULL REFERENCES cases,
            customer_id uuid NOT NULL,
            department_id text NOT NULL,
            kind text NOT NULL,
            reference text NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            state text NOT NULL CHECK (state IN ('PENDING', 'STARTED', 'FINISHED')),
            forecast_finish_time timestamptz,
            forecast_reason_code text NOT NULL,
            start_time timestamptz,
            finish_time timestamptz,
            version bigint NOT NULL,
            CHECK ((state = 'FINISHED') = (finish_time IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX work_items_case ON work_items (case_id, id)")
    op.execute("CREATE INDEX work_items_department ON work_items (department_id, id)")
    op.execute("CREATE INDEX work_items_state ON work_items (state, id)")


def promises() -> None:
    op.execute(
        """
        CREATE TABLE promises (
            id uuid PRIMARY KEY,
            customer_id uuid NOT NULL,
            department_id text NOT NULL,
            kind text NOT NULL,
            due_time timestamptz NOT NULL,
            make_time timestamptz NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            due_date date,
            time_zone text NOT NULL,
            case_id uuid REFERENCES cases,
            work_item_id uuid REFERENCES work_items,
            reference text NOT NULL,
            predecessor_id uuid UNIQUE REFERENCES promises,
            root_id uuid REFERENCES promises,
            first_make_time timestamptz,
            first_due_time timestamptz,
            import_key text UNIQUE,
            state text NOT NULL CHECK (
                state IN ('OPEN', 'AT_RISK', 'KEPT', 'KEPT_LATE', 'BROKEN', 'RENEGOTIATED', 'WITHDRAWN')
            ),
            forecast_time timestamptz,
            reason_code text NOT NULL,
            keep_time timestamptz,
            record_time timestamptz,
            withdraw_time timestamptz,
            successor_id uuid REFERENCES promises,
            notice_id uuid,
            version bigint NOT NULL,
            CHECK (predecessor_id IS NULL OR root_id IS NOT NULL),
            CHECK ((predecessor_id IS NULL) = (first_make_time IS NULL)),
            CHECK ((due_date IS NULL) = (time_zone = '')),
            CHECK (state <> 'RENEGOTIATED' OR successor_id IS NOT NULL),
            CHECK (successor_id IS NULL OR state IN ('RENEGOTIATED', 'BROKEN')),
            CHECK ((state IN ('KEPT', 'KEPT_LATE')) = (keep_time IS NOT NULL)),
            CHECK ((keep_time IS NULL) = (record_time IS NULL)),
            CHECK (state <> 'WITHDRAWN' OR withdraw_time IS NOT NULL),
            CHECK (withdraw_time IS NULL OR state IN ('WITHDRAWN', 'BROKEN')),
            CHECK (withdraw_time IS NULL OR successor_id IS NULL),
            CHECK (keep_time >= coalesce(first_make_time, make_time)),
            CHECK ((state = 'KEPT_LATE') = coalesce(
                CASE WHEN due_date IS NULL THEN keep_time > due_time ELSE keep_time >= due_time END, false
            )),
            CHECK (state NOT IN ('AT_RISK', 'RENEGOTIATED', 'WITHDRAWN') OR reason_code <> ''),
            -- At commit: a successor is stored before the promise that it replaces has ended.
            CONSTRAINT one_awaited_on_a_work_item EXCLUDE USING btree (work_item_id WITH =) WHERE (
                work_item_id IS NOT NULL AND successor_id IS NULL AND withdraw_time IS NULL
                AND state IN ('OPEN', 'AT_RISK', 'BROKEN')
            ) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX promises_due ON promises (due_time, id)")
    op.execute("CREATE INDEX promises_customer ON promises (customer_id, due_time, id)")
    op.execute("CREATE INDEX promises_department ON promises (department_id, due_time, id)")
    op.execute("CREATE INDEX promises_reference ON promises (reference, due_time, id)")
    op.execute("CREATE INDEX promises_state ON promises (state, due_time, id)")
    op.execute("CREATE INDEX promises_work_item ON promises (work_item_id)")


def agents() -> None:
    op.execute(
        """
        CREATE TABLE agents (
            id text PRIMARY KEY,
            display_name text NOT NULL,
            phone text NOT NULL,
            email text NOT NULL,
            department_id text NOT NULL,
            inactive boolean NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            version bigint NOT NULL,
            CHECK (phone <> '' OR email <> '')
        )
        """
    )
