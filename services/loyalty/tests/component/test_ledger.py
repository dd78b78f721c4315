"""Posting, reversing and reading points, through the real service."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import pytest

from rapport.loyalty.v1.ledger_service_pb2 import (
    BatchGetAccountsRequest,
    GetTransferRequest,
    ListTransfersRequest,
    PostTransferRequest,
    ReverseTransferRequest,
)
from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.running import Running, reason, refusal

pytestmark = pytest.mark.together

MAIN = "programs/main"
ISSUED, REDEEMED = f"{MAIN}/accounts/points-issued", f"{MAIN}/accounts/points-redeemed"
NOBODY = f"{MAIN}/accounts/{uuid4()}"


def moved(transfer: Any) -> list[tuple[str, int]]:
    return [(leg.account, leg.amount) for leg in transfer.legs]


async def test_points_move_between_two_accounts_and_are_told(running: Running, desk: Any) -> None:
    member = await desk.join()
    (account,) = await desk.accounts_of(member.name)
    transfer = await desk.ledger.PostTransfer(desk.posting(ISSUED, account.name, 250))
    assert moved(transfer) == [(ISSUED, -250), (account.name, 250)]
    assert await desk.ledger.GetTransfer(GetTransferRequest(name=transfer.name)) == transfer
    assert await desk.points(account.name, ISSUED) == [250, -250]
    joined, posted = await running.published()
    assert (joined.resource, joined.data.program) == (member.name, MAIN)
    assert (posted.type, posted.resource) == ("rapport.loyalty.v1.TransferPosted", account.name)
    told = posted.data
    assert (told.customer, told.program, told.membership) == (member.customer, MAIN, member.name)
    assert (told.unit, told.transfer) == (f"{MAIN}/units/points", transfer.name)
    assert (told.amount, told.balance, told.account_version, posted.version) == (250, 250, 1, 1)


async def test_a_transfer_says_when_the_customer_view_will_hold_it(running: Running, desk: Any) -> None:
    member = await desk.member()
    call = desk.ledger.PostTransfer(desk.posting(ISSUED, member, 1))
    metadata = dict(await call.trailing_metadata())
    _, posted = await running.published()
    assert metadata["consistency-token"] == f"loyalty:v1.TransferPosted={posted.id}"


async def test_a_transfer_between_members_is_told_for_both(running: Running, desk: Any) -> None:
    giver, getter = await desk.member(100), await desk.member()
    await desk.ledger.PostTransfer(desk.posting(giver, getter, 40))
    told = [
        (fact.resource, fact.data.amount, fact.data.balance)
        for fact in await running.published()
        if fact.type.endswith("TransferPosted")
    ]
    assert told == [(giver, 100, 100), (giver, -40, 60), (getter, 40, 40)]


async def test_a_transfer_of_many_legs_moves_all_or_nothing_and_is_undone_whole(
    running: Running, desk: Any
) -> None:
    one, two, three = await desk.member(100), await desk.member(50), await desk.member()
    split = desk.transfer((one, -60), (two, -20), (three, 70), (REDEEMED, 10))
    transfer = await desk.ledger.PostTransfer(split)
    assert await desk.points(one, two, three, REDEEMED) == [40, 30, 70, 10]
    broke = desk.transfer((one, -40), (two, -31), (three, 71))
    assert (await refusal(desk.ledger.PostTransfer(broke)))[1] == "INSUFFICIENT_BALANCE"
    assert await desk.points(one, two, three) == [40, 30, 70]
    undo = ReverseTransferRequest(name=transfer.name, reason_code="mistake", request_id=str(uuid4()))
    reversal = await desk.ledger.ReverseTransfer(undo)
    assert moved(reversal) == [(one, 60), (two, 20), (three, -70), (REDEEMED, -10)]
    assert await desk.points(one, two, three, REDEEMED) == [100, 50, 0, 0]
    undone = [f for f in await running.published() if f.type.endswith("TransferReversed")]
    assert [(f.resource, f.version, f.data.amount) for f in undone] == [
        (one, 3, 60),
        (two, 3, 20),
        (three, 2, -70),
    ]


async def test_transfers_of_many_legs_at_once_do_not_block_each_other(desk: Any) -> None:
    members = [await desk.member(100) for _ in range(4)]
    rounds = [
        desk.transfer(*((member, -3 if i == n % 4 else 1) for i, member in enumerate(order)))
        for n in range(20)
        for order in (members, members[::-1])
    ]
    await asyncio.gather(*(desk.insist(desk.ledger.PostTransfer, request) for request in rounds))
    assert await desk.points(*members) == [100] * 4


async def test_of_many_spends_of_one_balance_exactly_one_succeeds(desk: Any) -> None:
    member = await desk.member(100)
    spends = [desk.insist(desk.ledger.PostTransfer, desk.posting(member, REDEEMED, 100)) for _ in range(40)]
    outcomes = await asyncio.gather(*spends, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, grpc.aio.AioRpcError)]
    assert {reason(error) for error in refused} == {"INSUFFICIENT_BALANCE"}
    assert len(refused) == 39
    assert await desk.points(member, REDEEMED) == [0, 100]


async def test_transfers_in_both_directions_at_once_do_not_block_each_other(desk: Any) -> None:
    one, other = await desk.member(100), await desk.member(100)
    there = [desk.insist(desk.ledger.PostTransfer, desk.posting(one, other, 1)) for _ in range(20)]
    back = [desk.insist(desk.ledger.PostTransfer, desk.posting(other, one, 1)) for _ in range(20)]
    await asyncio.gather(*there, *back)
    assert await desk.points(one, other) == [100, 100]


async def test_a_repeated_request_moves_points_once_and_gets_the_same_answer(desk: Any) -> None:
    member = await desk.member(100)
    request = desk.posting(member, REDEEMED, 100)
    answers = await asyncio.gather(*[desk.insist(desk.ledger.PostTransfer, request) for _ in range(5)])
    assert len({answer.name for answer in answers}) == 1
    assert await desk.points(member) == [0]


async def test_a_request_id_used_for_another_request_is_refused(desk: Any) -> None:
    member = await desk.member(100)
    request = desk.posting(member, REDEEMED, 10)
    await desk.ledger.PostTransfer(request)
    request.transfer.legs[0].amount, request.transfer.legs[1].amount = -11, 11
    assert await refusal(desk.ledger.PostTransfer(request)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REUSED",
    )


WRONG_TRANSFERS: list[tuple[list[tuple[str, int]], str]] = [
    ([(ISSUED, 0), (REDEEMED, 5)], "INVALID_NUMBER"),
    ([(ISSUED, -1_000_000_001), (REDEEMED, 1_000_000_001)], "INVALID_NUMBER"),
    ([(ISSUED, -5), (ISSUED, 5)], "REPEATED_ACCOUNT"),
    ([(ISSUED, -5), (REDEEMED, 4)], "UNBALANCED"),
    ([(ISSUED, -5)], "INVALID_NUMBER"),
    ([], "REQUIRED"),
    ([(ISSUED, 1)] * 101, "TOO_LONG"),
    ([(ISSUED, -5), (f"{MAIN}/members/1", 5)], "INVALID_NAME"),
    ([(ISSUED, -5), ("", 5)], "REQUIRED"),
]


async def test_a_wrong_transfer_is_refused(desk: Any) -> None:
    for legs, expected in WRONG_TRANSFERS:
        outcome = await refusal(desk.ledger.PostTransfer(desk.transfer(*legs)))
        assert (legs, *outcome) == (legs, grpc.StatusCode.INVALID_ARGUMENT, expected)
    for code, expected in (("", "REQUIRED"), ("No Code", "INVALID_CODE")):
        request = desk.transfer((ISSUED, -5), (REDEEMED, 5), reason_code=code)
        outcome = await refusal(desk.ledger.PostTransfer(request))
        assert outcome == (grpc.StatusCode.INVALID_ARGUMENT, expected)


async def test_a_transfer_without_request_id_is_refused(desk: Any) -> None:
    request = PostTransferRequest(transfer=desk.posting(ISSUED, REDEEMED, 5).transfer)
    assert await refusal(desk.ledger.PostTransfer(request)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REQUIRED",
    )


async def test_an_account_that_does_not_exist_is_refused(desk: Any) -> None:
    expected = (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    assert await refusal(desk.ledger.PostTransfer(desk.posting(ISSUED, NOBODY, 5))) == expected
    several = BatchGetAccountsRequest(parent=MAIN, names=[ISSUED, NOBODY])
    assert await refusal(desk.ledger.BatchGetAccounts(several)) == expected


async def test_a_caller_who_may_only_read_cannot_move_points(running: Running, desk: Any) -> None:
    reader: Any = running.stub(LedgerServiceStub, permissions=["loyalty.transfers.read"])
    assert await refusal(reader.PostTransfer(desk.posting(ISSUED, REDEEMED, 5))) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED",
    )


@pytest.mark.alone("all there is is counted")
async def test_a_reversal_moves_the_points_back_once(running: Running, desk: Any) -> None:
    member = await desk.member()
    transfer = await desk.ledger.PostTransfer(desk.posting(ISSUED, member, 30))
    reversals = [
        desk.insist(
            desk.ledger.ReverseTransfer,
            ReverseTransferRequest(name=transfer.name, reason_code="mistake", request_id=str(uuid4())),
        )
        for _ in range(10)
    ]
    outcomes = await asyncio.gather(*reversals, return_exceptions=True)
    (reversal,) = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, grpc.aio.AioRpcError)]
    assert [reason(error) for error in refused] == ["ALREADY_REVERSED"] * 9
    assert (reversal.reverses, moved(reversal)) == (transfer.name, [(ISSUED, 30), (member, -30)])
    assert await desk.points(member, ISSUED) == [0, 0]
    fact = (await running.published())[-1]
    assert fact.type == "rapport.loyalty.v1.TransferReversed"
    assert (fact.data.reverses, fact.data.balance, fact.data.account_version) == (transfer.name, 0, 2)


async def test_points_that_are_spent_cannot_be_taken_back(desk: Any) -> None:
    member = await desk.member()
    transfer = await desk.ledger.PostTransfer(desk.posting(ISSUED, member, 30))
    await desk.ledger.PostTransfer(desk.posting(member, REDEEMED, 1))
    request = ReverseTransferRequest(name=transfer.name, reason_code="mistake", request_id=str(uuid4()))
    assert await refusal(desk.ledger.ReverseTransfer(request)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "INSUFFICIENT_BALANCE",
    )


async def test_a_transfer_that_does_not_exist_cannot_be_reversed(desk: Any) -> None:
    request = ReverseTransferRequest(name=f"transfers/{uuid4()}", reason_code="x", request_id=str(uuid4()))
    assert await refusal(desk.ledger.ReverseTransfer(request)) == (
        grpc.StatusCode.NOT_FOUND,
        "RESOURCE_NOT_FOUND",
    )


@pytest.mark.alone("all there is is counted")
async def test_balances_come_in_the_order_asked_with_repeats(desk: Any) -> None:
    members = [await desk.member(points) for points in (1, 2, 3)]
    asked = [members[2], members[0], members[2], ISSUED, members[1]]
    assert await desk.points(*asked) == [3, 1, 3, -6, 2]


async def test_balances_of_none_or_too_many_accounts_are_refused(desk: Any) -> None:
    for count, expected in ((0, "REQUIRED"), (1001, "TOO_LONG")):
        request = BatchGetAccountsRequest(parent=MAIN, names=[ISSUED] * count)
        call = desk.ledger.BatchGetAccounts(request)
        assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, expected)


async def test_transfers_are_listed_newest_first_page_by_page(desk: Any) -> None:
    member = await desk.member(100)
    for points in (1, 2, 3, 4):
        await desk.ledger.PostTransfer(desk.posting(member, REDEEMED, points))
    seen, token = [], ""
    while True:
        page = await desk.ledger.ListTransfers(
            ListTransfersRequest(filter=f'account = "{member}"', page_size=2, page_token=token)
        )
        assert len(page.transfers) <= 2
        seen += [moved(transfer) for transfer in page.transfers]
        token = page.next_page_token
        if not token:
            break
    spent = [[(member, -p), (REDEEMED, p)] for p in (4, 3, 2, 1)]
    assert seen == [*spent, [(ISSUED, -100), (member, 100)]]


async def test_a_wrong_page_is_refused(desk: Any) -> None:
    member = await desk.member(10)
    await desk.ledger.PostTransfer(desk.posting(member, REDEEMED, 1))
    mine, of_the_program = f'account = "{member}"', f'account = "{ISSUED}"'
    first = await desk.ledger.ListTransfers(ListTransfersRequest(filter=mine, page_size=1))
    negative = ListTransfersRequest(filter=mine, page_size=-1)
    foreign = ListTransfersRequest(filter=of_the_program, page_size=1, page_token=first.next_page_token)
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert await refusal(desk.ledger.ListTransfers(negative)) == (invalid, "INVALID_PAGE_SIZE")
    assert await refusal(desk.ledger.ListTransfers(foreign)) == (invalid, "INVALID_PAGE_TOKEN")


@pytest.mark.parametrize(
    "wrong",
    ["", "account = a OR account = b", "account != a", "-account = a", "account:*", "reason_code = x"],
)
async def test_transfers_are_listed_of_one_account(desk: Any, wrong: str) -> None:
    nobodys = await desk.ledger.ListTransfers(ListTransfersRequest(filter=f"account = {NOBODY}"))
    assert not nobodys.transfers
    refused = await refusal(desk.ledger.ListTransfers(ListTransfersRequest(filter=wrong)))
    assert refused[0] == grpc.StatusCode.INVALID_ARGUMENT


INSERT = "INSERT INTO transfers VALUES (gen_random_uuid(), 2, 'x', NULL, gen_random_uuid(), now())"
NEW = f"WITH t AS ({INSERT} RETURNING id)"
FALSIFICATIONS = [
    "UPDATE entries SET amount = amount + 1",
    "DELETE FROM entries",
    "UPDATE transfers SET reason_code = 'x'",
    "DELETE FROM transfers",
    "TRUNCATE transfers CASCADE",
    "DELETE FROM accounts",
    "UPDATE accounts SET balance = balance + 1",
    "UPDATE accounts SET version = version + 1",
    # A transfer without legs, and more legs of one that has two.
    INSERT,
    """WITH moved AS (UPDATE accounts a SET version = a.version + 1, balance = a.balance + e.amount
           FROM entries e WHERE e.account_id = a.id)
       INSERT INTO entries
       SELECT account_id, version + 1, transfer_id, leg + 2, amount, balance + amount FROM entries""",
    # Two legs of a new transfer that add up to zero, on balances that nobody has.
    f"{NEW} INSERT INTO entries SELECT account_id, version + 1, t.id, leg, amount, balance FROM entries, t",
    # The same on the right balances, which the accounts are not told.
    f"""{NEW} INSERT INTO entries
        SELECT account_id, version + 1, t.id, leg, amount, balance + amount FROM entries, t""",
    # On the right balances that the accounts are told, with legs that do not add up.
    f"""{NEW}, moved AS (UPDATE accounts SET version = version + 1, balance = balance + 1
            WHERE version > 0)
        INSERT INTO entries SELECT account_id, version + 1, t.id, leg, 1, balance + 1 FROM entries, t""",
]


async def undisturbed(connection: asyncpg.Connection, sql: str) -> None:
    """Execute, again where the service's clock had locked the same tables in another order."""
    while True:
        with suppress(asyncpg.DeadlockDetectedError):
            await connection.execute(sql)
            return


async def test_the_database_itself_refuses_what_would_falsify_the_ledger(
    running: Running, desk: Any, infrastructure: Infrastructure
) -> None:
    """Whoever writes it, and by triggers; the service's own role may not even try most of it."""
    await desk.member(100)
    async with infrastructure.superuser(running.db._url) as connection:
        for sql in FALSIFICATIONS:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await undisturbed(connection, sql)
