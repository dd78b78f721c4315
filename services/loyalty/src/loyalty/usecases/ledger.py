"""Moving units."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from chassis import ids
from chassis.api.entities import found
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import fact_of
from loyalty.domain.facts import GoodwillReversed, TransferPosted, TransferReversed
from loyalty.domain.ledger import Account, Leg, Transfer, check_legs, post
from loyalty.names import TRANSFER
from loyalty.store.goodwill import REVERSE_GOODWILL
from loyalty.store.ledger import GET_REVERSAL, GET_TRANSFER, LEG_COLUMNS, LOCK_ACCOUNTS, POST


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
    accounts, amounts = map(list, zip(*legs, strict=True))
    transfer = Transfer(transfer_id or ids.uuid7(tx.now), accounts, amounts, reason_code, None, tx.id, tx.now)
    return await _post(tx, transfer, await _locked(tx, accounts), caused_by)


async def reverse_transfer(tx: Transaction, *, transfer_id: UUID, reason_code: str) -> Transfer:
    """Undo a transfer, once; the goodwill that it moved is then as if it had never been.

    NotFound; FailedPrecondition `ALREADY_REVERSED`, `IS_REVERSAL`, or `INSUFFICIENT_BALANCE` when what was
    got is spent.
    """
    original = await found(tx, TRANSFER, GET_TRANSFER, transfer_id)
    # Before looking, so that of two reversals the second sees the first.
    accounts = await _locked(tx, original.accounts)
    again = await GET_REVERSAL.maybe(tx, id=transfer_id) is not None
    reversal = original.reversal(ids.uuid7(tx.now), reason_code, tx.id, tx.now, again)
    caused_by = None
    for goodwill in await REVERSE_GOODWILL.all(tx, transfer=transfer_id, at=tx.now):
        fact = fact_of(GoodwillReversed, goodwill, points=goodwill.amount)
        caused_by = tx.record(fact, version=goodwill.version)
    return await _post(tx, reversal, accounts, caused_by)


async def _locked(tx: Transaction, names: Iterable[str]) -> dict[str, Account]:
    names = list(names)
    accounts = {account.name: account for account in await LOCK_ACCOUNTS.all(tx, names=names)}
    for name in names:
        if name not in accounts:
            raise NotFound(name)
    return accounts


async def _post(
    tx: Transaction, transfer: Transfer, accounts: dict[str, Account], caused_by: UUID | None = None
) -> Transfer:
    entries = post(transfer, accounts)
    await POST.run(
        tx,
        transfer_id=transfer.id,
        leg_count=len(entries),
        reason=transfer.reason_code,
        reversed_id=transfer.reverses_id,
        cause_id=transfer.cause_id,
        at=transfer.post_time,
        **{f"leg_{name}": [getattr(entry, name) for entry in entries] for name in LEG_COLUMNS},
    )
    told: dict[str, Any] = {"transfer": TRANSFER.format(transfer.id), "reason_code": transfer.reason_code}
    if transfer.reverses_id:
        told["reverses"] = TRANSFER.format(transfer.reverses_id)
    kind = TransferReversed if transfer.reverses_id else TransferPosted
    for name, entry in zip(transfer.accounts, entries, strict=True):
        if accounts[name].customer_id is not None:
            fact = fact_of(kind, accounts[name], amount=entry.amount, account_version=entry.version, **told)
            tx.record(fact, version=entry.version, caused_by=caused_by)
    return transfer
