"""Which names are of one customer.

A merge is a link: every row keeps the customer's id that it was written with. Each service projects which ids
are one customer (`chassis.inbox.aliases`) and reads by all of them, so a merge that is undone leaves nothing
behind. See docs/adr/0050-a-merge-is-a-link.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.db.schema import ALIAS_GROUPS
from chassis.db.statement import LOCK_NAMES, Bulk, Executor, Statement
from chassis.db.tables import rows_of
from chassis.db.transaction import Transaction

_A = ALIAS_GROUPS.c


def survivor_of(customer: sa.ColumnElement[Any]) -> sa.ColumnElement[UUID]:
    """SQL: the id by which a customer is known, of whichever of their ids."""
    found: Any = sa.func.survivor_of(customer, type_=sa.Uuid)
    return found  # type: ignore[no-any-return]


def group_of(customer: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """SQL: an array of all ids of a customer, of whichever of them; for a column `= ANY` of it."""
    found: Any = sa.func.group_of(customer, type_=sa.ARRAY(sa.Uuid))
    return found  # type: ignore[no-any-return]


def names_of(customer: sa.ColumnElement[Any]) -> Any:
    """SQL, to join with: a row for each id of a customer, its `customer_id`."""
    names = sa.func.unnest(group_of(customer))
    return names.table_valued(sa.column("customer_id", sa.Uuid), name="names").render_derived()


def is_of(column: sa.ColumnElement[Any], customer_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """SQL: whether a column, of customers' ids or of their names, holds that one."""
    if not isinstance(column.type, sa.Uuid):
        customer_id = sa.literal_column("'customers/'").op("||")(sa.cast(customer_id, sa.Text))
    return column == customer_id


_ASKED = rows_of("asked", customer_ids=sa.Uuid())
_GROUPS = Statement[Any](
    sa.select(
        _ASKED.c.customer_ids.label("asked"),
        survivor_of(_ASKED.c.customer_ids).label("survivor"),
        group_of(_ASKED.c.customer_ids).label("members"),
    ).select_from(_ASKED)
)
_NAMES = names_of(_ASKED.c.customer_ids)
_NAME = sa.literal_column("'customers/'").op("||")(sa.cast(_NAMES.c.customer_id, sa.Text))
_LOCKS = (
    sa.select(_NAMES.c.customer_id, sa.func.hashtextextended(_NAME, 0).label("lock"))
    .select_from(_ASKED.join(_NAMES, sa.true()))
    .distinct()
    .order_by("lock")
    .subquery("locks")
)
# In the order of `LOCK_NAMES`: two who know a customer by different names cannot wait for each other.
_LOCK_GROUPS = Statement[Any](sa.select(_LOCKS.c.customer_id, sa.func.pg_advisory_xact_lock(_LOCKS.c.lock)))
_REGROUP = Bulk[Any](
    ALIAS_GROUPS,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["customer_id"],
        set_={name: insert.excluded[name] for name in ("group_id", "sequence", "change_time")},
        where=_A.sequence < insert.excluded.sequence,
    ),
)
LAST_SEQUENCE = Statement[Any](sa.select(sa.func.max(_A.sequence).label("sequence")))


class Groups:
    """Which of the ids that were asked for are of whom: `survivors` by id, `members` by survivor."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.survivors: dict[UUID, UUID] = {}
        self.members: dict[UUID, list[UUID]] = {}
        for row in rows:
            self.survivors[row["asked"]] = row["survivor"]
            self.members[row["survivor"]] = sorted(row["members"])

    @property
    def whose(self) -> dict[UUID, UUID]:
        """The id that survives, by every id of whoever was asked for."""
        return {each: survivor for survivor, members in self.members.items() for each in members}

    def all_of(self, customer_id: UUID) -> list[UUID]:
        """All ids of the customer who has this one, for which was asked."""
        return self.members[self.survivors[customer_id]]

    @property
    def everybody(self) -> list[UUID]:
        """Every id of whoever was asked for."""
        return sorted(self.whose)


async def groups_of(on: Executor, customer_ids: Iterable[UUID]) -> Groups:
    """All ids of the customers who have these."""
    return Groups(await _GROUPS.all(on, customer_ids=sorted(set(customer_ids))))


async def lock_person(tx: Transaction, customer_id: UUID) -> Sequence[UUID]:
    """All ids of a customer, who is merged with nobody until the transaction ends.

    Nor does anybody else who asks for this decide about them meanwhile: for what is one for each person, a
    budget, a membership. The first locks that a transaction takes.
    """
    return (await lock_people(tx, [customer_id])).everybody


async def lock_people(tx: Transaction, customer_ids: Iterable[UUID]) -> Groups:
    """As `lock_person`, of several customers: whether they are one stays so until the transaction ends."""
    asked = sorted(set(customer_ids))
    while True:
        locked = {row["customer_id"] for row in await _LOCK_GROUPS.all(tx, customer_ids=asked)}
        groups = await groups_of(tx, asked)
        if locked.issuperset(groups.everybody):
            return groups


async def regroup(
    tx: Transaction, survivors: Mapping[UUID, UUID], sequence: int, change_time: datetime
) -> None:
    """Take in whose each id is, as the merge with that number says; what a later one said holds."""
    await LOCK_NAMES.run(tx, names=[f"customers/{each}" for each in sorted(survivors)])
    await _REGROUP.rows(
        tx,
        [
            {"customer_id": each, "group_id": survivor, "sequence": sequence, "change_time": change_time}
            for each, survivor in sorted(survivors.items())
        ],
    )
