"""A date of customers says by itself when on it they are told, and an hour may be midnight."""

from alembic import op

revision = "notifications_0034"
down_revision = "notifications_0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No release has read either column.
    op.execute(
        """
        -- squawk-ignore changing-column-type
        ALTER TABLE policies ALTER COLUMN customer_date TYPE jsonb USING
            CASE WHEN customer_date <> '' THEN jsonb_build_object(
                'date', customer_date,
                'offset_days', coalesce((schedule #>> '{day,offset_days}')::int, 0),
                'hour', nullif((schedule #>> '{day,hour}')::int, 0)
            ) END
        """
    )
    op.execute("UPDATE policies SET schedule = NULL WHERE customer_date IS NOT NULL")
    op.execute(
        """
        UPDATE policies SET schedule = jsonb_set(schedule, '{day,hour}', 'null')
        WHERE schedule #>> '{day,hour}' = '0'
        """
    )
