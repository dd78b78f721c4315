"""Statements on accounts, transfers and entries."""

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db.statement import Bulk, Statement
from chassis.db.tables import among, rows_of
from loyalty.domain import ledger
from loyalty.names import MEMBERSHIP
from loyalty.store.tables import ACCOUNTS, ENTRIES, PROGRAMS, TRANSFERS, UNITS

_A = ACCOUNTS.c
_HELD = [field.name for field in fields(ledger.Account)]

# Returns those that are new.
OPEN_ACCOUNTS = Bulk(
    ACCOUNTS,
    lambda into: into.on_conflict_do_nothing().returning(*(_A[name] for name in _HELD)),
    columns=_HELD,
    row=ledger.Account,
)
# Beside accounts of a program's own the others that are the same account, in which one transaction at a time
# moves something: as many move it at once.
_SLOT = sa.func.generate_series(1, ledger.SLOTS - 1).column_valued("n")
_NEW_SLOT: dict[str, Any] = {
    **{name: _A[name] for name in ("type", "program_id", "unit_id", "owner_code", "create_time")},
    "update_time": _A.create_time,
    "id": sa.func.gen_random_uuid(),
    "name": _A.name + "." + sa.cast(_SLOT, sa.Text),
    "whole_id": _A.id,
    "slot": _SLOT,
    "balance": sa.literal_column("0"),
    "version": sa.literal_column("0"),
}
OPEN_SLOTS = Statement[Any](
    insert(ACCOUNTS)
    .from_select(list(_NEW_SLOT), sa.select(*_NEW_SLOT.values()).where(among(_A.name, "names")))
    .on_conflict_do_nothing()
)

_slots = ACCOUNTS.alias("slots")
_rest = (
    sa.select(
        sa.cast(sa.func.sum(_slots.c.balance), sa.BigInteger).label("balance"),
        sa.cast(sa.func.sum(_slots.c.version), sa.BigInteger).label("version"),
        sa.func.max(_slots.c.update_time).label("update_time"),
    )
    .where(_slots.c.whole_id == _A.id, _A.membership_id.is_(None))
    .lateral("rest")
)
_added = {
    "balance": _A.balance + sa.func.coalesce(_rest.c.balance, 0),
    "version": _A.version + sa.func.coalesce(_rest.c.version, 0),
    "update_time": sa.func.greatest(_A.update_time, _rest.c.update_time),
}
# Accounts as they are known: those of a program's own with all that their slots hold.
_WHOLE = (
    sa.select(*(_added.get(name, _A[name]).label(name) if name in _added else _A[name] for name in _HELD))
    .join_from(ACCOUNTS, _rest, sa.true())
    .where(_A.whole_id.is_(None))
)
_BY_NAME = among(_A.name, "names")
GET_ACCOUNTS = Statement(_WHOLE.where(_BY_NAME), row=ledger.Account)

_NAME = sa.literal("programs/") + sa.bindparam("program_id") + "/accounts/" + sa.bindparam("id")
GET_ACCOUNT = Statement(_WHOLE.where(_A.name == _NAME), row=ledger.Account)

LIST_ACCOUNTS = Listing(
    _WHOLE.where(_A.program_id == sa.bindparam("program_id")),
    _A.name,
    row=ledger.Account,
    filters={"membership": filters.name(_A.membership_id, MEMBERSHIP)},
)

HELD_BY_TYPE = Statement[Any](
    sa.select(_A.type, sa.cast(sa.func.sum(_A.balance), sa.BigInteger).label("balance"))
    .where(_A.program_id == sa.bindparam("program_id"), _A.unit_id == sa.bindparam("unit_id"))
    .group_by(_A.type)
)

