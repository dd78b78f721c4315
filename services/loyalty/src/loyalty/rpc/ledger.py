"""The gRPC service of the points ledger."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.grpc.mutation import mutation
from loyalty.domain.ledger import (
    POINTS_MAX,
    Account,
    AccountKey,
    AccountKind,
    AccountNotFound,
    AccountTransfer,
    Transfer,
)
from loyalty.names import TRANSFER, account_key
from loyalty.store.ledger import GET_ACCOUNTS, LIST_TRANSFERS
from loyalty.usecases.ledger import Posted, PostTransfer, post_transfer, reverse_transfer
from rapport.loyalty.v1 import ledger_pb2, ledger_service_pb2, ledger_service_pb2_grpc


class LedgerRpc(ledger_service_pb2_grpc.LedgerServiceServicer):
    """Posting, reversing and reading points."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def PostTransfer(
        self, request: ledger_service_pb2.PostTransferRequest, tx: Transaction
    ) -> ledger_pb2.Transfer:
        """Move points."""
        transfer, check = request.transfer, Check()
        command = PostTransfer(
            debit=_account(check, transfer.debit_account, "transfer.debit_account"),
            credit=_account(check, transfer.credit_account, "transfer.credit_account"),
            points=check.count(transfer.points, "transfer.points", least=1, most=POINTS_MAX),
            reason_code=check.code(transfer.reason_code, "transfer.reason_code"),
        )
        check.raise_if_any()
        return _posted(await post_transfer(tx, command))

    @mutation
    async def ReverseTransfer(
        self, request: ledger_service_pb2.ReverseTransferRequest, tx: Transaction
    ) -> ledger_pb2.Transfer:
        """Undo a transfer."""
        check = Check()
        (transfer_id,) = check.name(TRANSFER, request.name, "name")
        reason_code = check.code(request.reason_code, "reason_code")
        check.raise_if_any()
        return _posted(await reverse_transfer(tx, transfer_id, reason_code))

    async def GetBalances(
        self, request: ledger_service_pb2.GetBalancesRequest, context: Any
    ) -> ledger_service_pb2.GetBalancesResponse:
        """The balances of accounts, in the order asked."""
        check = Check()
        keys = [
            _account(check, name, f"accounts[{i}]")
            for i, name in enumerate(check.batch(request.accounts, "accounts"))
        ]
        check.raise_if_any()
        accounts = await self._accounts({key.id for key in keys})
        for key in keys:
            if key.id not in accounts:
                raise AccountNotFound(key.name)
        return ledger_service_pb2.GetBalancesResponse(
            balances=[to_message(ledger_pb2.Balance, accounts[key.id], account=key.name) for key in keys]
        )

    async def ListTransfers(
        self, request: ledger_service_pb2.ListTransfersRequest, context: Any
    ) -> ledger_service_pb2.ListTransfersResponse:
        """The transfers of an account, newest first."""
        check = Check()
        key = _account(check, request.account, "account")
        check.raise_if_any()
        if key.id not in await self._accounts({key.id}):
            raise AccountNotFound(key.name)
        transfers, token = await LIST_TRANSFERS.page_together(
            self.db, request, self._shown, account_id=key.id
        )
        return ledger_service_pb2.ListTransfersResponse(transfers=transfers, next_page_token=token)

    async def _shown(self, transfers: Sequence[AccountTransfer]) -> list[ledger_pb2.Transfer]:
        accounts = await self._accounts(
            {t.debit_account_id for t in transfers} | {t.credit_account_id for t in transfers}
        )
        return [_message(t, accounts[t.debit_account_id], accounts[t.credit_account_id]) for t in transfers]

    async def _accounts(self, account_ids: set[UUID]) -> dict[UUID, Account]:
        return {account.id: account for account in await GET_ACCOUNTS.all(self.db, ids=list(account_ids))}


def _account(check: Check, name: str, field: str) -> AccountKey:
    """The account that `name` names; a placeholder after a violation."""
    key = account_key(name)
    if not name:
        check.refuse(field, "REQUIRED", "must be given")
    elif key is None:
        check.refuse(
            field,
            "INVALID_NAME",
            "must be a name like programmes/{programme}/memberships/{membership}"
            " or programmes/{programme}/accounts/{issued|redeemed|goodwill}",
        )
    return key or AccountKey("main", AccountKind.ISSUED)


def _posted(posted: Posted) -> ledger_pb2.Transfer:
    return _message(posted.transfer, posted.debit, posted.credit)


def _message(transfer: Transfer, debit: Account, credit: Account) -> ledger_pb2.Transfer:
    return to_message(
        ledger_pb2.Transfer,
        transfer,
        name=TRANSFER.format(transfer.id),
        debit_account=debit.name,
        credit_account=credit.name,
        reverses=TRANSFER.format(transfer.reverses) if transfer.reverses else "",
    )
