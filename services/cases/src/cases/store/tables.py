"""The service's tables. A column is named as the field of the entity that it holds."""

import sqlalchemy as sa

METADATA = sa.MetaData()
_AT = sa.DateTime(timezone=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


CASES = sa.Table(
    "cases",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    _text("topic"),
    _text("display_name"),
    _text("owner_id"),
    _text("department_id"),
    sa.Column("open_time", _AT, nullable=False),
    _text("state"),
    _text("resolution"),
    sa.Column("resolve_time", _AT),
    sa.Column("reopen_count", sa.Integer, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

NOTES = sa.Table(
    "notes",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("case_id", sa.Uuid, nullable=False),
    _text("text"),
    _text("author"),
    sa.Column("create_time", _AT, nullable=False),
)

WORK_ITEMS = sa.Table(
    "work_items",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("case_id", sa.Uuid, nullable=False),
    sa.Column("customer_id", sa.Uuid, nullable=False),  # the case's, which never changes: facts carry it
    _text("department_id"),
    _text("kind"),
    _text("reference"),
    sa.Column("create_time", _AT, nullable=False),
    _text("state"),
    sa.Column("forecast_finish_time", _AT),
    _text("forecast_reason_code"),
    sa.Column("start_time", _AT),
    sa.Column("finish_time", _AT),
    sa.Column("version", sa.BigInteger, nullable=False),
)

PROMISES = sa.Table(
    "promises",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    _text("department_id"),
    _text("kind"),
    sa.Column("due_time", _AT, nullable=False),
    sa.Column("make_time", _AT, nullable=False),
    sa.Column("due_date", sa.Date),
    _text("time_zone"),
    sa.Column("case_id", sa.Uuid),
    sa.Column("work_item_id", sa.Uuid),
    _text("reference"),
    sa.Column("predecessor_id", sa.Uuid),
    sa.Column("root_id", sa.Uuid),
    sa.Column("first_make_time", _AT),
    sa.Column("first_due_time", _AT),
    sa.Column("import_key", sa.Text),
    _text("state"),
    sa.Column("forecast_time", _AT),
    _text("reason_code"),
    sa.Column("keep_time", _AT),
    sa.Column("record_time", _AT),
    sa.Column("withdraw_time", _AT),
    sa.Column("successor_id", sa.Uuid),
    sa.Column("notice_id", sa.Uuid),
    sa.Column("version", sa.BigInteger, nullable=False),
)

AGENTS = sa.Table(
    "agents",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    _text("display_name"),
    _text("phone"),
    _text("email"),
    _text("department_id"),
    sa.Column("inactive", sa.Boolean, nullable=False),
    sa.Column("create_time", _AT, nullable=False),
    sa.Column("update_time", _AT, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)


def changing(table: sa.Table, *columns: str) -> sa.Update:
    """Set `columns` of the row with the bound `id`. Everything else of an entity never changes."""
    return (
        sa.update(table)
        .where(table.c.id == sa.bindparam("id"))
        .values({name: sa.bindparam(name, type_=table.c[name].type) for name in columns})
    )
