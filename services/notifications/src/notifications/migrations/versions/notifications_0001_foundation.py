"""Templates, policies, notices, attempts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "notifications_0001"
down_revision = None
branch_labels = ("notifications",)
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    templates_and_policies()
    notices()
    attempts()


def templates_and_policies() -> None:
    op.create_table(
        "templates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("department_id", sa.Text, nullable=False),
        sa.Column("default_language_code", sa.Text, nullable=False),
        sa.Column("variables", JSONB, nullable=False),
        sa.Column("create_time", _AT, nullable=False),
        sa.Column("update_time", _AT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "texts",
        sa.Column("template_id", sa.Text, sa.ForeignKey("templates.id"), primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("language_code", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("apology", sa.Text, nullable=False),
        sa.Column("reasons", JSONB, nullable=False),
        sa.Column("create_time", _AT, nullable=False),
    )
    op.create_table(
        "policies",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("template_id", sa.Text, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("department_id", sa.Text, nullable=False),
        sa.Column("create_time", _AT, nullable=False),
        sa.Column("update_time", _AT, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
    )


def notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("template_id", sa.Text, nullable=False),
        sa.Column("variables", JSONB, nullable=False),
        sa.Column("promise", sa.Text, nullable=False),
        sa.Column("case", sa.Text, nullable=False),
        sa.Column("notice_policy_id", sa.Text, nullable=False),
        sa.Column("policy_version", sa.BigInteger, nullable=False),
        sa.Column("promise_version", sa.BigInteger, nullable=False),
        sa.Column("expire_time", _AT, nullable=False),
        sa.Column("create_time", _AT, nullable=False),
        sa.Column("request_event", sa.Uuid, nullable=False),
        sa.Column("concern", sa.Text, nullable=False),
        sa.Column("due_time", _AT),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("heard_version", sa.BigInteger, nullable=False),
        sa.Column("said", JSONB, nullable=False),
        sa.Column("said_version", sa.BigInteger, nullable=False),
        sa.Column("said_revision", sa.BigInteger, nullable=False),
        sa.Column("superseded", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason_code", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("language_code", sa.Text, nullable=False),
        sa.Column("text_version", sa.BigInteger, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("send_time", _AT),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("attempt_count", sa.BigInteger, nullable=False),
        sa.Column("in_doubt", sa.Boolean, nullable=False),
        sa.Column("update_time", _AT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("notices_customer", "notices", ["customer", "id"])
    op.create_index(
        "notices_live",
        "notices",
        ["promise", "customer"],
        unique=True,
        postgresql_where="notice_policy_id <> '' AND state IN ('REQUESTED', 'SENDING')",
    )
    op.create_index("notices_promise", "notices", ["promise", "id"])
    op.create_index("notices_kind", "notices", ["kind", "id"])
    op.create_index("notices_state", "notices", ["state", "id"])
    op.create_index("notices_create_time", "notices", ["create_time", "id"])


def attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("notice", sa.Uuid, sa.ForeignKey("notices.id"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("provider_key", sa.Text, nullable=False),
        sa.Column("start_time", _AT, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("provider_code", sa.Text, nullable=False),
        sa.Column("end_time", _AT),
    )
