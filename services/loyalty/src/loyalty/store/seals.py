"""What is checked of the ledger, by walking through its accounts, and what was found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, rows_of, table
from loyalty.domain.ledger import Line
from loyalty.domain.seals import Kept, Seal
from loyalty.store.tables import ACCOUNTS, ENTRIES, METADATA, TRANSFERS

SEALS = table(METADATA, "seals", Seal, key=("account_id", "version"))


@dataclass(slots=True)
class Checks:
    """The walk that is under way, and what the last one found: how many of each kind are wrong."""

    id: int
    cursor: UUID | None
    found: dict[str, int]
    start_time: datetime
    faults: dict[str, int]
    finish_time: datetime | None


CHECKS = table(METADATA, "ledger_checks", Checks)
THE_ONE = 1
BEGIN_CHECKS = Statement[Any](
    insert(CHECKS)
    .values(
        id=sa.literal_column(str(THE_ONE)),
        cursor=sa.null(),
        found=sa.literal_column("'{}'::jsonb"),
        start_time=sa.bindparam("at", type_=CHECKS.c.start_time.type),
        faults=sa.literal_column("'{}'::jsonb"),
        finish_time=sa.null(),
    )
    .on_conflict_do_nothing()
)
GET_CHECKS = Statement(sa.select(CHECKS), row=Checks)
LOCK_CHECKS = Statement(sa.select(CHECKS).with_for_update(), row=Checks)
SAVE_CHECKS = Statement[Any](
    sa.update(CHECKS).values(
        cursor=sa.bindparam("at_cursor", type_=sa.Uuid),
        found=sa.bindparam("so_far", type_=JSONB),
        start_time=sa.bindparam("begun", type_=CHECKS.c.start_time.type),
        faults=sa.bindparam("of_last", type_=JSONB),
        finish_time=sa.bindparam("ended", type_=CHECKS.c.start_time.type),
    )
)


@dataclass(frozen=True, slots=True)
class Walked:
    """An account, what its newest entry says, and how far its entries are sealed."""

    id: UUID
    name: str
    version: int
    balance: int
    entry_version: int
    entry_balance: int
    sealed: int
    hash: bytes


_entry, _seal = ENTRIES.alias("newest"), SEALS.alias("sealed")
_newest = (
    sa.select(_entry.c.version, _entry.c.balance)
    .where(_entry.c.account_id == ACCOUNTS.c.id)
    .order_by(_entry.c.version.desc())
    .limit(sa.literal_column("1"))
    .lateral("newest")
)
_sealed = (
    sa.select(_seal.c.version, _seal.c.hash)
    .where(_seal.c.account_id == ACCOUNTS.c.id)
    .order_by(_seal.c.version.desc())
    .limit(sa.literal_column("1"))
    .lateral("sealed")
)
WALK = Statement(
    sa.select(
        ACCOUNTS.c.id,
        ACCOUNTS.c.name,
        ACCOUNTS.c.version,
        ACCOUNTS.c.balance,
        sa.func.coalesce(_newest.c.version, 0).label("entry_version"),
        sa.func.coalesce(_newest.c.balance, 0).label("entry_balance"),
        sa.func.coalesce(_sealed.c.version, 0).label("sealed"),
        sa.func.coalesce(_sealed.c.hash, sa.literal_column("''::bytea")).label("hash"),
    )
    .join_from(ACCOUNTS, _newest, sa.true(), isouter=True)
    .join(_sealed, sa.true(), isouter=True)
    .where(ACCOUNTS.c.id > sa.bindparam("after", type_=sa.Uuid))
    .order_by(ACCOUNTS.c.id)
    .limit(sa.bindparam("limit", type_=sa.BigInteger)),
    row=Walked,
)


_LINE = [*ENTRIES.c, TRANSFERS.c.post_time, TRANSFERS.c.reason_code, TRANSFERS.c.reverses_id]
_asked = rows_of("asked", account_ids=sa.Uuid(), afters=sa.BigInteger(), untils=sa.BigInteger())
# Of each account those from the last that is sealed on, that one included.
UNSEALED = Statement(
    sa.select(*_LINE)
    .join_from(ENTRIES, TRANSFERS, TRANSFERS.c.id == ENTRIES.c.transfer_id)
    .join(_asked, _asked.c.account_ids == ENTRIES.c.account_id)
    .where(ENTRIES.c.version >= _asked.c.afters, ENTRIES.c.version <= _asked.c.untils)
    .order_by(ENTRIES.c.account_id, ENTRIES.c.version),
    row=Line,
)
INSERT_SEALS = Bulk[Any](SEALS, lambda into: into.on_conflict_do_nothing())

WRONG_UNITS = Statement[Any](
    sa.select(ACCOUNTS.c.program_id, ACCOUNTS.c.unit_id)
    .group_by(ACCOUNTS.c.program_id, ACCOUNTS.c.unit_id)
    .having(sa.func.sum(ACCOUNTS.c.balance) != 0)
)


# In the order of the primary key, from an entry on, that one included.
SEALED_LINES = Statement(
    sa.select(
        *_LINE,
        SEALS.c.hash,
        ACCOUNTS.c.version.label("account_version"),
        ACCOUNTS.c.balance.label("account_balance"),
    )
    .join_from(ENTRIES, TRANSFERS, TRANSFERS.c.id == ENTRIES.c.transfer_id)
    .join(ACCOUNTS, ACCOUNTS.c.id == ENTRIES.c.account_id)
    .join(
        SEALS,
        sa.and_(SEALS.c.account_id == ENTRIES.c.account_id, SEALS.c.version == ENTRIES.c.version),
        isouter=True,
    )
    .where(
        sa.tuple_(ENTRIES.c.account_id, ENTRIES.c.version)
        >= sa.tuple_(
            sa.bindparam("after_account", type_=sa.Uuid), sa.bindparam("after_version", type_=sa.BigInteger)
        )
    )
    .order_by(ENTRIES.c.account_id, ENTRIES.c.version)
    .limit(sa.bindparam("limit", type_=sa.BigInteger)),
    row=Kept,
)
NAMES = Statement[Any](sa.select(ACCOUNTS.c.id, ACCOUNTS.c.name).where(among(ACCOUNTS.c.id, "ids")))
