from alembic import op

revision = "sample_0001"
down_revision = None
branch_labels = ("sample",)
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE notes (id bigserial PRIMARY KEY, text text NOT NULL)")
