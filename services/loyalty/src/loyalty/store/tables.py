"""The service's tables, of the entities that they hold. Migrations add what keeps the ledger right."""

import sqlalchemy as sa

from chassis.db.tables import table
from loyalty.domain.goodwill import Goodwill, Promised
from loyalty.domain.ledger import Account, Entry
from loyalty.domain.program import Membership, Program, Unit
from loyalty.domain.value import CustomerValue, Purchase

METADATA = sa.MetaData()

PROGRAMS = table(METADATA, "programs", Program)
UNITS = table(METADATA, "units", Unit, key=("program_id", "id"))
MEMBERSHIPS = table(METADATA, "memberships", Membership)
# What the newest entry of each account says, kept here to be locked.
ACCOUNTS = table(METADATA, "accounts", Account)
TRANSFERS = sa.Table(
    "transfers",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("leg_count", sa.BigInteger, nullable=False),
    sa.Column("reason_code", sa.Text, nullable=False),
    sa.Column("reverses_id", sa.Uuid),
    sa.Column("cause_id", sa.Uuid, nullable=False),
    sa.Column("post_time", sa.DateTime(timezone=True), nullable=False),
)
# The legs of each transfer, numbered from 0. The primary key is also the order of an account's statement.
ENTRIES = table(METADATA, "entries", Entry, key=("account_id", "version"))
PURCHASES = table(METADATA, "purchases", Purchase)
CUSTOMER_VALUES = table(METADATA, "customer_values", CustomerValue)
GOODWILL = table(METADATA, "goodwill", Goodwill)
# What cases told of the promises that it made: whose each is, and the first of its chain.
PROMISES = table(METADATA, "promises", Promised)
# The chains that did harm: of which cases told that a promise is or was at risk, broken, late or put off.
HARMS = sa.Table("harms", METADATA, sa.Column("root_id", sa.Uuid, primary_key=True))
