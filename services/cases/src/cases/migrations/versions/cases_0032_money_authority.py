"""What people may give in money and in kind alone."""

from alembic import op

revision = "cases_0032"
down_revision = "cases_0031"
branch_labels = None
depends_on = None

_TABLES = "authority_policies", "authority_uses"


def upgrade() -> None:
    for table in _TABLES:
        op.execute(
            f"""
            -- squawk-ignore ban-drop-constraint
            ALTER TABLE {table} DROP CONSTRAINT {table}_act_check
            """
        )
        op.execute(
            f"""
            ALTER TABLE {table} ADD CONSTRAINT {table}_act CHECK (
                act IN ('GOODWILL', 'EXTENSION', 'REFUND', 'REPLACEMENT')
            ) NOT VALID
            """
        )
    with op.get_context().autocommit_block():  # what reads every row locks nobody out meanwhile
        for table in _TABLES:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_act")
