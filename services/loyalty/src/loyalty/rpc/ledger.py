"""The gRPC service of the ledger."""

from typing import Any

from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from loyalty.domain.ledger import LEGS_MAX, Account, Leg, Transfer
from loyalty.names import ACCOUNT, MEMBERSHIP, PROGRAM, TRANSFER, UNIT
from loyalty.store.ledger import GET_ACCOUNTS, GET_TRANSFER, LIST_ACCOUNTS, LIST_TRANSFERS
from loyalty.usecases.ledger import post_transfer, reverse_transfer
from loyalty.usecases.memberships import create_account
from rapport.loyalty.v1 import account_pb2, ledger_service_pb2, ledger_service_pb2_grpc, transfer_pb2


class LedgerRpc(ledger_service_pb2_grpc.LedgerServiceServicer):
    """Accounts, and what moves between them."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def PostTransfer(
        self, request: ledger_service_pb2.PostTransferRequest, tx: Transaction
    ) -> transfer_pb2.Transfer:
        """Move units."""
        check = Check("transfer.")
        legs = check.batch(request.transfer.legs, "legs", most=LEGS_MAX)
        for i, leg in enumerate(legs):
            check.name(ACCOUNT, leg.account, f"legs[{i}].account")
        reason_code = check.code(request.transfer.reason_code, "reason_code")
        check.raise_if_any()
        moves = [Leg(leg.account, leg.amount) for leg in legs]
        return _transfer(await post_transfer(tx, moves, reason_code))

    @mutation
    async def ReverseTransfer(
        self, request: ledger_service_pb2.ReverseTransferRequest, tx: Transaction
    ) -> transfer_pb2.Transfer:
        """Undo a transfer."""
        check = Check()
        (transfer_id,) = check.name(TRANSFER, request.name, "name")
        reason_code = check.code(request.reason_code, "reason_code")
        check.raise_if_any()
        return _transfer(await reverse_transfer(tx, transfer_id, reason_code))

    async def GetTransfer(
        self, request: ledger_service_pb2.GetTransferRequest, context: Any
    ) -> transfer_pb2.Transfer:
        """One transfer."""
        (transfer_id,) = TRANSFER.parse(request.name)
        transfer = await GET_TRANSFER.maybe(self.db, id=transfer_id)
        if transfer is None:
            raise NotFound(request.name)
        return _transfer(transfer)

    async def ListTransfers(
        self, request: ledger_service_pb2.ListTransfersRequest, context: Any
    ) -> ledger_service_pb2.ListTransfersResponse:
        """The transfers of an account, newest first."""
        account = await self._account(request.parent, "parent")
        found, token = await LIST_TRANSFERS.page(self.db, request, _transfer, account_id=account.id)
        return ledger_service_pb2.ListTransfersResponse(transfers=found, next_page_token=token)

    @mutation
    async def CreateAccount(
        self, request: ledger_service_pb2.CreateAccountRequest, tx: Transaction
    ) -> account_pb2.Account:
        """Open a member's account."""
        check = Check()
        (program,) = check.name(PROGRAM, request.parent, "parent")
        within = check.at("account")
        of_member, membership_id = within.name(MEMBERSHIP, request.account.membership, "membership")
        of_unit, unit = within.name(UNIT, request.account.unit, "unit")
        for field, of in (("membership", of_member), ("unit", of_unit)):
            if program and of not in (None, program):
                within.refuse(field, "INVALID_NAME", "must be of the same program as the account")
        check.raise_if_any()
        return _account(await create_account(tx, program, membership_id, unit))

    async def GetAccount(
        self, request: ledger_service_pb2.GetAccountRequest, context: Any
    ) -> account_pb2.Account:
        """One account."""
        return _account(await self._account(request.name, "name"))

    async def BatchGetAccounts(
        self, request: ledger_service_pb2.BatchGetAccountsRequest, context: Any
    ) -> ledger_service_pb2.BatchGetAccountsResponse:
        """Accounts of a program, in the order asked."""
        check = Check()
        (program,) = check.name(PROGRAM, request.parent, "parent")
        for i, name in enumerate(check.batch(request.names, "names")):
            (of, _) = check.name(ACCOUNT, name, f"names[{i}]")
            if program and of not in (None, program):
                check.refuse(f"names[{i}]", "INVALID_NAME", "must be of the program that is the parent")
        check.raise_if_any()
        accounts = {a.name: a for a in await GET_ACCOUNTS.all(self.db, names=list(set(request.names)))}
        for name in request.names:
            if name not in accounts:
                raise NotFound(name)
        return ledger_service_pb2.BatchGetAccountsResponse(
            accounts=[_account(accounts[name]) for name in request.names]
        )

    async def ListAccounts(
        self, request: ledger_service_pb2.ListAccountsRequest, context: Any
    ) -> ledger_service_pb2.ListAccountsResponse:
        """The accounts of a program by name."""
        (program,) = PROGRAM.parse(request.parent, "parent")
        found, token = await LIST_ACCOUNTS.page(self.db, request, _account, program=program)
        return ledger_service_pb2.ListAccountsResponse(accounts=found, next_page_token=token)

    async def _account(self, name: str, field: str) -> Account:
        ACCOUNT.parse(name, field)
        account = await GET_ACCOUNTS.maybe(self.db, names=[name])
        if account is None:
            raise NotFound(name)
        return account


def _account(account: Account) -> account_pb2.Account:
    return to_message(
        account_pb2.Account, account, unit=account.unit_name, membership=account.membership_name
    )


def _transfer(transfer: Transfer) -> transfer_pb2.Transfer:
    reverses = TRANSFER.format(transfer.reverses) if transfer.reverses else ""
    return to_message(transfer_pb2.Transfer, transfer, name=TRANSFER.format(transfer.id), reverses=reverses)
