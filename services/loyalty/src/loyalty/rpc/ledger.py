"""The gRPC service of the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from chassis.api.checks import Rules
from chassis.api.decoding import into
from chassis.api.entities import found
from chassis.api.filters import parse
from chassis.api.messages import moment, to_message
from chassis.api.pages import Page
from chassis.api.validation import Check
from chassis.api.wellknown import time_of
from chassis.context import Call
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, Refusal, invalid
from chassis.explain.explainer import explain
from chassis.grpc.ingest import ingest
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty import names
from loyalty.domain.ledger import Line, Order, check_legs
from loyalty.store import ledger as store
from loyalty.store.seals import NAMES
from loyalty.store.tables import GET_PROGRAM
from loyalty.usecases import accounts, posting
from loyalty.usecases.checks import verify
from loyalty.usecases.liability import liability
from loyalty.usecases.statements import account_at, journal_span, lines_of, spans
from loyalty.usecases.voucher_ends import reverse_posted
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.loyalty.v1 import ledger_service_pb2 as pb
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.entry_pb2 import Entry, JournalEntry
from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceServicer
from rapport.loyalty.v1.transfer_pb2 import Transfer

# Longer than a transaction lasts: what is posted now has a time from its beginning.
SETTLED = timedelta(seconds=30)
_OPENED = {Account.TYPE_PARTNER, Account.TYPE_ISSUER}
_order = into(Transfer, Order)


def _of_parent(check: Check, request: pb.BatchGetAccountsRequest, now: datetime) -> None:
    for i, name in enumerate(request.names):
        if not name.startswith(f"{request.parent}/"):
            check.refuse(f"names[{i}]", "INVALID_NAME", "must be of the program that is the parent")


def _settled(check: Check, request: pb.GetAccountRequest, now: datetime) -> None:
    read = time_of(request, "read_time")
    if read and read > now - SETTLED:
        check.refuse(
            "read_time", "INVALID_TIME", f"must be at least {SETTLED.seconds} seconds ago, or absent"
        )


def _in_order(
    check: Check, request: pb.ListEntriesRequest | pb.ListJournalEntriesRequest, now: datetime
) -> None:
    start, end = time_of(request, "start_time"), time_of(request, "end_time")
    if start and end and start > end:
        check.refuse("end_time", "INVALID_TIME", "must not be before start_time")


def _for_others(check: Check, request: pb.OpenAccountRequest, now: datetime) -> None:
    if request.type not in _OPENED:
        check.refuse("type", "INVALID_CODE", "must be TYPE_PARTNER or TYPE_ISSUER")


class LedgerRpc(Rpc, LedgerServiceServicer):
    """Accounts, and what moves between them."""

    rules: ClassVar[Rules] = {
        pb.BatchGetAccountsRequest: _of_parent,
        pb.GetAccountRequest: _settled,
        pb.ListEntriesRequest: _in_order,
        pb.ListJournalEntriesRequest: _in_order,
        pb.OpenAccountRequest: _for_others,
    }

    @ingest(lambda self, request, now: _checked(_order(request.transfer)))
    async def PostTransfer(
        self, orders: Sequence[Order], calls: Sequence[Call], tx: Transaction
    ) -> Sequence[Transfer | Refusal]:
        """Post transfers that arrived together."""
        outcomes = await posting.post_together(tx, orders, calls)
        return [each if isinstance(each, Refusal) else to_message(Transfer, each) for each in outcomes]

    ReverseTransfer = change(pb.ReverseTransferRequest, reverse_posted, Transfer)
    GetTransfer = get(names.TRANSFER, store.GET_TRANSFER, Transfer)
    CreateAccount = change(pb.CreateAccountRequest, accounts.create_account, Account)
    OpenAccount = change(pb.OpenAccountRequest, accounts.open_account, Account)
    ListAccounts = listing(pb.ListAccountsResponse, store.LIST_ACCOUNTS, parent=(names.PROGRAM, GET_PROGRAM))
    ExplainAccount = explain(names.ACCOUNT, store.GET_ACCOUNT, Account)

    async def GetAccount(self, request: pb.GetAccountRequest, context: Any) -> Account:
        """An account as it is, or as it was."""
        account = await found(self.db, names.ACCOUNT, store.GET_ACCOUNT, *names.ACCOUNT.parse(request.name))
        if request.HasField("read_time"):
            account = await account_at(self.db, account, moment(request.read_time))
        return to_message(Account, account)

    async def ExplainTransfer(self, request: pb.ExplainTransferRequest, context: Any) -> Explanation:
        """Why units moved: the fact is told of each member's account; without one, who moved them."""
        transfer = await found(
            self.db, names.TRANSFER, store.GET_TRANSFER, *names.TRANSFER.parse(request.name)
        )
        told = await store.TOLD_OF.maybe(self.db, id=transfer.id)
        why: Any = {"fact": (told["name"], told["version"])} if told else {"event": transfer.cause_id}
        return await self.explainer.explain(request, to_message(Transfer, transfer), **why)

    async def ListTransfers(self, request: pb.ListTransfersRequest, context: Any) -> pb.ListTransfersResponse:
        """The transfers of an account, newest first."""
        asked = parse(request.filter, store.BY_ACCOUNT)
        if asked.shape not in ("account=$1", "account:$1"):
            raise invalid("filter", "INVALID_FILTER", f'must be account = "{names.ACCOUNT}"')
        accounts = await store.GET_ACCOUNTS.all(self.db, names=list(asked.params.values()))
        of = await spans(self.db, accounts[0] if accounts else None)
        page, token = await lines_of(self.db, request, of, True, self._transfers)
        return pb.ListTransfersResponse(transfers=page, next_page_token=token)

    async def _transfers(self, lines: Sequence[Line]) -> list[Transfer]:
        asked = [line.transfer_id for line in lines]
        of = {each.id: each for each in await store.GET_TRANSFERS.all(self.db, ids=asked)}
        return [to_message(Transfer, of[line.transfer_id]) for line in lines]

    async def ListEntries(self, request: pb.ListEntriesRequest, context: Any) -> pb.ListEntriesResponse:
        """What moved an account in a time, and what it held before and after."""
        if request.order_by not in ("", "post_time", "post_time desc"):
            raise invalid("order_by", "INVALID_CODE", "must be empty, `post_time` or `post_time desc`")
        named = names.ACCOUNT.parse(request.parent, "parent")
        account = await found(self.db, names.ACCOUNT, store.GET_ACCOUNT, *named)
        of = await spans(self.db, account, time_of(request, "start_time"), time_of(request, "end_time"))

        async def show(lines: Sequence[Line]) -> list[Entry]:
            return [to_message(Entry, line) for line in lines]

        page, token = await lines_of(self.db, request, of, request.order_by != "post_time", show)
        return pb.ListEntriesResponse(
            entries=page,
            next_page_token=token,
            opening_balance=sum(each.opening for each in of),
            closing_balance=sum(each.closing for each in of),
            entry_count=sum(each.high - each.low for each in of),
        )

    async def ListJournalEntries(
        self, request: pb.ListJournalEntriesRequest, context: Any
    ) -> pb.ListJournalEntriesResponse:
        """The entries of a time. An id is from its transfer's beginning: none before those listed comes."""
        now, show = self.db.clock.now(), partial(to_message, JournalEntry)
        of = journal_span(time_of(request, "start_time"), time_of(request, "end_time"), now - SETTLED)
        page, token = await store.LIST_JOURNAL.page(self.db, request, show, **of._asdict())
        return pb.ListJournalEntriesResponse(journal_entries=page, next_page_token=token)

    async def CheckLedger(self, request: pb.CheckLedgerRequest, context: Any) -> pb.CheckLedgerResponse:
        """Whether entries are what they were when they were sealed."""
        page = Page(request, UUID, int, default_size=1000, size_max=5000)
        wrong, count, last = await verify(self.db, page.after, page.size)
        named = await NAMES.all(self.db, ids=[each.account_id for each in wrong])
        of = {each["id"]: each["name"] for each in named}
        return pb.CheckLedgerResponse(
            faults=[
                to_message(pb.CheckLedgerResponse.Fault, each, account=of[each.account_id]) for each in wrong
            ],
            next_page_token=page.next_token(last) if last else "",
            entry_count=count,
        )

    async def ReportLiability(self, request: pb.ReportLiabilityRequest, context: Any) -> pb.LiabilityReport:
        """What is owed in a unit."""
        program_id, unit_id = names.UNIT.parse(request.name)
        owed = await liability(self.db, program_id, unit_id, request.month_count)
        return to_message(pb.LiabilityReport, owed)

    async def BatchGetAccounts(
        self, request: pb.BatchGetAccountsRequest, context: Any
    ) -> pb.BatchGetAccountsResponse:
        """Accounts of a program, in the order asked."""
        asked = list(set(request.names))
        accounts = {a.name: a for a in await store.GET_ACCOUNTS.all(self.db, names=asked)}
        for name in request.names:
            if name not in accounts:
                raise NotFound(name)
        return pb.BatchGetAccountsResponse(
            accounts=[to_message(Account, accounts[name]) for name in request.names]
        )


def _checked(order: Order) -> Order:
    check_legs(order.legs)
    return order
