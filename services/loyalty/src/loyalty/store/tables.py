"""The service's tables, of the entities that they hold, and the statements on them, but those on purchases.

Migrations add what keeps the ledger right.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.aliases import group_of
from chassis.db.statement import Bulk, Statement, of_entity
from chassis.db.tables import among, rows_of, table, updated
from loyalty.domain import ledger
from loyalty.domain.goodwill import Given, Goodwill, KnownPromise, Promised, Spent, State
from loyalty.domain.value import CustomerValue, Purchase
from loyalty.names import CUSTOMER, MEMBERSHIP

METADATA = sa.MetaData()

PROGRAMS = table(METADATA, "programs", ledger.Program)
UNITS = table(METADATA, "units", ledger.Unit, key=("program_id", "id"))
MEMBERSHIPS = table(METADATA, "memberships", ledger.Membership)
# What the newest entry of each account says, kept here to be locked.
ACCOUNTS = table(METADATA, "accounts", ledger.Account)
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
ENTRIES = table(METADATA, "entries", ledger.Entry, key=("account_id", "version"))
PURCHASES = table(METADATA, "purchases", Purchase)
CUSTOMER_VALUES = table(METADATA, "customer_values", CustomerValue)
GOODWILL = table(METADATA, "goodwill", Goodwill)
# What cases told of the promises that it made: whose each is, and the first of its chain.
PROMISES = table(METADATA, "promises", Promised)
# The chains that did harm: of which cases told that a promise is or was at risk, broken, late or put off.
HARMS = sa.Table("harms", METADATA, sa.Column("root_id", sa.Uuid, primary_key=True))


def _inserted(table: sa.Table) -> sa.ClauseElement:
    """Returns the row when it is new."""
    new = insert(table).values({c.name: sa.bindparam(c.name) for c in table.c})
    return new.on_conflict_do_nothing().returning(*table.c)


INSERT_PROGRAM = Statement(_inserted(PROGRAMS), row=ledger.Program)
GET_PROGRAM, LOCK_PROGRAM, UPDATE_PROGRAM = of_entity(PROGRAMS, ledger.Program)
LIST_PROGRAMS = Listing(sa.select(PROGRAMS), PROGRAMS.c.id, row=ledger.Program)

INSERT_UNIT = Statement(_inserted(UNITS), row=ledger.Unit)
UPDATE_UNIT = Statement[Any](updated(UNITS))
_UNITS = sa.select(UNITS).where(UNITS.c.program_id == sa.bindparam("program_id"))
_UNIT = _UNITS.where(UNITS.c.id == sa.bindparam("id"))
GET_UNIT = Statement(_UNIT, row=ledger.Unit)
LOCK_UNIT = Statement(_UNIT.with_for_update(), row=ledger.Unit)
UNITS_OF = Statement(_UNITS, row=ledger.Unit)
LIST_UNITS = Listing(_UNITS, UNITS.c.id, row=ledger.Unit)

INSERT_MEMBERSHIP = Statement(_inserted(MEMBERSHIPS), row=ledger.Membership)
_MEMBERSHIPS = sa.select(MEMBERSHIPS).where(MEMBERSHIPS.c.program_id == sa.bindparam("program_id"))
GET_MEMBERSHIP = Statement(_MEMBERSHIPS.where(MEMBERSHIPS.c.id == sa.bindparam("id")), row=ledger.Membership)
# Of a customer who was a member by several names, the oldest: the one that they earn on.
MEMBERSHIP_OF = Statement(
    _MEMBERSHIPS.where(
        MEMBERSHIPS.c.customer_id == sa.func.any(group_of(sa.bindparam("customer_id", type_=sa.Uuid)))
    )
    .order_by(MEMBERSHIPS.c.id)
    .limit(sa.literal_column("1")),
    row=ledger.Membership,
)
LIST_MEMBERSHIPS = Listing(
    _MEMBERSHIPS,
    MEMBERSHIPS.c.id,
    row=ledger.Membership,
    filters={"customer": filters.customer(MEMBERSHIPS.c.customer_id, CUSTOMER)},
)

# Returns those that are new.
OPEN_ACCOUNTS = Bulk(
    ACCOUNTS, lambda into: into.on_conflict_do_nothing().returning(ACCOUNTS), row=ledger.Account
)

_BY_NAME = sa.select(ACCOUNTS).where(among(ACCOUNTS.c.name, "names"))

GET_ACCOUNTS = Statement(_BY_NAME, row=ledger.Account)

_NAME = sa.literal("programs/") + sa.bindparam("program_id") + "/accounts/" + sa.bindparam("id")
GET_ACCOUNT = Statement(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == _NAME), row=ledger.Account)

LIST_ACCOUNTS = Listing(
    sa.select(ACCOUNTS).where(ACCOUNTS.c.program_id == sa.bindparam("program_id")),
    ACCOUNTS.c.name,
    row=ledger.Account,
    filters={"membership": filters.name(ACCOUNTS.c.membership_id, MEMBERSHIP)},
)

# Always in one order, so that two transfers cannot wait for each other. The program's own accounts, which
# take part in nearly every transfer, come last: they are held for as short as can be.
LOCK_ACCOUNTS = Statement(
    _BY_NAME.order_by(
        ACCOUNTS.c.type != ledger.AccountType.MEMBERSHIP.value, ACCOUNTS.c.id
    ).with_for_update(),
    row=ledger.Account,
)

LEG_COLUMNS = [column.name for column in ENTRIES.c if column.name != "transfer_id"]


def _post() -> sa.ClauseElement:
    """One statement that writes a transfer, its entries and the balances."""
    legs = rows_of("legs", **{f"leg_{name}": ENTRIES.c[name].type for name in LEG_COLUMNS})
    at = sa.bindparam("at", type_=TRANSFERS.c.post_time.type)
    transfer = (
        insert(TRANSFERS)
        .values(
            id=sa.bindparam("transfer_id"),
            leg_count=sa.bindparam("leg_count"),
            reason_code=sa.bindparam("reason"),
            reverses_id=sa.bindparam("reversed_id"),
            cause_id=sa.bindparam("cause_id", type_=sa.Uuid),
            post_time=at,
        )
        .cte("transfer")
    )
    source = sa.select(*legs.c, sa.bindparam("transfer_id", type_=sa.Uuid))
    entries = insert(ENTRIES).from_select([*LEG_COLUMNS, "transfer_id"], source).cte("legs_written")
    return (
        sa.update(ACCOUNTS)
        .where(ACCOUNTS.c.id == legs.c.leg_account_id)
        .values(balance=legs.c.leg_balance, version=legs.c.leg_version, update_time=at)
        .add_cte(transfer, entries)
    )


POST = Statement[Any](_post())

_leg = ENTRIES.alias("leg")


def _in_order(column: Any, name: str) -> sa.ColumnElement[Any]:
    return sa.func.array_agg(aggregate_order_by(column, _leg.c.leg)).label(name)


_legs = (
    sa.select(_in_order(ACCOUNTS.c.name, "accounts"), _in_order(_leg.c.amount, "amounts"))
    .join(ACCOUNTS, ACCOUNTS.c.id == _leg.c.account_id)
    .where(_leg.c.transfer_id == TRANSFERS.c.id)
    .lateral("legs")
)
_TRANSFERS = sa.select(
    TRANSFERS.c.id,
    _legs.c.accounts,
    _legs.c.amounts,
    TRANSFERS.c.reason_code,
    TRANSFERS.c.reverses_id,
    TRANSFERS.c.cause_id,
    TRANSFERS.c.post_time,
).join_from(TRANSFERS, _legs, sa.true())

GET_TRANSFER = Statement(_TRANSFERS.where(TRANSFERS.c.id == sa.bindparam("id")), row=ledger.Transfer)

# The first member's account that a transfer moved, and its version after it: what the fact is about.
TOLD_OF = Statement[Any](
    sa.select(ACCOUNTS.c.name, ENTRIES.c.version)
    .join(ENTRIES, ENTRIES.c.account_id == ACCOUNTS.c.id)
    .where(ENTRIES.c.transfer_id == sa.bindparam("id"), ACCOUNTS.c.customer_id.is_not(None))
    .order_by(ENTRIES.c.leg)
    .limit(1)
)

GET_REVERSAL = Statement[Any](sa.select(TRANSFERS.c.id).where(TRANSFERS.c.reverses_id == sa.bindparam("id")))

BY_ACCOUNT = {"account": filters.text(ACCOUNTS.c.name)}
LIST_TRANSFERS = Listing(
    _TRANSFERS.add_columns(ENTRIES.c.version)
    .join(ENTRIES, ENTRIES.c.transfer_id == TRANSFERS.c.id)
    .where(ENTRIES.c.account_id == sa.bindparam("account_id")),
    ENTRIES.c.version,
    descending=True,
    row=ledger.AccountTransfer,
)

INSERT_GOODWILL = Statement[Any](sa.insert(GOODWILL))

GET_GOODWILL = Statement(sa.select(GOODWILL).where(GOODWILL.c.id == sa.bindparam("id")), row=Goodwill)

LIST_GOODWILL = Listing(
    sa.select(GOODWILL),
    GOODWILL.c.id,
    descending=True,
    row=Goodwill,
    filters={"customer": filters.customer(GOODWILL.c.customer_id, CUSTOMER)},
)

# The grant that a transfer moved, if it moved one.
REVERSE_GOODWILL = Statement(
    sa.update(GOODWILL)
    .where(GOODWILL.c.transfer_id == sa.bindparam("transfer"))
    .values(state=State.REVERSED.value, version=GOODWILL.c.version + 1, update_time=sa.bindparam("at"))
    .returning(GOODWILL),
    row=Goodwill,
)

_STANDS = GOODWILL.c.state == State.GRANTED.value
_CUSTOMER = among(GOODWILL.c.customer_id, "customer_ids")
_GRANTOR = GOODWILL.c.grantor == sa.bindparam("grantor")


def _sum(*of: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    points = sa.select(sa.cast(sa.func.sum(GOODWILL.c.amount), sa.BigInteger)).where(_STANDS, *of)
    return sa.func.coalesce(points.scalar_subquery(), 0)


_LATELY = GOODWILL.c.create_time > sa.bindparam("since")
SPENT = Statement(
    sa.select(
        _sum(_CUSTOMER, _LATELY).label("on_customer"),
        _sum(_GRANTOR, _LATELY).label("by_grantor"),
        _sum(_GRANTOR, GOODWILL.c.create_time > sa.bindparam("day_ago")).label("in_a_day"),
    ),
    row=Spent,
)

# To whoever: a merge that was undone has left it with another name than the promise.
_OF_CHAIN = GOODWILL.c.root_id == sa.bindparam("root_id")
GIVEN = Statement(
    sa.select(
        _sum(_OF_CHAIN, GOODWILL.c.grantor != sa.bindparam("policy")).label("by_people"),
        _sum(_OF_CHAIN, GOODWILL.c.grantor == sa.bindparam("policy")).label("by_policy"),
    ),
    row=Given,
)

INSERT_PROMISES = Bulk[Any](PROMISES, lambda into: into.on_conflict_do_nothing())
INSERT_HARMS = Bulk[Any](HARMS, lambda into: into.on_conflict_do_nothing())
_HARMED = sa.exists().where(HARMS.c.root_id == PROMISES.c.root_id).label("harmed")
GET_PROMISE = Statement(
    sa.select(PROMISES, _HARMED).where(PROMISES.c.id == sa.bindparam("id")), row=KnownPromise
)
