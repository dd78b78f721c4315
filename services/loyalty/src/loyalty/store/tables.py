"""The service's tables. Migrations create them, with the triggers that keep the ledger right."""

import sqlalchemy as sa

METADATA = sa.MetaData()
_AT = sa.DateTime(timezone=True)

PROGRAMS = sa.Table(
    "programs",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", _AT, nullable=False),
    sa.Column("update_time", _AT, nullable=False),
)

UNITS = sa.Table(
    "units",
    METADATA,
    sa.Column("program", sa.ForeignKey("programs.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", _AT, nullable=False),
    sa.Column("update_time", _AT, nullable=False),
)

MEMBERSHIPS = sa.Table(
    "memberships",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("program", sa.ForeignKey("programs.id"), nullable=False),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("create_time", _AT, nullable=False),
)

# One row for each account: what its newest entry says, kept here to be locked.
ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, unique=True, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("program", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("membership_id", sa.ForeignKey("memberships.id")),
    sa.Column("customer_id", sa.Uuid),
    sa.Column("balance", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", _AT, nullable=False),
    sa.Column("update_time", _AT, nullable=False),
)

TRANSFERS = sa.Table(
    "transfers",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("leg_count", sa.Integer, nullable=False),
    sa.Column("reason_code", sa.Text, nullable=False),
    sa.Column("reverses", sa.ForeignKey("transfers.id"), unique=True),
    sa.Column("post_time", _AT, nullable=False),
)

# The legs of each transfer, numbered from 0. The primary key is also the order of an account's statement.
ENTRIES = sa.Table(
    "entries",
    METADATA,
    sa.Column("account_id", sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("transfer_id", sa.ForeignKey("transfers.id"), nullable=False),
    sa.Column("leg", sa.Integer, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("balance", sa.BigInteger, nullable=False),
)

PURCHASES = sa.Table(
    "purchases",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("amount", sa.Numeric(20, 4), nullable=False),
    sa.Column("currency_code", sa.Text, nullable=False),
    sa.Column("purchase_time", _AT, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("refunded", sa.Numeric(20, 4), nullable=False),
    sa.Column("refunded_by", sa.Text, nullable=False),
    sa.Column("import_key", sa.Text, unique=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)

CUSTOMER_VALUES = sa.Table(
    "customer_values",
    METADATA,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("lifetime_value", sa.Numeric(24, 4), nullable=False),
    sa.Column("purchase_count", sa.BigInteger, nullable=False),
    sa.Column("first_purchase_time", _AT),
    sa.Column("last_purchase_time", _AT),
    sa.Column("version", sa.BigInteger, nullable=False),
)

GOODWILL = sa.Table(
    "goodwill",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("membership_id", sa.ForeignKey("memberships.id"), nullable=False),
    sa.Column("program", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("reason_code", sa.Text, nullable=False),
    sa.Column("promise_id", sa.Uuid),
    sa.Column("root_id", sa.Uuid),
    sa.Column(
        "transfer_id", sa.ForeignKey("transfers.id", deferrable=True, initially="DEFERRED"), nullable=False
    ),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Text, nullable=False),
    sa.Column("grantor", sa.Text, nullable=False),
    sa.Column("create_time", _AT, nullable=False),
)

# What cases told of the promises that it made: whose each is, and the first of its chain.
PROMISES = sa.Table(
    "promises",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("root_id", sa.Uuid, nullable=False),
)

# The chains that did harm: of which cases told that a promise is or was at risk, broken, late or put off.
HARMS = sa.Table("harms", METADATA, sa.Column("root_id", sa.Uuid, primary_key=True))
