"""The tables of the customer service."""

import sqlalchemy as sa

METADATA = sa.MetaData()
_AT = sa.DateTime(timezone=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


CUSTOMERS = sa.Table(
    "customers",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    _text("display_name"),
    _text("given_name"),
    _text("family_name"),
    _text("organization_name"),
    _text("language_code"),
    _text("time_zone"),
    _text("region_code"),
    _text("relationship_manager"),
    sa.Column("create_time", _AT, nullable=False),
    sa.Column("update_time", _AT, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

# (type, system, normalized_value) is unique where there is a normalized value and it is no phone or fax
# number. The reference to the customer is checked at commit: a new customer's identifiers are inserted first,
# because they decide whether there is a new customer.
IDENTIFIERS = sa.Table(
    "identifiers",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    _text("type"),
    _text("system"),
    _text("value"),
    _text("normalized_value"),
    _text("quality"),
    sa.Column("create_time", _AT, nullable=False),
)

# Read by (customer_id, occur_time, id). No reference to the customer: facts may overtake the customer they
# are about.
TIMELINE = sa.Table(
    "timeline",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("occur_time", _AT, nullable=False),
    _text("event_type"),
    _text("source"),
    _text("resource"),
    _text("channel"),
    _text("direction"),
    _text("topic"),
    _text("summary"),
    _text("actor"),
    _text("trace_id"),
    sa.Column("amount", sa.Numeric),
    _text("currency_code"),
)

# What departments told about one thing of a customer (a promise, a case, the balance): the latest fact of
# each type, and the part of the view they fold to.
VIEW_PARTS = sa.Table(
    "view_parts",
    METADATA,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    _text("kind"),
    sa.Column("facts", sa.LargeBinary, nullable=False),
    sa.Column("part", sa.LargeBinary, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("change_time", _AT, nullable=False),
)

# The serialised CustomerView of each customer, a function of the tables above; and how many parts are live,
# counted with each change because a customer may have more of them than can be counted each time.
VIEWS = sa.Table(
    "views",
    METADATA,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("view", sa.LargeBinary, nullable=False),
    sa.Column("open_promises", sa.BigInteger, nullable=False),
    sa.Column("open_cases", sa.BigInteger, nullable=False),
    sa.Column("update_time", _AT, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

PURPOSES = sa.Table(
    "purposes",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    _text("display_name"),
    _text("description"),
    _text("contact_default"),
    sa.Column("create_time", _AT, nullable=False),
    sa.Column("update_time", _AT, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

CONSENTS = sa.Table(
    "consents",
    METADATA,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("purpose_id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    _text("state"),
    _text("source"),
    _text("wording_version"),
    sa.Column("effective_time", _AT, nullable=False),
    sa.Column("update_time", _AT, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

# Every consent ever given or refused, and to whom. Append-only.
CONSENT_HISTORY = sa.Table(
    "consent_history",
    METADATA,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("purpose_id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    _text("state"),
    _text("source"),
    _text("wording_version"),
    sa.Column("effective_time", _AT, nullable=False),
    sa.Column("update_time", _AT, nullable=False),
    _text("actor"),
)

PREFERENCES = sa.Table(
    "preferences",
    METADATA,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("channels", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("update_time", _AT, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

IMPORT_JOBS = sa.Table(
    "import_jobs",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    _text("source"),
    _text("state"),
    sa.Column("row_count", sa.BigInteger, nullable=False),
    sa.Column("last_line", sa.BigInteger, nullable=False),
    sa.Column("refused_count", sa.BigInteger, nullable=False),
    sa.Column("created_count", sa.BigInteger, nullable=False),
    sa.Column("matched_count", sa.BigInteger, nullable=False),
    sa.Column("renamed_count", sa.BigInteger, nullable=False),
    _text("department_id"),
    sa.Column("create_time", _AT, nullable=False),
    sa.Column("end_time", _AT),
    _text("importer"),
    sa.Column("commit_id", sa.Uuid),
)

# Rows that wait to be applied. Deleted in the transaction that applies them.
IMPORT_ROWS = sa.Table(
    "import_rows",
    METADATA,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("line", sa.BigInteger, primary_key=True),
    sa.Column("draft", sa.LargeBinary, nullable=False),
)

IMPORT_FINDINGS = sa.Table(
    "import_findings",
    METADATA,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("line", sa.BigInteger, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    _text("field"),
    _text("reason"),
    _text("description"),
    sa.Column("applied", sa.Boolean, nullable=False),
)
