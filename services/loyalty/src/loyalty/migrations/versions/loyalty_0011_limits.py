"""The limits of what people may do alone are kept as they are told: each as a whole."""

from alembic import op

revision = "loyalty_0011"
down_revision = "loyalty_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE authority_policies ADD COLUMN limits jsonb NOT NULL DEFAULT '[]'")
    op.execute(
        """
        UPDATE authority_policies SET limits = (
            SELECT coalesce(jsonb_agg(to_jsonb(each) - 'place' ORDER BY place), '[]')
            FROM unnest(permissions, least_bands, least_harms, amounts, rolling_day_amounts) WITH ORDINALITY
                AS each (permission, least_band, least_harm, amount, rolling_day_amount, place)
        )
        """
    )
    # No release has read them.
    for column in ("permissions", "least_bands", "least_harms", "amounts", "rolling_day_amounts"):
        op.execute(
            f"""
            -- squawk-ignore ban-drop-column
            ALTER TABLE authority_policies DROP COLUMN {column}
            """
        )
