"""Purchases that are nobody's until somebody claims them by a receipt, once."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal as Number

from chassis.api.messages import decimal, money
from chassis.grpc.status import refusal
from loyalty.usecases import purchases as usecases
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import (
    BatchRecordPurchasesRequest,
    ClaimPurchaseRequest,
    ClaimPurchaseResponse,
    GetPurchaseRequest,
    ListPurchasesRequest,
    Receipt,
    RecordPurchaseRequest,
    ReturnPurchaseRequest,
)
from rapport_testing.batches import standing
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, error_of, reason

Answer = ClaimPurchaseResponse

AT = Timestamp(seconds=1_770_000_000)  # 2026-02-02 02:40 UTC, 1 February in New York
CODE = "K7QF-2M9X-4TBD-8WRH"


def basket(amount: str = "30", **further: Any) -> Purchase:
    line = Purchase.Line(product="sku-1", quantity=Number(value="3"), amount=money(Decimal(amount), "USD"))
    given = {"reference": "4711", "store": "store-7", "purchase_time": AT} | further
    return Purchase(amount=money(Decimal(amount), "USD"), lines=[line], **given)


async def record(desk: Any, sent: Purchase, code: str = "") -> Purchase:
    request = RecordPurchaseRequest(purchase=sent, receipt_code=code, request_id=str(uuid4()))
    recorded: Purchase = await desk.purchases.RecordPurchase(request)
    return recorded


async def claim(desk: Any, of: str, code: str = "", **receipt: Any) -> ClaimPurchaseResponse:
    request = ClaimPurchaseRequest(customer=of, receipt_code=code, request_id=str(uuid4()))
    if not code:
        given = {"reference": "4711", "store": "store-7", "purchase_date": Date(year=2026, month=2, day=2)}
        request.receipt.CopyFrom(Receipt(**{"amount": money(Decimal(30), "USD")} | given | receipt))
    answer: ClaimPurchaseResponse = await desk.purchases.ClaimPurchase(request)
    return answer


def customer() -> str:
    return f"customers/{uuid4()}"


async def total(desk: Any, of: str) -> tuple[Decimal, int]:
    worth = await desk.worth(of)
    return (decimal(worth.reporting_value), worth.purchase_count) if worth else (Decimal(0), 0)


@pytest.mark.parametrize("typed", [CODE, CODE.lower(), CODE.replace("-", "")])
async def test_who_has_the_code_of_a_receipt_claims_the_purchase(
    desk: Any, running: Running, typed: str
) -> None:
    of = customer()
    nobodys = await record(desk, basket(), CODE)
    assert (nobodys.customer, await total(desk, of)) == ("", (0, 0))
    for _ in range(2):  # and again, as who lost the answer does
        answer = await claim(desk, of, typed)
        assert (answer.purchase.name, answer.purchase.customer, answer.tries_left) == (nobodys.name, of, 5)
        assert await total(desk, of) == (30, 1)
    facts = [(each.type.rpartition(".")[2], each.data) for each in await running.published()]
    assert [kind for kind, _ in facts] == ["PurchaseRecorded", "PurchaseCorrected", "CustomerValueChanged"]
    recorded, corrected, _ = (data for _, data in facts)
    assert (recorded.customer, corrected.customer, corrected.previous_customer) == ("", of, "")
    assert corrected.net_amount == corrected.previous_net_amount
    other = await claim(desk, customer(), typed)
    assert (other.HasField("purchase"), other.outcome, other.tries_left) == (False, Answer.OUTCOME_TAKEN, 4)
    page = await desk.purchases.ListPurchases(ListPurchasesRequest(filter=f'customer = "{of}"'))
    assert [each.name for each in page.purchases] == [nobodys.name]


async def test_of_twenty_who_claim_a_purchase_at_once_one_has_it(desk: Any) -> None:
    people = [customer() for _ in range(20)]
    await record(desk, basket(), CODE)
    answers = await asyncio.gather(*(claim(desk, of, CODE) for of in people))
    ((of, answer),) = [pair for pair in zip(people, answers, strict=True) if pair[1].HasField("purchase")]
    assert (answer.purchase.customer, answer.outcome) == (of, Answer.OUTCOME_CLAIMED)
    assert {each.outcome for each in answers if each is not answer} == {Answer.OUTCOME_TAKEN}
    assert sum([(await total(desk, of))[0] for of in people]) == 30


async def test_a_receipt_without_a_code_is_named_by_what_stands_on_it(desk: Any) -> None:
    nobodys = await record(desk, basket())
    wrong: list[dict[str, Any]] = [
        {"reference": "4712"},
        {"store": "store-8"},
        {"amount": money(Decimal("30.01"), "USD")},
        {"amount": money(Decimal(30), "EUR")},
    ]
    of = customer()
    for count, each in enumerate(wrong, start=1):
        answer = await claim(desk, of, **each)
        assert (answer.HasField("purchase"), answer.tries_left) == (False, 5 - count)
    there = {"purchase_date": Date(year=2026, month=2, day=1), "time_zone": "America/New_York"}
    assert (await claim(desk, of, **there)).purchase.name == nobodys.name
    assert (await claim(desk, of)).purchase.name == nobodys.name  # the same moment in UTC


async def test_two_purchases_with_one_receipt_are_for_a_person_to_tell_apart(desk: Any) -> None:
    for _ in range(2):
        await record(desk, basket())
    answer = await claim(desk, customer())
    assert (answer.HasField("purchase"), answer.outcome, answer.tries_left) == (
        False,
        Answer.OUTCOME_UNCLEAR,
        4,
    )


async def test_whether_others_bought_something_is_asked_five_times(desk: Any) -> None:
    of = customer()
    for number in ("1", "1", "2"):
        await record(desk, basket(reference=number, customer=customer() if number == "2" else ""))
    outcomes = [(await claim(desk, of, reference=number)).outcome for number in "12121"]
    assert outcomes == [Answer.OUTCOME_UNCLEAR, Answer.OUTCOME_TAKEN] * 2 + [Answer.OUTCOME_UNCLEAR]
    assert reason(await error_of(claim(desk, of, reference="2"))) == "TOO_MANY_TRIES"


async def test_after_five_wrong_tries_nothing_is_looked_for_until_a_day_later(
    desk: Any, clock: ManualClock
) -> None:
    of, other = customer(), customer()
    await record(desk, basket(), CODE)
    answers = [await claim(desk, of, f"WRONG-CODE-{i}-WRONG-CODE") for i in range(5)]
    assert [each.tries_left for each in answers] == [4, 3, 2, 1, 0]
    for code in (CODE, "WRONG-CODE-6-WRONG-CODE"):
        assert reason(await error_of(claim(desk, of, code))) == "TOO_MANY_TRIES"
    assert (await claim(desk, other, "WRONG-CODE-7-WRONG-CODE")).tries_left == 4
    clock.advance(timedelta(days=1))
    assert (await claim(desk, of, CODE)).purchase.customer == of


async def test_wrong_tries_at_once_are_no_more_than_five(desk: Any) -> None:
    of = customer()
    outcomes = await asyncio.gather(
        *(claim(desk, of, f"WRONG-CODE-{i:02}-WRONG-CODE") for i in range(12)), return_exceptions=True
    )
    assert sum(isinstance(each, ClaimPurchaseResponse) for each in outcomes) == 5


async def give_back(desk: Any, purchase: Purchase) -> Purchase:
    line = ReturnPurchaseRequest.Line(line=1, quantity=Number(value="1"))
    request = ReturnPurchaseRequest(name=purchase.name, lines=[line], request_id=str(uuid4()))
    returned: Purchase = await desk.purchases.ReturnPurchase(request)
    return returned


async def test_what_was_given_back_before_is_claimed_with_it_and_after_is_the_customers(desk: Any) -> None:
    of = customer()
    nobodys = await record(desk, basket(), CODE)
    before = await give_back(desk, nobodys)
    assert before.customer == ""
    await claim(desk, of, CODE)
    assert await total(desk, of) == (20, 1)
    after = await give_back(desk, nobodys)
    assert (after.customer, await total(desk, of)) == (of, (10, 1))
    again = await desk.purchases.GetPurchase(GetPurchaseRequest(name=before.name))
    assert (again.customer, again.etag) == (of, '"2"')


async def test_claims_and_returns_at_once_lose_nothing(desk: Any) -> None:
    of = customer()
    nobodys = await record(desk, basket(), CODE)
    await asyncio.gather(claim(desk, of, CODE), *(give_back(desk, nobodys) for _ in range(3)))
    assert await total(desk, of) == (0, 1)


async def test_a_row_that_is_sent_again_takes_nothing_from_who_claimed_it(desk: Any) -> None:
    of = customer()
    item = RecordPurchaseRequest(purchase=basket(), import_key="till:1", receipt_code=CODE)

    async def send() -> Purchase:
        request = BatchRecordPurchasesRequest(requests=[item], request_id=str(uuid4()))
        [purchase] = standing(await desk.purchases.BatchRecordPurchases(request))
        return purchase

    assert (await send()).customer == ""
    await claim(desk, of, CODE)
    assert ((await send()).customer, await total(desk, of)) == (of, (30, 1))
    item.purchase.store = "store-8"
    assert ((await send()).customer, await total(desk, of)) == (of, (30, 1))


async def test_a_row_that_is_sent_again_without_its_code_leaves_it_on_the_receipt(desk: Any) -> None:
    sent = basket()
    for code in ("", CODE, ""):
        sent.store += "0"
        item = RecordPurchaseRequest(purchase=sent, import_key="till:1", receipt_code=code)
        request = BatchRecordPurchasesRequest(requests=[item], request_id=str(uuid4()))
        await desk.purchases.BatchRecordPurchases(request)
    assert (await claim(desk, customer(), CODE)).outcome == Answer.OUTCOME_CLAIMED


async def test_a_row_that_is_sent_while_its_purchase_is_claimed_takes_nothing(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = customer()
    item = RecordPurchaseRequest(purchase=basket(), import_key="till:1", receipt_code=CODE)

    async def send() -> Purchase:
        request = BatchRecordPurchasesRequest(requests=[item], request_id=str(uuid4()))
        [purchase] = standing(await desk.purchases.BatchRecordPurchases(request))
        return purchase

    await send()
    read, go, correct = asyncio.Event(), asyncio.Event(), usecases.correct

    async def hold(*args: Any) -> Any:
        read.set()
        await go.wait()
        return await correct(*args)

    monkeypatch.setattr(usecases, "correct", hold)
    item.purchase.refunded_amount.CopyFrom(money(Decimal(5), "USD"))
    sending = asyncio.ensure_future(send())
    await read.wait()
    await claim(desk, of, CODE)
    go.set()
    assert ((await sending).customer, await total(desk, of)) == (of, (25, 1))


async def test_a_purchase_that_another_source_brought_is_claimed_by_nobody_again(desk: Any) -> None:
    of = customer()

    await row(desk, "till:1", basket(), CODE)
    theirs = await row(desk, "cards:1", basket(customer=of))
    answer = await claim(desk, of, CODE)
    assert (answer.purchase.name, answer.tries_left, await total(desk, of)) == (theirs.name, 5, (30, 1))
    assert (await claim(desk, customer(), CODE)).outcome == Answer.OUTCOME_TAKEN
    for number in range(2):  # equal rows of one source are as many
        code = f"EQUAL-CODE-{number}-EQUAL-CODE"
        await row(desk, f"shop:{number}", basket(reference="9"), code)
        await claim(desk, of, code)
    assert await total(desk, of) == (90, 3)


async def row(desk: Any, key: str, sent: Purchase, code: str = "") -> Purchase:
    item = RecordPurchaseRequest(purchase=sent, import_key=key, receipt_code=code)
    request = BatchRecordPurchasesRequest(requests=[item], request_id=str(uuid4()))
    [purchase] = standing(await desk.insist(desk.purchases.BatchRecordPurchases, request))
    return purchase


async def test_what_another_source_says_that_a_customer_bought_is_theirs_with_what_came_back(
    desk: Any,
) -> None:
    of = customer()
    bought = await row(desk, "till:1", basket(), CODE)
    await give_back(desk, bought)
    for _ in range(2):
        assert (await row(desk, "cards:1", basket(customer=of))).name == bought.name
        assert (await row(desk, "till:1", basket(), CODE)).customer == of
    assert await total(desk, of) == (20, 1)
    assert (await claim(desk, customer(), CODE)).outcome == Answer.OUTCOME_TAKEN
    assert (await claim(desk, of, CODE)).purchase.name == bought.name


async def test_of_several_that_say_the_same_nobody_says_whose_they_are(desk: Any) -> None:
    of = customer()
    tills = [await row(desk, f"till:{n}", basket()) for n in range(2)]
    theirs = await row(desk, "cards:1", basket(customer=of))
    elsewhere = await row(desk, "shops:1", basket(reference="9", store="store-9"))
    await row(desk, "cards:2", basket(customer=of, reference="9", store="store-8"))
    assert theirs.name not in {each.name for each in tills} | {elsewhere.name}
    assert await total(desk, of) == (60, 2)


async def test_what_another_has_by_a_source_that_names_no_store_is_claimed_by_nobody_else(desk: Any) -> None:
    """Nor before they have claimed it: a friend may have the paper."""
    of = customer()
    theirs = await row(desk, "cards:1", basket(customer=of))
    await row(desk, "till:1", basket(store="store-7"), CODE)
    for _ in range(2):
        assert (await claim(desk, customer(), CODE)).outcome == Answer.OUTCOME_TAKEN
        assert (await claim(desk, of, CODE)).purchase.name == theirs.name
    assert await total(desk, of) == (30, 1)


async def test_a_code_is_long_and_a_claim_names_one_receipt(desk: Any) -> None:
    short = refusal(await error_of(record(desk, basket(), "ABCD-EFGH-1234")))
    assert [(each.field, each.reason) for each in getattr(short, "violations", ())] == [
        ("receipt_code", "INVALID_CODE")
    ]
    both = ClaimPurchaseRequest(customer=customer(), receipt_code=CODE, request_id=str(uuid4()))
    both.receipt.CopyFrom(
        Receipt(
            reference="1",
            store="s",
            purchase_date=Date(year=2026, month=2, day=2),
            amount=money(Decimal(1), "USD"),
        )
    )
    neither = ClaimPurchaseRequest(customer=customer(), request_id=str(uuid4()))
    for request in (both, neither):
        assert (
            await error_of(desk.purchases.ClaimPurchase(request))
        ).code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_purchases_are_listed_by_what_is_on_their_receipts(desk: Any) -> None:
    tea = await record(desk, basket(reference="1"))
    await record(desk, basket(reference="2", customer=customer()))
    for text, count in (
        ('lines.product = "sku-1"', 2),
        ('lines.product = "sku-2"', 0),
        ('lines.product != "sku-1"', 0),
        ('reference = "1"', 1),
        ('currency = "USD" AND store = "store-7"', 2),
        ('currency = "EUR"', 0),
        ("-customer:*", 1),
        ('-customer:* AND reference = "1"', 1),
    ):
        page = await desk.purchases.ListPurchases(ListPurchasesRequest(filter=text))
        assert len(page.purchases) == count, text
    assert (
        tea.name
        == (await desk.purchases.ListPurchases(ListPurchasesRequest(filter="-customer:*"))).purchases[0].name
    )
