"""The limits of what people may do alone are kept as they are told: each as a whole."""

from alembic import op

revision = "cases_0028"
down_revision = "cases_0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE authority_policies ADD COLUMN limits jsonb NOT NULL DEFAULT '[]'")
    op.execute(
        """
        UPDATE authority_policies SET limits = (
            SELECT coalesce(jsonb_agg(
                jsonb_build_object('permission', permission)
                || jsonb_build_object('least_band', nullif(least_band, ''))
                || jsonb_build_object('least_harm', nullif(least_harm, ''))
                || jsonb_build_object(unit, amount, 'rolling_day_' || unit, rolling_day_amount)
                ORDER BY place
            ), '[]')
            FROM unnest(permissions, least_bands, least_harms, amounts, rolling_day_amounts) WITH ORDINALITY
                AS each (permission, least_band, least_harm, amount, rolling_day_amount, place),
                (SELECT CASE act WHEN 'GOODWILL' THEN 'points' ELSE 'days' END AS unit) AS unit
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
