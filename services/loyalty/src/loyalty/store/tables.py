"""The service's tables, of the entities that they hold, and statements on programs, members and promises.

Migrations add what keeps the ledger right.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import table, updated
from loyalty.domain import ledger, program
from loyalty.domain.goodwill import Goodwill, KnownPromise, Promised
from loyalty.domain.rates import ExchangeRate
from loyalty.domain.receipts import ReceiptTry
from loyalty.domain.value import CustomerValue, Purchase

METADATA = sa.MetaData()

PROGRAMS = table(METADATA, "programs", program.Program)
UNITS = table(METADATA, "units", program.Unit, key=("program_id", "id"))
# What the newest entry of each account says, kept here to be locked. Those of a program's own are several,
# each with entries of its own: the first has the name, of the others it is the whole.
ACCOUNTS = table(
    METADATA,
    "accounts",
    ledger.Account,
    sa.Column("whole_id", sa.Uuid),
    sa.Column("slot", sa.BigInteger, nullable=False, server_default="0"),
)
TRANSFERS = sa.Table(
    "transfers",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("leg_count", sa.BigInteger, nullable=False),
    sa.Column("reason_code", sa.Text, nullable=False),
    sa.Column("reverses_id", sa.Uuid),
    sa.Column("cause_id", sa.Uuid, nullable=False),
    sa.Column("post_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("purchase_id", sa.Uuid),
    sa.Column("managed", sa.Boolean, nullable=False, server_default=sa.false()),
)
# The legs of each transfer, numbered from 0. The primary key is also the order of an account's statement.
ENTRIES = table(METADATA, "entries", ledger.Entry, key=("account_id", "version"))
PURCHASES = table(METADATA, "purchases", Purchase)
RECEIPT_TRIES = table(METADATA, "receipt_tries", ReceiptTry)
CUSTOMER_VALUES = table(METADATA, "customer_values", CustomerValue)
EXCHANGE_RATES = table(METADATA, "exchange_rates", ExchangeRate)
GOODWILL = table(METADATA, "goodwill", Goodwill)
# What cases told of the promises that it made: whose each is, and the first of its chain.
PROMISES = table(METADATA, "promises", Promised)
# The chains that did harm: of which cases told that a promise is or was at risk, broken, late or put off.
HARMS = sa.Table("harms", METADATA, sa.Column("root_id", sa.Uuid, primary_key=True))


INSERT_PROGRAM = Statement[Any](insert(PROGRAMS).on_conflict_do_nothing().returning(PROGRAMS.c.id))
GET_PROGRAM, LOCK_PROGRAM, UPDATE_PROGRAM = of_entity(PROGRAMS, program.Program)
LIST_PROGRAMS = Listing(sa.select(PROGRAMS), PROGRAMS.c.id, row=program.Program)

INSERT_UNIT = Statement[Any](insert(UNITS).on_conflict_do_nothing().returning(UNITS.c.id))
UPDATE_UNIT = Statement[Any](updated(UNITS))
_UNITS = sa.select(UNITS).where(UNITS.c.program_id == sa.bindparam("program_id"))
_UNIT = _UNITS.where(UNITS.c.id == sa.bindparam("id"))
GET_UNIT = Statement(_UNIT, row=program.Unit)
LOCK_UNIT = Statement(_UNIT.with_for_update(), row=program.Unit)
UNITS_OF = Statement(_UNITS, row=program.Unit)
LIST_UNITS = Listing(_UNITS, UNITS.c.id, row=program.Unit)

INSERT_PROMISES = Bulk[Any](PROMISES, lambda into: into.on_conflict_do_nothing())
INSERT_HARMS = Bulk[Any](HARMS, lambda into: into.on_conflict_do_nothing())
_HARMED = sa.exists().where(HARMS.c.root_id == PROMISES.c.root_id).label("harmed")
GET_PROMISE = Statement(
    sa.select(PROMISES, _HARMED).where(PROMISES.c.id == sa.bindparam("id")), row=KnownPromise
)
