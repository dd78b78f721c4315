"""Findings of an import are found by their reason."""

from chassis.db.indexes import create_index

revision = "customer_0044"
down_revision = "customer_0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("import_findings_reason", "import_findings (job_id, reason, line, position)")
