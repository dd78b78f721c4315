"""Statements on accounts, transfers and entries."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among
from loyalty.domain.ledger import Account, AccountTransfer, AccountType, Transfer
from loyalty.names import MEMBERSHIP
from loyalty.store.tables import ACCOUNTS, ENTRIES, TRANSFERS

# Returns those that are new.
OPEN_ACCOUNTS = Bulk(ACCOUNTS, lambda into: into.on_conflict_do_nothing().returning(ACCOUNTS), row=Account)

_BY_NAME = sa.select(ACCOUNTS).where(among(ACCOUNTS.c.name, "names"))

GET_ACCOUNTS = Statement(_BY_NAME, row=Account)

_NAME = sa.literal("programs/") + sa.bindparam("program_id") + "/accounts/" + sa.bindparam("id")
GET_ACCOUNT = Statement(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == _NAME), row=Account)

LIST_ACCOUNTS = Listing(
    sa.select(ACCOUNTS).where(ACCOUNTS.c.program_id == sa.bindparam("program_id")),
    ACCOUNTS.c.name,
    row=Account,
    filters={"membership": filters.name(ACCOUNTS.c.membership_id, MEMBERSHIP)},
)

# Always in one order, so that two transfers cannot wait for each other. The program's own accounts, which
# take part in nearly every transfer, come last: they are held for as short as can be.
LOCK_ACCOUNTS = Statement(
    _BY_NAME.order_by(ACCOUNTS.c.type != AccountType.MEMBERSHIP.value, ACCOUNTS.c.id).with_for_update(),
    row=Account,
)


LEG_COLUMNS = [column.name for column in ENTRIES.c if column.name != "transfer_id"]


def _post() -> sa.ClauseElement:
    """One statement that writes a transfer, its entries and the balances."""
    columns = [sa.column(name, ENTRIES.c[name].type) for name in LEG_COLUMNS]
    arrays = [sa.bindparam(f"leg_{c.name}", type_=sa.ARRAY(c.type)) for c in columns]
    legs = sa.func.unnest(*arrays).table_valued(*columns, name="legs").render_derived()
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
        .where(ACCOUNTS.c.id == legs.c.account_id)
        .values(balance=legs.c.balance, version=legs.c.version, update_time=at)
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

GET_TRANSFER = Statement(_TRANSFERS.where(TRANSFERS.c.id == sa.bindparam("id")), row=Transfer)

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
    row=AccountTransfer,
)
