"""What makes a purpose lawful and of which kind it is, and what proves a consent."""

from alembic import op

revision = "customer_0022"
down_revision = "customer_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE purposes
            ADD COLUMN IF NOT EXISTS legal_basis text,
            ADD COLUMN IF NOT EXISTS category text NOT NULL DEFAULT ''
        """)
    op.execute("""
        UPDATE purposes
        SET legal_basis = CASE id WHEN 'service' THEN 'CONTRACT' ELSE 'CONSENT' END, category = id
        WHERE id IN ('service', 'marketing') AND legal_basis IS NULL
        """)
    op.execute("ALTER TABLE consents ADD COLUMN IF NOT EXISTS proof text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE consent_history ADD COLUMN IF NOT EXISTS proof text NOT NULL DEFAULT ''")
