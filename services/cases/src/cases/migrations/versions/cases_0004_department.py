"""The cases of a department can be asked for."""

from chassis.db.indexes import create_index

revision = "cases_0004"
down_revision = "cases_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("cases_department", "cases (department_id, id)")
