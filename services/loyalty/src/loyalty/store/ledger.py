"""Statements on accounts, transfers and entries."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.api.listing import Listing
from chassis.db.statement import Statement
from loyalty.domain.ledger import Account, AccountKind, AccountTransfer, Transfer
from loyalty.store.tables import ACCOUNTS, ENTRIES, PROGRAMMES, TRANSFERS

GET_PROGRAMME = Statement[Any](sa.select(PROGRAMMES).where(PROGRAMMES.c.id == sa.bindparam("programme")))

OPEN_ACCOUNT = Statement[Any](
    insert(ACCOUNTS).values({c.name: sa.bindparam(c.name) for c in ACCOUNTS.c}).on_conflict_do_nothing()
)

_BY_ID = sa.select(ACCOUNTS).where(ACCOUNTS.c.id == sa.func.any(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))))

GET_ACCOUNTS = Statement(_BY_ID, row=Account)

# Always in one order, so that two transfers cannot wait for each other. The programme's own accounts, which
# take part in nearly every transfer, come last: they are held for as short as can be.
LOCK_ACCOUNTS = Statement(
    _BY_ID.order_by(ACCOUNTS.c.kind != AccountKind.MEMBERSHIP.value, ACCOUNTS.c.id).with_for_update(),
    row=Account,
)


def _post() -> sa.ClauseElement:
    """One statement that writes a transfer, its two entries and both balances."""
    columns = [sa.column(c.name, c.type) for c in ENTRIES.c if c.name != "transfer_id"]
    arrays = [sa.bindparam(f"leg_{c.name}", type_=sa.ARRAY(c.type)) for c in columns]
    legs = sa.func.unnest(*arrays).table_valued(*columns, name="legs").render_derived()
    transfer = (
        insert(TRANSFERS)
        .values(
            id=sa.bindparam("transfer_id"),
            reason_code=sa.bindparam("reason"),
            reverses=sa.bindparam("reversed_id"),
            post_time=sa.bindparam("at"),
        )
        .cte("transfer")
    )
    source = sa.select(
        legs.c.account_id,
        legs.c.version,
        sa.bindparam("transfer_id", type_=sa.Uuid),
        legs.c.points,
        legs.c.balance,
    )
    entries = insert(ENTRIES).from_select([c.name for c in ENTRIES.c], source).cte("legs_written")
    return (
        sa.update(ACCOUNTS)
        .where(ACCOUNTS.c.id == legs.c.account_id)
        .values(points=legs.c.balance, version=legs.c.version)
        .add_cte(transfer, entries)
    )


POST = Statement[Any](_post())

_DEBIT, _CREDIT = ENTRIES.alias("debit"), ENTRIES.alias("credit")
_TRANSFERS = (
    sa.select(
        TRANSFERS,
        _DEBIT.c.account_id.label("debit_account_id"),
        _CREDIT.c.account_id.label("credit_account_id"),
        _CREDIT.c.points,
    )
    .join(_DEBIT, (_DEBIT.c.transfer_id == TRANSFERS.c.id) & (_DEBIT.c.points < 0))
    .join(_CREDIT, (_CREDIT.c.transfer_id == TRANSFERS.c.id) & (_CREDIT.c.points > 0))
)

GET_TRANSFER = Statement(_TRANSFERS.where(TRANSFERS.c.id == sa.bindparam("id")), row=Transfer)

GET_REVERSAL = Statement[Any](sa.select(TRANSFERS.c.id).where(TRANSFERS.c.reverses == sa.bindparam("id")))

LIST_TRANSFERS = Listing(
    _TRANSFERS.add_columns(ENTRIES.c.version)
    .join(ENTRIES, ENTRIES.c.transfer_id == TRANSFERS.c.id)
    .where(ENTRIES.c.account_id == sa.bindparam("account_id")),
    ENTRIES.c.version,
    descending=True,
    row=AccountTransfer,
)

# The proofs. Each returns what is wrong; of a ledger that is right, nothing.
_SUMS = (
    sa.select(
        ENTRIES.c.account_id,
        sa.func.sum(ENTRIES.c.points).label("points"),
        sa.func.max(ENTRIES.c.version).label("version"),
        sa.func.count().label("entries"),
    )
    .group_by(ENTRIES.c.account_id)
    .subquery()
)
UNBALANCED_TRANSFERS = Statement[Any](
    sa.select(TRANSFERS.c.id)
    .outerjoin(ENTRIES, ENTRIES.c.transfer_id == TRANSFERS.c.id)
    .group_by(TRANSFERS.c.id)
    .having((sa.func.count(ENTRIES.c.account_id) != 2) | (sa.func.sum(ENTRIES.c.points) != 0))
)
WRONG_BALANCES = Statement[Any](
    sa.select(ACCOUNTS.c.id)
    .outerjoin(_SUMS, _SUMS.c.account_id == ACCOUNTS.c.id)
    .where(
        (ACCOUNTS.c.points != sa.func.coalesce(_SUMS.c.points, 0))
        | (ACCOUNTS.c.version != sa.func.coalesce(_SUMS.c.version, 0))
        | (ACCOUNTS.c.version != sa.func.coalesce(_SUMS.c.entries, 0))
        | ((ACCOUNTS.c.kind == AccountKind.MEMBERSHIP.value) & (ACCOUNTS.c.points < 0))
    )
)
