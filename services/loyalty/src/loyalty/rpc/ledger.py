"""The gRPC service of the ledger."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.filters import parse
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.errors import NotFound, invalid
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.names import ACCOUNT, PROGRAM, TRANSFER
from loyalty.store import ledger as store
from loyalty.store.programs import GET_PROGRAM
from loyalty.usecases.ledger import post_transfer, reverse_transfer
from loyalty.usecases.programs import create_account
from rapport.common.v1 import explanation_pb2
from rapport.loyalty.v1 import ledger_service_pb2 as pb
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceServicer
from rapport.loyalty.v1.transfer_pb2 import Transfer


def _of_parent(check: Check, request: pb.BatchGetAccountsRequest, now: datetime) -> None:
    for i, name in enumerate(request.names):
        if not name.startswith(f"{request.parent}/"):
            check.refuse(f"names[{i}]", "INVALID_NAME", "must be of the program that is the parent")


class LedgerRpc(Rpc, LedgerServiceServicer):
    """Accounts, and what moves between them."""

    rules: ClassVar[Rules] = {pb.BatchGetAccountsRequest: _of_parent}

    PostTransfer = change(pb.PostTransferRequest, post_transfer, Transfer)
    ReverseTransfer = change(pb.ReverseTransferRequest, reverse_transfer, Transfer)
    GetTransfer = get(TRANSFER, store.GET_TRANSFER, Transfer)
    CreateAccount = change(pb.CreateAccountRequest, create_account, Account)
    GetAccount = get(ACCOUNT, store.GET_ACCOUNT, Account)
    ListAccounts = listing(pb.ListAccountsResponse, store.LIST_ACCOUNTS, parent=(PROGRAM, GET_PROGRAM))
    ExplainAccount = explain(ACCOUNT, store.GET_ACCOUNT, Account)

    async def ExplainTransfer(
        self, request: pb.ExplainTransferRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Why units moved: the fact is told of each member's account; without one, who moved them."""
        transfer = await found(self.db, TRANSFER, store.GET_TRANSFER, *TRANSFER.parse(request.name))
        told = await store.TOLD_OF.maybe(self.db, id=transfer.id)
        why: Any = {"fact": (told["name"], told["version"])} if told else {"event": transfer.cause_id}
        return await self.explainer.explain(request, to_message(Transfer, transfer), **why)

    async def ListTransfers(self, request: pb.ListTransfersRequest, context: Any) -> pb.ListTransfersResponse:
        """The transfers of an account, newest first."""
        asked = parse(request.filter, store.BY_ACCOUNT)
        if asked.shape not in ("account=$1", "account:$1"):
            raise invalid("filter", "INVALID_FILTER", f'must be account = "{ACCOUNT}"')
        accounts = await store.GET_ACCOUNTS.all(self.db, names=list(asked.params.values()))
        show, account_id = partial(to_message, Transfer), accounts[0].id if accounts else None
        page, token = await store.LIST_TRANSFERS.page(self.db, request, show, account_id=account_id)
        return pb.ListTransfersResponse(transfers=page, next_page_token=token)

    async def BatchGetAccounts(
        self, request: pb.BatchGetAccountsRequest, context: Any
    ) -> pb.BatchGetAccountsResponse:
        """Accounts of a program, in the order asked."""
        names = list(set(request.names))
        accounts = {a.name: a for a in await store.GET_ACCOUNTS.all(self.db, names=names)}
        for name in request.names:
            if name not in accounts:
                raise NotFound(name)
        return pb.BatchGetAccountsResponse(
            accounts=[to_message(Account, accounts[name]) for name in request.names]
        )