_wanted = (
    sa.select(_A.name, sa.func.coalesce(_slots.c.id, _A.id).label("id"))
    .join_from(
        ACCOUNTS,
        _slots,
        sa.and_(_slots.c.whole_id == _A.id, _slots.c.slot == sa.bindparam("slot", type_=sa.BigInteger)),
        isouter=True,
    )
    .where(_BY_NAME)
    .cte("wanted")
)
_locked = ACCOUNTS.alias("locked")
# Always in one order, so that two transfers cannot wait for each other. First what members spend from: who
# has that may take what is beside it later. The program's own accounts, which take part in nearly every
# transfer, come last and are one slot of them each: they are held for as short as can be. What is locked of
# them goes by the name of the whole.
LOCK_ACCOUNTS = Statement(
    sa.select(
        *(_wanted.c.name if name == "name" else _locked.c[name] for name in _HELD),
        UNITS.c.lot_policy,
        PROGRAMS.c.time_zone,
        PROGRAMS.c.tier_policy,
    )
    .join_from(_wanted, _locked, _locked.c.id == _wanted.c.id)
    .join(UNITS, sa.and_(UNITS.c.program_id == _locked.c.program_id, UNITS.c.id == _locked.c.unit_id))
    .join(PROGRAMS, PROGRAMS.c.id == _locked.c.program_id)
    .order_by(
        _locked.c.membership_id.is_(None), _locked.c.type != ledger.AccountType.MEMBERSHIP.value, _locked.c.id
    )
    .with_for_update(of=_locked),
    row=ledger.HeldAccount,
)


def _post() -> sa.ClauseElement:
    """One statement that writes transfers, their entries, and what the accounts hold after them."""
    transfers = rows_of("transfers_new", **{f"transfer_{each.name}": each.type for each in TRANSFERS.c})
    legs = rows_of("legs_new", **{f"leg_{each.name}": each.type for each in ENTRIES.c})
    balances = rows_of(
        "balances",
        **{f"account_{name}": _A[name].type for name in ("id", "balance", "version", "update_time")},
    )
    posted = insert(TRANSFERS).from_select(TRANSFERS.c.keys(), sa.select(*transfers.c)).cte("posted")
    entered = insert(ENTRIES).from_select(ENTRIES.c.keys(), sa.select(*legs.c)).cte("entered")
    return (
        sa.update(ACCOUNTS)
        .where(_A.id == balances.c.account_id)
        .values(
            balance=balances.c.account_balance,
            version=balances.c.account_version,
            update_time=balances.c.account_update_time,
        )
        .add_cte(posted, entered)
    )


POST = Statement[Any](_post())

_leg, _whole = ENTRIES.alias("leg"), ACCOUNTS.alias("whole")


def _in_order(column: Any, name: str) -> sa.ColumnElement[Any]:
    return sa.func.array_agg(aggregate_order_by(column, _leg.c.leg)).label(name)


_legs = (
    sa.select(_in_order(_whole.c.name, "accounts"), _in_order(_leg.c.amount, "amounts"))
    .join(ACCOUNTS, _A.id == _leg.c.account_id)
    .join(_whole, _whole.c.id == sa.func.coalesce(_A.whole_id, _A.id))
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
    TRANSFERS.c.purchase_id,
    TRANSFERS.c.managed,
).join_from(TRANSFERS, _legs, sa.true())

GET_TRANSFER = Statement(_TRANSFERS.where(TRANSFERS.c.id == sa.bindparam("id")), row=ledger.Transfer)
GET_TRANSFERS = Statement(_TRANSFERS.where(among(TRANSFERS.c.id, "ids")), row=ledger.Transfer)

# The first member's account that a transfer moved, and its version after it: what the fact is about.
TOLD_OF = Statement[Any](
    sa.select(_A.name, ENTRIES.c.version)
    .join(ENTRIES, ENTRIES.c.account_id == _A.id)
    .where(ENTRIES.c.transfer_id == sa.bindparam("id"), _A.type == ledger.AccountType.MEMBERSHIP.value)
    .order_by(ENTRIES.c.leg)
    .limit(1)
)

GET_REVERSAL = Statement[Any](sa.select(TRANSFERS.c.id).where(TRANSFERS.c.reverses_id == sa.bindparam("id")))

# The newest entry of an account, when its transfer moved that to this other account, and not before.
LAST_MOVE = Statement[Any](
    sa.select(ENTRIES.c.amount)
    .join(ACCOUNTS, sa.and_(_A.id == ENTRIES.c.account_id, _A.version == ENTRIES.c.version))
    .join(TRANSFERS, TRANSFERS.c.id == ENTRIES.c.transfer_id)
    .join(_leg, _leg.c.transfer_id == TRANSFERS.c.id)
    .where(
        _A.id == sa.bindparam("id", type_=sa.Uuid),
        _leg.c.account_id == sa.bindparam("moved_to", type_=sa.Uuid),
        TRANSFERS.c.post_time >= sa.bindparam("since", type_=TRANSFERS.c.post_time.type),
    )
)

