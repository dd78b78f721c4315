"""What is pinned is so under the name that it was observed of."""

from alembic import op

revision = "customer_0014"
down_revision = "customer_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        INSERT INTO attribute_pins (customer_id, attribute_id, observation_id, actor, pin_time, version)
        SELECT DISTINCT ON (observed.customer_id, pinned.attribute_id)
            observed.customer_id, pinned.attribute_id, pinned.observation_id, pinned.actor, pinned.pin_time, 0
        FROM attribute_pins AS pinned JOIN observations AS observed ON observed.id = pinned.observation_id
        WHERE observed.customer_id <> pinned.customer_id
        ORDER BY observed.customer_id, pinned.attribute_id, pinned.pin_time DESC
        ON CONFLICT (customer_id, attribute_id) DO UPDATE SET
            observation_id = excluded.observation_id, actor = excluded.actor, pin_time = excluded.pin_time
        WHERE attribute_pins.pin_time IS NULL OR attribute_pins.pin_time < excluded.pin_time
        """)
    op.execute("""
        UPDATE attribute_pins SET observation_id = NULL, actor = '', pin_time = NULL
        FROM observations AS observed
        WHERE observed.id = observation_id AND observed.customer_id <> attribute_pins.customer_id
        """)
