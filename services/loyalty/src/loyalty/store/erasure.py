"""Statements that take a person's name and words from every row, and leave what the rows add up to."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.db.aliases import is_of
from chassis.db.statement import Statement
from loyalty.domain.membership import Member
from loyalty.store.earning import EARNING_CAPS, EARNINGS
from loyalty.store.memberships import CARDS, MEMBERS, MEMBERSHIPS
from loyalty.store.reevaluation import JOBS, RESULTS
from loyalty.store.rewards import REDEMPTIONS
from loyalty.store.tables import (
    ACCOUNTS,
    CUSTOMER_VALUES,
    GOODWILL,
    PROMISES,
    PURCHASES,
    RECEIPT_TRIES,
)
from loyalty.store.tiers import STANDINGS
from loyalty.store.vouchers import TRIES, USES, VOUCHERS

_OLD, _NEW = (sa.bindparam(name, type_=sa.Uuid) for name in ("customer_id", "pseudonym"))
# Every table that says whose a row is.
TABLES = (
    *(MEMBERSHIPS, MEMBERS, ACCOUNTS, STANDINGS, EARNINGS, REDEMPTIONS, RESULTS, JOBS),
    *(CUSTOMER_VALUES, PURCHASES, RECEIPT_TRIES, GOODWILL, PROMISES, VOUCHERS, USES),
)
# What people wrote, and what leads to them elsewhere.
_CUSTOMER: sa.ColumnElement[str] = sa.literal_column("'customers/'")
_NOTHING: sa.ColumnElement[str] = sa.literal_column("''")
_WORDS: dict[str, dict[str, Any]] = {
    GOODWILL.name: {"explanation": _NOTHING, "gift_reference": _NOTHING},
    PURCHASES.name: {"reference": _NOTHING, "receipt_hash": sa.null()},
    REDEMPTIONS.name: {"reference": _NOTHING},
    USES.name: {"reference": _NOTHING},
}


def _renamed(table: sa.Table) -> Statement[Any]:
    """Whatever is of the customer is of the pseudonym, by whichever column says so, and has no words."""
    changed: dict[str, Any] = {"customer_id": _NEW} | _WORDS.get(table.name, {})
    for column in table.c:
        if isinstance(column.type, JSONB):
            text = sa.func.replace(sa.cast(column, sa.Text), sa.cast(_OLD, sa.Text), sa.cast(_NEW, sa.Text))
            changed[column.name] = sa.cast(text, JSONB)
    return Statement(sa.update(table).where(table.c.customer_id == _OLD).values(changed))


RENAMED: Sequence[Statement[Any]] = [
    *map(_renamed, TABLES),
    Statement(sa.update(EARNING_CAPS).where(EARNING_CAPS.c.holder == _OLD).values(holder=_NEW)),
    Statement(
        sa.update(TRIES)
        .where(is_of(TRIES.c.trier, _OLD))
        .values(trier=_CUSTOMER.op("||")(sa.cast(_NEW, sa.Text)))
    ),
]
PRESENT_AS = Statement(
    sa.select(MEMBERS)
    .where(MEMBERS.c.customer_id == _OLD, MEMBERS.c.leave_time.is_(None))
    .order_by(MEMBERS.c.id),
    row=Member,
)
ACCOUNTS_MADE_FOR = Statement[Any](sa.select(ACCOUNTS.c.name).where(ACCOUNTS.c.customer_id == _OLD))
# Of who was alone in a membership: nobody finds it by a card any more.
FORGET_CARDS = Statement[Any](
    sa.update(CARDS)
    .where(CARDS.c.membership_id == sa.bindparam("membership_id", type_=sa.Uuid))
    .values(
        number_hash=sa.cast(sa.func.gen_random_uuid(), sa.Text),
        number_end=_NOTHING,
        state=sa.literal_column("'BLOCKED'"),
    )
)
