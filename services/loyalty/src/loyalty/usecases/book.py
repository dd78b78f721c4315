"""Accounts and lots that a transaction has locked, and what it moves between them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from chassis import ids
from chassis.db.statement import arrays
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, NotFound
from chassis.facts import fact_of
from loyalty.domain import lots as rules
from loyalty.domain.facts import TransferPosted, TransferReversed
from loyalty.domain.ledger import (
    MANAGED,
    SLOTS,
    Account,
    AccountType,
    Entry,
    HeldAccount,
    Order,
    Transfer,
    post,
)
from loyalty.domain.lots import Activation, Allocation, Lot, LotPolicy, LotState
from loyalty.names import TRANSFER
from loyalty.store import ledger as store
from loyalty.store.lots import INSERT_ALLOCATIONS, OPEN_LOTS, SAVE_LOTS
from loyalty.store.tables import ENTRIES, TRANSFERS
from loyalty.usecases.qualify import earners, requalify

_BALANCE = ("id", "balance", "version", "update_time")


@dataclass(slots=True)
class Book:
    """What is locked: accounts by name, and of members' accounts the lots that hold something.

    What is moved is written together, at last by `write`.
    """

    tx: Transaction
    accounts: dict[str, HeldAccount]
    lots: dict[UUID, list[Lot]]
    slot: int  # of each account of a program's own
    transfers: list[Transfer] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    changed: dict[UUID, Lot] = field(default_factory=dict)
    allocated: Counter[tuple[UUID, UUID]] = field(default_factory=Counter)

    @classmethod
    async def lock(cls, tx: Transaction, names: Iterable[str], slot: int | None = None) -> Self:
        """Those of these accounts that there are, in the one order that all lock them in; then their lots.

        Of accounts of a program's own that slot, or one drawn at random.
        """
        book = cls(tx, {}, defaultdict(list), ids.uuid7(tx.now).int % SLOTS if slot is None else slot)
        await book._lock(names)
        return book

    async def _lock(self, names: Iterable[str]) -> None:
        held = await store.LOCK_ACCOUNTS.all(self.tx, names=sorted(set(names)), slot=self.slot)
        self.accounts |= {account.name: account for account in held}
        members = [account.id for account in held if account.type is AccountType.MEMBERSHIP]
        for lot in await OPEN_LOTS.all(self.tx, account_ids=members) if members else ():
            self.lots[lot.account_id].append(lot)

    async def add(self, names: Iterable[str]) -> None:
        """Lock these, too: the program's own, or members' of whom another account is locked."""
        await self._lock(name for name in set(names) if name not in self.accounts)

    def members(self) -> list[HeldAccount]:
        """The accounts that members spend from."""
        return [each for each in self.accounts.values() if each.type is AccountType.MEMBERSHIP]

    async def beside(self, account: Account, kind: AccountType) -> HeldAccount:
        """A member's account for another purpose, opened when there is none.

        Nobody else has it who does not have `account` first, so it is locked after whatever else.
        """
        other = account.beside(kind, self.tx.now)
        if other.name not in self.accounts:
            await store.OPEN_ACCOUNTS.rows(self.tx, [other])
            await self._lock([other.name])
        return self.accounts[other.name]

    async def open_pending(self, orders: Sequence[Order]) -> None:
        """Have the accounts of what these will earn and not have yet."""
        for account, policy in [
            (account, leg.lot_policy or account.lot_policy)
            for order in orders
            for leg in order.legs
            if leg.amount > 0 and (account := self.accounts.get(leg.account))
        ]:
            is_members = account.type is AccountType.MEMBERSHIP
            if is_members and policy and policy.activation is not Activation.IMMEDIATE:
                await self.beside(account, AccountType.PENDING)

    def order(self, order: Order, transfer_id: UUID | None = None, caused_by: UUID | None = None) -> Transfer:
        """Move what somebody ordered, or nothing of it."""
        accounts, amounts = map(list, zip(*((leg.account, leg.amount) for leg in order.legs), strict=True))
        tx, transfer_id = self.tx, transfer_id or ids.uuid7(self.tx.now)
        why = order.reason_code, None, tx.id, tx.now, order.purchase_id, order.earned
        transfer = Transfer(transfer_id, accounts, amounts, *why)
        self.require(accounts)
        into: list[tuple[Lot, int]] = []
        for i, leg in enumerate(order.legs):
            account = self.accounts[leg.account]
            if account.type in MANAGED or (account.type is AccountType.DEBT and not order.earned):
                told = f"{account.name} is moved by what it is for, and not by transfers that people post."
                raise FailedPrecondition("MANAGED_ACCOUNT", told, {"resource": account.name})
            if account.type is AccountType.MEMBERSHIP and leg.amount > 0:
                lot = self._lot(account, leg.lot_policy or account.lot_policy, order.earned)
                if lot is not None:
                    into.append((lot, leg.amount))
                    if lot.state is LotState.PENDING:
                        accounts[i] = account.beside(AccountType.PENDING, tx.now).name
        self.spend(transfer, caused_by)
        for lot, amount in into:
            self.put(transfer, lot, amount)
        self.renew(leg.account for leg in order.legs)
        return transfer

    def transfer(
        self, amounts: Mapping[str, int], reason_code: str, purchase_id: UUID | None = None
    ) -> Transfer:
        """One that is made here, by accounts; to be posted."""
        tx = self.tx
        of = list(amounts), list(amounts.values())
        return Transfer(ids.uuid7(tx.now), *of, reason_code, None, tx.id, tx.now, purchase_id)

    def spend(self, transfer: Transfer, caused_by: UUID | None = None) -> None:
        """Post a transfer, taking what members give from the lots that end first."""
        spent = [(self.accounts[leg.account], -leg.amount) for leg in transfer.legs if leg.amount < 0]
        spent = [(account, n) for account, n in spent if account.type is AccountType.MEMBERSHIP]
        for account, amount in spent:
            self.require_usable(account, amount)
        over = {account.id: rules.excess(account.balance, self.lots[account.id]) for account, _ in spent}
        self.post(transfer, caused_by)
        for account, amount in spent:
            self.take(transfer, account, amount + over[account.id])

    def renew(self, names: Iterable[str]) -> None:
        """Have what follows activity end later: the members have done something."""
        for account in (self.accounts[name] for name in names):
            for lot in self.lots.get(account.id, ()):
                if lot.renew(self.tx.now, account.zone):
                    self.changed[lot.id] = lot

    def require(self, names: Iterable[str]) -> None:
        """NotFound for the first that there is not."""
        for name in names:
            if name not in self.accounts:
                raise NotFound(name)

    def require_usable(self, account: HeldAccount, amount: int) -> None:
        """FailedPrecondition `INSUFFICIENT_BALANCE` when a member cannot give that of what has not ended."""
        if amount > 0 and account.type is AccountType.MEMBERSHIP:
            usable = rules.spendable(account.balance, self.lots[account.id], self.tx.now)
            account.require(-amount, usable)

    def post(self, transfer: Transfer, caused_by: UUID | None = None) -> None:
        """Move what a transfer says, or nothing of it, and tell the members. Refused as by `domain.post`."""
        entries = post(transfer, self.accounts)
        self.transfers.append(transfer)
        self.entries += entries
        told: dict[str, Any] = {"transfer": TRANSFER.format(transfer.id), "reason_code": transfer.reason_code}
        if transfer.reverses_id:
            told["reverses"] = TRANSFER.format(transfer.reverses_id)
        kind = TransferReversed if transfer.reverses_id else TransferPosted
        for name, entry in zip(transfer.accounts, entries, strict=True):
            account = self.accounts[name]
            if account.type is AccountType.MEMBERSHIP:
                fact = fact_of(kind, account, amount=entry.amount, account_version=entry.version, **told)
                self.tx.record(fact, version=entry.version, caused_by=caused_by)

    def move(self, transfer: Transfer, lot: Lot, amount: int) -> None:
        """Give a lot back what was taken from it, or take from it."""
        lot.move(amount, self.tx.now)
        self._note(transfer, lot, amount)

    def give_back(self, transfer: Transfer, of: Iterable[tuple[Lot, int]]) -> None:
        """Give back what was spent to the lots it came from, or to one with days of grace when they ended."""
        for lot, amount in of:
            if amount >= 0:
                continue
            if not lot.has_ended(self.tx.now):
                self.restore(transfer, lot, -amount)
            else:
                again = lot.again(ids.uuid7(self.tx.now), self.tx.now, self.accounts[lot.account].zone)
                self.put(transfer, self.alike(again), -amount)

    def restore(self, transfer: Transfer, lot: Lot, amount: int) -> None:
        """Give a lot back what was taken from it: of one that was brought, also what was taken before."""
        if lot.origin_id:
            self.put(transfer, lot, missing := max(0, lot.remaining + amount - lot.amount))
            amount -= missing
        self.move(transfer, lot, amount)

    def take_back(self, transfer: Transfer, account: Account, amount: int, of: list[tuple[Lot, int]]) -> None:
        """Take back what was earned: from where it went, then from elsewhere as if it were spent."""
        lots = self.lots[account.id]
        held = sum(each.remaining for each in lots if each.state is LotState.ACTIVE)
        plain = min(max(account.balance + amount - held, 0), amount - sum(put for _, put in of if put > 0))
        for lot, put in of:
            part = min(lot.remaining, put, amount)
            if part > 0 and lot.account_id == account.id and lot.state is LotState.ACTIVE:
                self.move(transfer, lot, -part)
                amount -= part
        self.take(transfer, account, amount - max(plain, 0))

    async def write(self) -> None:
        """Write all that was moved."""
        if self.transfers:
            await self._post()
        await SAVE_LOTS.rows(self.tx, list(self.changed.values()))
        notes = [Allocation(*key, amount) for key, amount in self.allocated.items() if amount]
        await INSERT_ALLOCATIONS.rows(self.tx, notes)
        earned = earners(self.transfers, self.accounts)
        self.transfers, self.entries, self.changed, self.allocated = [], [], {}, Counter()
        for program_id, memberships in earned.items():
            await requalify(self.tx, program_id, memberships)

    async def _post(self) -> None:
        moved = {entry.account_id for entry in self.entries}
        columns: tuple[tuple[str, Any, Sequence[Any]], ...] = (
            ("transfer", TRANSFERS.c.keys(), [_row(each) for each in self.transfers]),
            ("leg", ENTRIES.c.keys(), self.entries),
            ("account", _BALANCE, [each for each in self.accounts.values() if each.id in moved]),
        )
        named = {
            f"{prefix}_{name}": column
            for prefix, names, of in columns
            for name, column in arrays(names, of).items()
        }
        await store.POST.run(self.tx, **named)

    def _lot(self, account: HeldAccount, policy: LotPolicy | None, may_have_ended: bool) -> Lot | None:
        """The lot that what is earned now goes into; None for what is in none."""
        if policy is None or policy.is_plain:
            return None
        of = ids.uuid7(self.tx.now), account.id, account.name, policy, self.tx.now, account.zone
        return self.alike(Lot.earned(*of, may_have_ended=may_have_ended))

    def alike(self, new: Lot) -> Lot:
        return next((lot for lot in self.lots[new.account_id] if new.is_like(lot)), new)

    def put(self, transfer: Transfer, lot: Lot, amount: int) -> None:
        lot.put(amount, self.tx.now)
        if all(lot is not each for each in self.lots[lot.account_id]):
            self.lots[lot.account_id].append(lot)
        self._note(transfer, lot, amount)

    def take(self, transfer: Transfer, account: Account, amount: int) -> None:
        if amount:
            for lot, part in rules.taken(self.lots[account.id], amount, self.tx.now):
                self.move(transfer, lot, -part)

    def _note(self, transfer: Transfer, lot: Lot, amount: int) -> None:
        self.changed[lot.id] = lot
        self.allocated[transfer.id, lot.id] += amount


def _row(transfer: Transfer) -> dict[str, Any]:
    counted = {"leg_count": len(transfer.amounts)}
    return counted | {c.name: getattr(transfer, c.name) for c in TRANSFERS.c if c.name not in counted}
