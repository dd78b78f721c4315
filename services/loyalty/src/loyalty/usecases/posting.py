"""Moving what transfers say: one, or many that share a transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chassis import ids
from chassis.api.entities import found
from chassis.context import Call
from chassis.db.statement import arrays
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, Refusal
from chassis.facts import fact_of
from loyalty.domain.facts import GoodwillReversed, TransferPosted, TransferReversed
from loyalty.domain.ledger import SLOTS, Account, AccountType, Entry, Leg, Transfer, check_legs, post
from loyalty.names import TRANSFER
from loyalty.store import ledger as store
from loyalty.store.ledger import GET_REVERSAL, GET_TRANSFER
from loyalty.store.tables import ENTRIES, REVERSE_GOODWILL, TRANSFERS

_BALANCE = ("id", "balance", "version", "update_time")


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants moved."""

    legs: list[Leg]
    reason_code: str

    def transfer(self, tx: Transaction, transfer_id: UUID | None = None) -> Transfer:
        """Of the acting call."""
        accounts, amounts = map(list, zip(*self.legs, strict=True))
        return Transfer(
            transfer_id or ids.uuid7(tx.now), accounts, amounts, self.reason_code, None, tx.id, tx.now
        )


@dataclass(slots=True)
class Ledger:
    """Accounts that are locked, and what was moved between them: written together, at last by `write`."""

    tx: Transaction
    accounts: dict[str, Account]
    transfers: list[Transfer] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    async def lock(cls, tx: Transaction, names: Iterable[str]) -> "Ledger":
        """Those of these accounts that there are, in the one order that all lock them in."""
        asked = {"names": sorted(set(names)), "slot": ids.uuid7(tx.now).int % SLOTS}
        return cls(tx, {account.name: account for account in await store.LOCK_ACCOUNTS.all(tx, **asked)})

    def require(self, names: Iterable[str]) -> None:
        """NotFound for the first that there is not."""
        for name in names:
            if name not in self.accounts:
                raise NotFound(name)

    def post(self, transfer: Transfer, caused_by: UUID | None = None) -> Transfer:
        """Move what a transfer says, or nothing of it, and tell the members. Refused as by `domain.post`."""
        self.require(transfer.accounts)
        entries = post(transfer, self.accounts)
        self.transfers.append(transfer)
        self.entries += entries
        told: dict[str, Any] = {"transfer": TRANSFER.format(transfer.id), "reason_code": transfer.reason_code}
        if transfer.reverses_id:
            told["reverses"] = TRANSFER.format(transfer.reverses_id)
        kind = TransferReversed if transfer.reverses_id else TransferPosted
        for name, entry in zip(transfer.accounts, entries, strict=True):
            if self.accounts[name].type is AccountType.MEMBERSHIP:
                fact = fact_of(
                    kind, self.accounts[name], amount=entry.amount, account_version=entry.version, **told
                )
                self.tx.record(fact, version=entry.version, caused_by=caused_by)
        return transfer

    async def write(self) -> None:
        """Write all that was moved as one statement."""
        if not self.transfers:
            return
        moved = {entry.account_id for entry in self.entries}
        accounts = [account for account in self.accounts.values() if account.id in moved]
        rows = [
            {
                "id": each.id,
                "leg_count": len(each.amounts),
                "reason_code": each.reason_code,
                "reverses_id": each.reverses_id,
                "cause_id": each.cause_id,
                "post_time": each.post_time,
            }
            for each in self.transfers
        ]
        columns = (
            ("transfer", TRANSFERS.c.keys(), rows),
            ("leg", ENTRIES.c.keys(), self.entries),
            ("account", _BALANCE, accounts),
        )
        await store.POST.run(
            self.tx,
            **{
                f"{prefix}_{name}": column
                for prefix, names, of in columns
                for name, column in arrays(names, of).items()
            },
        )
        self.transfers, self.entries = [], []


async def post_transfer(
    tx: Transaction,
    *,
    legs: Sequence[Leg],
    reason_code: str,
    transfer_id: UUID | None = None,
    caused_by: UUID | None = None,
) -> Transfer:
    """Move what the legs say, as the transfer `transfer_id`, or one chosen here.

    InvalidArgument for the legs (see `check_legs` and `post`); NotFound without an account;
    FailedPrecondition `INSUFFICIENT_BALANCE`.
    """
    check_legs(legs)
    ledger = await Ledger.lock(tx, [leg.account for leg in legs])
    posted = ledger.post(Order(list(legs), reason_code).transfer(tx, transfer_id), caused_by)
    await ledger.write()
    return posted


async def post_together(
    tx: Transaction, orders: Sequence[Order], calls: Sequence[Call]
) -> list[Transfer | Refusal]:
    """Move what arrived together, each for its call: one after the other, on accounts locked once."""
    ledger = await Ledger.lock(tx, [leg.account for order in orders for leg in order.legs])
    outcomes: list[Transfer | Refusal] = []
    for order, call in zip(orders, calls, strict=True):
        tx.act(call)
        try:
            outcomes.append(ledger.post(order.transfer(tx)))
        except Refusal as refused:
            outcomes.append(refused)
    await ledger.write()
    return outcomes


async def reverse_transfer(tx: Transaction, *, transfer_id: UUID, reason_code: str) -> Transfer:
    """Undo a transfer, once; the goodwill that it moved is then as if it had never been.

    NotFound; FailedPrecondition `ALREADY_REVERSED`, `IS_REVERSAL`, or `INSUFFICIENT_BALANCE` when what was
    got is spent.
    """
    original = await found(tx, TRANSFER, GET_TRANSFER, transfer_id)
    # Before looking, so that of two reversals the second sees the first.
    ledger = await Ledger.lock(tx, original.accounts)
    again = await GET_REVERSAL.maybe(tx, id=transfer_id) is not None
    reversal = original.reversal(ids.uuid7(tx.now), reason_code, tx.id, tx.now, again)
    caused_by = None
    for goodwill in await REVERSE_GOODWILL.all(tx, transfer=transfer_id, at=tx.now):
        fact = fact_of(GoodwillReversed, goodwill, points=goodwill.amount)
        caused_by = tx.record(fact, version=goodwill.version)
    ledger.post(reversal, caused_by)
    await ledger.write()
    return reversal
