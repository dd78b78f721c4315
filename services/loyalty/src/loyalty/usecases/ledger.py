"""Posting and reversing transfers."""

from dataclasses import dataclass
from uuid import UUID

from chassis import ids
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from loyalty.domain.facts import TransferPosted, TransferReversed
from loyalty.domain.ledger import (
    Account,
    AccountKey,
    AccountNotFound,
    Entry,
    Transfer,
    already_reversed,
    post,
)
from loyalty.names import CUSTOMER, TRANSFER
from loyalty.store.ledger import GET_REVERSAL, GET_TRANSFER, LOCK_ACCOUNTS, POST


@dataclass(frozen=True, slots=True)
class PostTransfer:
    """Move points from `debit` to `credit`, as the transfer `id`, or one chosen here."""

    debit: AccountKey
    credit: AccountKey
    points: int
    reason_code: str
    id: UUID | None = None
    caused_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A transfer, and both accounts after it."""

    transfer: Transfer
    debit: Account
    credit: Account


async def post_transfer(tx: Transaction, command: PostTransfer) -> Posted:
    """Move points.

    NotFound `ACCOUNT_NOT_FOUND`, InvalidArgument `SAME_ACCOUNT`, FailedPrecondition `INSUFFICIENT_POINTS`.
    """
    transfer = Transfer(
        id=command.id or ids.uuid7(tx.now),
        debit_account_id=command.debit.id,
        credit_account_id=command.credit.id,
        points=command.points,
        reason_code=command.reason_code,
        reverses=None,
        post_time=tx.now,
    )
    accounts = await _locked(tx, transfer)
    for key in (command.debit, command.credit):
        if key.id not in accounts:
            raise AccountNotFound(key.name)
    return await _post(tx, transfer, accounts, command.caused_by)


async def reverse_transfer(tx: Transaction, transfer_id: UUID, reason_code: str) -> Posted:
    """Undo a transfer, once.

    NotFound; FailedPrecondition `ALREADY_REVERSED`, or `INSUFFICIENT_POINTS` when the points are spent.
    """
    name = TRANSFER.format(transfer_id)
    original = await GET_TRANSFER.maybe(tx, id=transfer_id)
    if original is None:
        raise NotFound(name)
    reversal = original.reversal(ids.uuid7(tx.now), reason_code, tx.now)
    # Before looking, so that of two reversals the second sees the first.
    accounts = await _locked(tx, reversal)
    if await GET_REVERSAL.maybe(tx, id=transfer_id):
        raise already_reversed(name)
    return await _post(tx, reversal, accounts)


async def _locked(tx: Transaction, transfer: Transfer) -> dict[UUID, Account]:
    account_ids = [transfer.debit_account_id, transfer.credit_account_id]
    return {account.id: account for account in await LOCK_ACCOUNTS.all(tx, ids=account_ids)}


async def _post(
    tx: Transaction, transfer: Transfer, accounts: dict[UUID, Account], caused_by: UUID | None = None
) -> Posted:
    debit, credit = accounts[transfer.debit_account_id], accounts[transfer.credit_account_id]
    legs = post(transfer, debit, credit)
    await POST.run(
        tx,
        transfer_id=transfer.id,
        reason=transfer.reason_code,
        reversed_id=transfer.reverses,
        at=transfer.post_time,
        leg_account_id=[leg.account_id for leg in legs],
        leg_version=[leg.version for leg in legs],
        leg_points=[leg.points for leg in legs],
        leg_balance=[leg.balance for leg in legs],
    )
    for account, leg in zip((debit, credit), legs, strict=True):
        if account.customer_id is not None:
            tx.record(_fact(transfer, account.customer_id, leg), version=1, caused_by=caused_by)
    return Posted(transfer, debit, credit)


def _fact(transfer: Transfer, customer_id: UUID, leg: Entry) -> TransferPosted | TransferReversed:
    """What one member's leg tells the others."""
    name, customer = TRANSFER.format(transfer.id), CUSTOMER.format(customer_id)
    if transfer.reverses is not None:
        return TransferReversed(
            transfer=name,
            customer=customer,
            reverses=TRANSFER.format(transfer.reverses),
            points_balance=leg.balance,
            balance_version=leg.version,
        )
    return TransferPosted(
        transfer=name,
        customer=customer,
        points=leg.points,
        points_balance=leg.balance,
        balance_version=leg.version,
        reason_code=transfer.reason_code,
    )
