"""Which names are of one customer, in every service that keeps things of customers."""

from alembic import op

revision = "chassis_0002"
down_revision = "chassis_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE alias_groups (
            customer_id uuid PRIMARY KEY,
            group_id uuid NOT NULL,
            sequence bigint NOT NULL,
            change_time timestamptz NOT NULL
        )
        """)
    op.execute("CREATE INDEX alias_groups_group ON alias_groups (group_id)")
    op.execute("CREATE INDEX alias_groups_sequence ON alias_groups (sequence)")
    # Expressions without FROM of their own, so that the planner writes them into whatever asks.
    op.execute("""
        CREATE FUNCTION survivor_of(customer uuid) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT coalesce(
                (SELECT own.group_id FROM public.alias_groups own WHERE own.customer_id = customer), customer
            )
        $$
        """)
    op.execute("""
        CREATE FUNCTION group_of(customer uuid) RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT coalesce(
                (
                    SELECT array_agg(other.customer_id)
                    FROM public.alias_groups own
                    JOIN public.alias_groups other ON other.group_id = own.group_id
                    WHERE own.customer_id = customer
                ),
                ARRAY[customer]
            )
        $$
        """)