BY_ACCOUNT = {"account": filters.text(_A.name)}


@dataclass(slots=True)
class Span:
    """The entries of one slot of an account in a time: after `low`, up to `high`; what it held there."""

    id: UUID
    low: int
    opening: int
    high: int
    closing: int


def entry_before(at: sa.ColumnElement[Any], name: str) -> Any:
    """SQL: of of `ACCOUNTS` its last entry before a time, `version` and `balance`; 0 where there is none."""
    columns = sa.column("version", sa.BigInteger), sa.column("balance", sa.BigInteger)
    return sa.func.entry_before(_A.id, at).table_valued(*columns, name=name).lateral(name)


_start, _end = (sa.bindparam(name, type_=sa.DateTime(timezone=True)) for name in ("start", "end"))
_first, _last = entry_before(_start, "first"), entry_before(_end, "last")
SPANS = Statement(
    sa.select(
        _A.id,
        _first.c.version.label("low"),
        _first.c.balance.label("opening"),
        _last.c.version.label("high"),
        _last.c.balance.label("closing"),
    )
    .join_from(ACCOUNTS, _first, sa.true())
    .join(_last, sa.true())
    .where(
        sa.or_(
            _A.id == sa.bindparam("account_id", type_=sa.Uuid),
            _A.whole_id == sa.bindparam("account_id", type_=sa.Uuid),
        )
    )
    .order_by(_A.slot),
    row=Span,
)


def _lines(descending: bool) -> Statement[ledger.Line]:
    """The next lines of an account, of each slot a range of its entries; by time, as they were posted."""
    spans = rows_of("spans", ids=sa.Uuid(), lows=sa.BigInteger(), highs=sa.BigInteger())
    limit = sa.bindparam("limit", type_=sa.BigInteger)
    order = ENTRIES.c.version.desc() if descending else ENTRIES.c.version
    each = (
        sa.select(*ENTRIES.c, TRANSFERS.c.post_time, TRANSFERS.c.reason_code, TRANSFERS.c.reverses_id)
        .join(TRANSFERS, TRANSFERS.c.id == ENTRIES.c.transfer_id)
        .where(
            ENTRIES.c.account_id == spans.c.ids,
            ENTRIES.c.version > spans.c.lows,
            ENTRIES.c.version <= spans.c.highs,
        )
        .order_by(order)
        .limit(limit)
        .lateral("line")
    )
    keys = [each.c.post_time, each.c.account_id, each.c.version]
    return Statement(
        sa.select(*each.c)
        .select_from(spans.join(each, sa.true()))
        .order_by(*(key.desc() if descending else key for key in keys))
        .limit(limit),
        row=ledger.Line,
    )


# The whole of each account that is a slot, and what was posted in a time of transfers that began in another.
LIST_JOURNAL = Listing(
    sa.select(
        *ENTRIES.c,
        TRANSFERS.c.post_time,
        TRANSFERS.c.reason_code,
        TRANSFERS.c.reverses_id,
        _whole.c.name.label("account"),
    )
    .join_from(ENTRIES, TRANSFERS, TRANSFERS.c.id == ENTRIES.c.transfer_id)
    .join(ACCOUNTS, _A.id == ENTRIES.c.account_id)
    .join(_whole, _whole.c.id == sa.func.coalesce(_A.whole_id, _A.id))
    .where(
        ENTRIES.c.transfer_id >= sa.bindparam("first", type_=sa.Uuid),
        ENTRIES.c.transfer_id < sa.bindparam("before", type_=sa.Uuid),
        TRANSFERS.c.post_time >= sa.bindparam("start", type_=TRANSFERS.c.post_time.type),
        TRANSFERS.c.post_time < sa.bindparam("end", type_=TRANSFERS.c.post_time.type),
    ),
    ENTRIES.c.transfer_id,
    ENTRIES.c.leg,
    row=ledger.JournalLine,
)
LINES = {descending: _lines(descending) for descending in (True, False)}
