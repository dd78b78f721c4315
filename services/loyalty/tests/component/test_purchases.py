"""Recording purchases and reading value, through the real service."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from itertools import zip_longest
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from chassis.api.messages import value_name
from loyalty.service import service
from loyalty.usecases import values
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import (
    BatchRecordPurchasesRequest,
    GetCustomerValueRequest,
    GetPurchaseRequest,
    ListPurchasesRequest,
    RecordPurchaseRequest,
)
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport_testing.batches import corrected, created, standing, unclear
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, reason, refusal
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

CENT = 10_000_000
AT = Timestamp(seconds=1_770_000_000)


def customer() -> str:
    return f"customers/{uuid4()}"


def purchase(of: str, cents: int, at: Timestamp = AT, currency: str = "USD") -> Purchase:
    amount = Money(currency_code=currency, units=cents // 100, nanos=cents % 100 * CENT)
    return Purchase(customer=of, amount=amount, purchase_time=at, quantity=1, reference="orders/1")


def single(sent: Purchase) -> RecordPurchaseRequest:
    return RecordPurchaseRequest(purchase=sent, request_id=str(uuid4()))


def batch(purchases: list[Purchase], keys: list[str] | None = None) -> BatchRecordPurchasesRequest:
    requests = [
        RecordPurchaseRequest(purchase=sent, import_key=key)
        for sent, key in zip_longest(purchases, keys or ())
    ]
    return BatchRecordPurchasesRequest(requests=requests, request_id=str(uuid4()))


async def value(desk: Any, of: str) -> Any:
    return await desk.worth(of)


async def test_a_purchase_is_recorded_told_and_adds_to_the_value(running: Running, desk: Any) -> None:
    buyer = customer()
    recorded = await desk.purchases.RecordPurchase(single(purchase(buyer, 12_345)))
    assert recorded.name.startswith("purchases/")
    assert recorded.amount == Money(currency_code="USD", units=123, nanos=45 * CENT)
    worth = await value(desk, buyer)
    assert (worth.customer, worth.lifetime_values[0], worth.purchase_count) == (buyer, recorded.amount, 1)
    assert (value_name(worth, "band"), worth.formula_version) == ("SILVER", "lifetime-2")
    assert worth.first_purchase_time == worth.last_purchase_time == AT
    told, changed = await running.published()
    assert (told.data.purchase, told.data.amount, told.data.reference) == (
        recorded.name,
        recorded.amount,
        "orders/1",
    )
    assert (recorded.etag, told.data.department.partition("/")[0]) == ('"1"', "departments")
    assert (changed.resource, changed.version, changed.causation_id) == (worth.name, 1, told.id)
    assert (changed.data.lifetime_values[0], changed.data.purchase_count) == (recorded.amount, 1)
    assert value_name(changed.data, "band") == "SILVER"


async def test_purchases_of_one_customer_at_once_add_up_exactly(running: Running, desk: Any) -> None:
    buyer = customer()
    await asyncio.gather(
        *[desk.insist(desk.purchases.RecordPurchase, single(purchase(buyer, 10))) for _ in range(100)]
    )
    worth = await value(desk, buyer)
    assert (worth.lifetime_values[0], worth.purchase_count) == (Money(currency_code="USD", units=10), 100)
    changed = [fact for fact in await running.published() if fact.type.endswith("ValueChanged")]
    versions = [fact.version for fact in changed]
    assert versions == sorted(set(versions))
    assert changed[-1].data.purchase_count == 100


async def test_batches_of_the_same_customers_at_once_do_not_block_each_other(desk: Any) -> None:
    buyers = [customer() for _ in range(50)]
    batches = [
        batch([purchase(buyer, 1) for buyer in order]) for order in (buyers, buyers[::-1]) for _ in range(5)
    ]
    await asyncio.gather(*[desk.insist(desk.purchases.BatchRecordPurchases, request) for request in batches])
    assert {(await value(desk, buyer)).purchase_count for buyer in buyers} == {10}


async def test_a_repeated_request_records_once(desk: Any) -> None:
    buyer = customer()
    request = single(purchase(buyer, 500))
    answers = await asyncio.gather(*[desk.insist(desk.purchases.RecordPurchase, request) for _ in range(5)])
    assert len({answer.name for answer in answers}) == 1
    assert (await value(desk, buyer)).purchase_count == 1


async def test_a_request_id_used_for_another_request_is_refused(desk: Any) -> None:
    request = single(purchase(customer(), 500))
    await desk.purchases.RecordPurchase(request)
    request.purchase.quantity = 2
    assert await refusal(desk.purchases.RecordPurchase(request)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REUSED",
    )


async def test_a_wrong_purchase_does_not_harm_those_that_arrive_with_it(desk: Any) -> None:
    buyers = [customer() for _ in range(20)]
    calls = [desk.purchases.RecordPurchase(single(purchase(buyer, 100))) for buyer in buyers]
    wrong = desk.purchases.RecordPurchase(single(purchase(buyers[0], 100, currency="XXX")))
    *_, refused = await asyncio.gather(*calls, wrong, return_exceptions=True)
    assert reason(refused) == "INVALID_CURRENCY"
    assert [(await value(desk, buyer)).purchase_count for buyer in buyers] == [1] * 20


async def test_each_caller_is_told_as_the_actor_of_the_own_purchase(running: Running, desk: Any) -> None:
    names = [f"agent:{i}" for i in range(10)]
    stubs: list[Any] = [running.stub(PurchaseServiceStub, subject=name) for name in names]
    recorded = await asyncio.gather(*[s.RecordPurchase(single(purchase(customer(), 1))) for s in stubs])
    facts = {fact.resource: fact.actor for fact in await running.published()}
    assert [facts[answer.name] for answer in recorded] == names


async def test_purchases_with_the_same_content_are_as_many_purchases(desk: Any) -> None:
    buyer = customer()
    response = await desk.purchases.BatchRecordPurchases(
        batch([purchase(buyer, 999)] * 3, ["shop.csv:1", "shop.csv:2", "shop.csv:3"])
    )
    assert created(response) == 3
    assert (await value(desk, buyer)).lifetime_values == [
        Money(currency_code="USD", units=29, nanos=97 * CENT)
    ]


async def test_a_purchase_of_nothing_is_a_purchase(desk: Any) -> None:
    buyer = customer()
    await desk.purchases.RecordPurchase(single(purchase(buyer, 0)))
    worth = await value(desk, buyer)
    assert (worth.purchase_count, worth.lifetime_values[0], value_name(worth, "band")) == (
        1,
        Money(currency_code="USD"),
        "STANDARD",
    )


async def test_the_largest_purchases_add_up_exactly(desk: Any) -> None:
    buyer = customer()
    await desk.purchases.BatchRecordPurchases(batch([purchase(buyer, 10**14)] * 1000))
    worth = await value(desk, buyer)
    assert worth.lifetime_values == [Money(currency_code="USD", units=10**15)]


@pytest.mark.alone("all there is is counted")
async def test_a_known_import_key_returns_the_purchase_recorded_then(running: Running, desk: Any) -> None:
    buyer = customer()
    first = await desk.purchases.BatchRecordPurchases(batch([purchase(buyer, 100)], ["shop.csv:1"]))
    again = batch([purchase(buyer, 100), purchase(buyer, 200)], ["shop.csv:1", "shop.csv:2"])
    second = await desk.purchases.BatchRecordPurchases(again)
    assert created(second) == 1
    assert standing(second)[0] == standing(first)[0]
    assert (await value(desk, buyer)).lifetime_values == [Money(currency_code="USD", units=3)]
    assert len([fact for fact in await running.published() if fact.type.endswith("PurchaseRecorded")]) == 2


@pytest.mark.alone("all there is is counted")
async def test_the_same_rows_imported_at_once_are_recorded_once(desk: Any) -> None:
    buyer = customer()
    keys = [f"shop.csv:{i}" for i in range(50)]
    orders = [keys, keys[::-1]] * 3
    requests = [batch([purchase(buyer, 1)] * len(keys), order) for order in orders]
    responses = await asyncio.gather(
        *[desk.insist(desk.purchases.BatchRecordPurchases, request) for request in requests]
    )
    assert sum(created(response) for response in responses) == 50
    assert (await value(desk, buyer)).purchase_count == 50


async def test_a_batch_tells_the_value_of_a_customer_once_and_whole(running: Running, desk: Any) -> None:
    buyer, other = customer(), customer()
    early, late = Timestamp(seconds=900_000_000), Timestamp(seconds=1_700_000_000)
    bought = [
        purchase(buyer, 100, late),
        purchase(other, 5),
        purchase(buyer, 250, early),
        purchase(buyer, 50),
    ]
    await desk.purchases.BatchRecordPurchases(batch(bought))
    changed = [fact.data for fact in await running.published() if fact.type.endswith("ValueChanged")]
    assert [fact.customer for fact in changed] == [buyer, other]
    assert (changed[0].lifetime_values[0].units, changed[0].purchase_count) == (4, 3)
    assert (changed[0].first_purchase_time, changed[0].last_purchase_time) == (early, AT)


WRONG_PURCHASES: list[tuple[dict[str, Any], str]] = [
    ({"amount": None}, "REQUIRED"),
    ({"amount": Money(units=1)}, "INVALID_CURRENCY"),
    ({"amount": Money(currency_code="ABC", units=1)}, "INVALID_CURRENCY"),
    ({"amount": Money(currency_code="usd", units=1)}, "INVALID_CURRENCY"),
    ({"refunded_amount": Money(currency_code="EUR", units=1)}, "INVALID_CURRENCY"),
    ({"amount": Money(currency_code="USD", units=-1, nanos=CENT)}, "INVALID_NUMBER"),
    ({"amount": Money(currency_code="USD", units=-(10**12), nanos=-CENT)}, "INVALID_NUMBER"),
    ({"amount": Money(currency_code="USD", nanos=CENT // 10)}, "INVALID_NUMBER"),
    ({"amount": Money(currency_code="USD", nanos=10**9)}, "INVALID_NUMBER"),
    ({"amount": Money(currency_code="USD", units=10**15)}, "INVALID_NUMBER"),
    ({"amount": Money(currency_code="USD", units=10**12, nanos=CENT)}, "INVALID_NUMBER"),
    ({"purchase_time": None}, "REQUIRED"),
    ({"purchase_time": Timestamp(seconds=-1)}, "INVALID_TIME"),
    ({"purchase_time": Timestamp(seconds=4_000_000_000)}, "INVALID_TIME"),
    ({"customer": "customers/alice"}, "INVALID_NAME"),
    ({"quantity": -1}, "INVALID_NUMBER"),
    ({"reference": "x" * 201}, "TOO_LONG"),
    ({"reference": "nul\x00"}, "INVALID_TEXT"),
]


async def test_a_wrong_purchase_is_refused(desk: Any) -> None:
    for change, expected in WRONG_PURCHASES:
        right = {"customer": customer(), "amount": Money(currency_code="USD", units=1), "purchase_time": AT}
        wrong = Purchase(**{**right, **change})
        for call in (
            desk.purchases.RecordPurchase(single(wrong)),
            desk.purchases.BatchRecordPurchases(batch([wrong])),
        ):
            outcome = await refusal(call)
            assert (change, *outcome) == (change, grpc.StatusCode.INVALID_ARGUMENT, expected)


async def test_a_batch_reports_every_violation_with_its_place(desk: Any) -> None:
    good = purchase(customer(), 100)
    request = batch(
        [good, purchase("nobody", 100), purchase(customer(), 100, currency="XXX")], ["a:1", "a:2", "a"]
    )
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await desk.purchases.BatchRecordPurchases(request)
    details = error.value.details()
    assert details is not None
    for field in (
        "requests[2].import_key",
        "requests[1].purchase.customer",
        "requests[2].purchase.amount.currency_code",
    ):
        assert field in details


async def test_a_batch_of_none_or_too_many_is_refused(desk: Any) -> None:
    for count, expected in ((0, "REQUIRED"), (1001, "TOO_LONG")):
        call = desk.purchases.BatchRecordPurchases(batch([purchase(customer(), 1)] * count))
        assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, expected)


async def test_a_purchase_without_request_id_is_refused(desk: Any) -> None:
    expected = (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REQUIRED")
    one = RecordPurchaseRequest(purchase=purchase(customer(), 1))
    many = BatchRecordPurchasesRequest(requests=[one])
    assert await refusal(desk.purchases.RecordPurchase(one)) == expected
    assert await refusal(desk.purchases.BatchRecordPurchases(many)) == expected


async def test_a_customer_who_never_bought_has_no_value(desk: Any) -> None:
    assert await value(desk, customer()) is None
    nobodys = GetCustomerValueRequest(name=f"customerValues/{uuid4()}")
    expected = (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    assert await refusal(desk.purchases.GetCustomerValue(nobodys)) == expected


async def test_a_value_has_a_name_of_its_own_and_each_currency_by_itself(running: Running, desk: Any) -> None:
    buyer = customer()
    for cents, currency in ((10_000, "USD"), (500, "EUR"), (700, "USD"), (50_000_000, "JPY")):
        await desk.purchases.RecordPurchase(single(purchase(buyer, cents, currency=currency)))
    worth = await value(desk, buyer)
    assert [(each.currency_code, each.units) for each in worth.lifetime_values] == [
        ("EUR", 5),
        ("JPY", 500_000),
        ("USD", 107),
    ]
    assert (value_name(worth, "band"), worth.purchase_count) == ("SILVER", 4)
    assert await desk.purchases.GetCustomerValue(GetCustomerValueRequest(name=worth.name)) == worth
    told = [fact for fact in await running.published() if fact.type.endswith("CustomerValueChanged")]
    bands = [(value_name(f.data, "previous_band"), value_name(f.data, "band"), f.version) for f in told]
    assert bands == [("STANDARD", "SILVER", 1), *(("SILVER", "SILVER", n) for n in (2, 3, 4))]
    last = told[-1].data
    assert (told[-1].resource, last.lifetime_values) == (worth.name, worth.lifetime_values)
    assert last.formula_version == worth.formula_version


async def test_a_correction_of_the_currency_counts_both_again(running: Running, desk: Any) -> None:
    buyer = customer()
    for currency in ("USD", "EUR"):
        request = batch([purchase(buyer, 10_000, currency=currency)], ["a:1"])
        await desk.purchases.BatchRecordPurchases(request)
    worth = await value(desk, buyer)
    assert [(each.currency_code, each.units) for each in worth.lifetime_values] == [("EUR", 100)]
    last = (await running.published())[-1].data
    assert (value_name(last, "previous_band"), value_name(last, "band")) == ("SILVER", "STANDARD")


@pytest.mark.alone("all there is is counted")
async def test_purchases_are_read_and_listed_latest_first(desk: Any) -> None:
    buyer, other = customer(), customer()
    times = [Timestamp(seconds=AT.seconds - n * 86_400) for n in (2, 0, 1)]
    bought = [await desk.purchases.RecordPurchase(single(purchase(buyer, 1, at))) for at in times]
    theirs = await desk.purchases.RecordPurchase(single(purchase(other, 1, times[0])))
    assert await desk.purchases.GetPurchase(GetPurchaseRequest(name=bought[0].name)) == bought[0]
    everything = await desk.purchases.ListPurchases(ListPurchasesRequest())
    assert list(everything.purchases) == [bought[1], bought[2], theirs, bought[0]]
    since = times[2].ToJsonString()
    some = ListPurchasesRequest(filter=f'customer = "{buyer}" AND purchase_time >= "{since}"')
    assert list((await desk.purchases.ListPurchases(some)).purchases) == [bought[1], bought[2]]


@pytest.mark.parametrize(("reference", "told"), [("orders/1", "orders/1"), ("for Anna's birthday", "")])
async def test_a_reference_is_told_when_it_is_a_code(
    running: Running, desk: Any, reference: str, told: str
) -> None:
    sent = purchase(customer(), 500)
    sent.reference, sent.quantity = reference, 3
    sent.refunded_amount.CopyFrom(Money(currency_code="USD", units=2))
    assert (await desk.purchases.RecordPurchase(single(sent))).reference == reference
    fact = (await running.published())[0].data
    assert (fact.reference, fact.quantity) == (told, 3)
    assert (fact.amount, fact.refunded_amount) == (sent.amount, sent.refunded_amount)
    assert fact.net_amount.units == 3


async def test_what_is_given_back_is_a_negative_purchase(running: Running, desk: Any) -> None:
    buyer = customer()
    await desk.purchases.RecordPurchase(single(purchase(buyer, 1000)))
    back = Money(currency_code="USD", units=-2, nanos=-50 * CENT)
    returned = Purchase(customer=buyer, amount=back, purchase_time=AT)
    recorded = await desk.purchases.RecordPurchase(single(returned))
    assert recorded.amount == back
    worth = await value(desk, buyer)
    assert worth.lifetime_values == [Money(currency_code="USD", units=7, nanos=50 * CENT)]
    assert worth.purchase_count == 1
    *_, told, changed = await running.published()
    assert (told.data.amount, changed.data.lifetime_values) == (back, worth.lifetime_values)


async def test_a_customer_who_only_gave_back_is_worth_less_than_nothing(desk: Any) -> None:
    buyer = customer()
    back = Money(currency_code="USD", units=-3)
    await desk.purchases.RecordPurchase(single(Purchase(customer=buyer, amount=back, purchase_time=AT)))
    worth = await value(desk, buyer)
    assert (worth.lifetime_values[0], worth.purchase_count, value_name(worth, "band")) == (
        back,
        0,
        "STANDARD",
    )
    assert not worth.HasField("first_purchase_time")


@pytest.mark.parametrize(
    ("currency", "right", "wrong"),
    [
        ("JPY", 0, CENT),
        ("KWD", CENT // 10, CENT // 100),
        ("EUR", CENT, CENT // 10),
        ("CLF", CENT // 100, CENT // 1000),
    ],
)
async def test_an_amount_has_as_many_decimals_as_the_currency(
    desk: Any, currency: str, right: int, wrong: int
) -> None:
    buyer = customer()

    def of(nanos: int) -> Any:
        amount = Money(currency_code=currency, units=7, nanos=nanos)
        return desk.purchases.RecordPurchase(
            single(Purchase(customer=buyer, amount=amount, purchase_time=AT))
        )

    assert await refusal(of(wrong)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_NUMBER")
    recorded = await of(right)
    assert (await value(desk, buyer)).lifetime_values == [recorded.amount]


async def test_purchases_of_one_customer_in_one_group_each_wait_for_the_value(
    running: Running, desk: Any
) -> None:
    """The value is told once for all of them, so it is part of what each of them wrote."""
    buyer = customer()
    calls = [desk.purchases.RecordPurchase(single(purchase(buyer, 100))) for _ in range(8)]
    bought = await asyncio.gather(*calls)
    tokens = [dict(await call.trailing_metadata())["consistency-token"] for call in calls]
    told = await running.published()
    versions = {str(fact.id): fact.data.purchase_count for fact in told if "ValueChanged" in fact.type}
    assert len(versions) < len(bought), "none of them shared a transaction"
    for sent, token in zip(bought, tokens, strict=True):
        service, _, items = token.partition(":")
        named = dict(item.split("=") for item in items.split(","))
        assert (service, set(named)) == ("loyalty", {"v1.PurchaseRecorded", "v1.CustomerValueChanged"})
        [own] = [fact for fact in told if fact.resource == sent.name]
        assert named["v1.PurchaseRecorded"] == str(own.id)
        assert named["v1.CustomerValueChanged"] in versions


async def test_a_row_that_says_otherwise_now_corrects_its_purchase_and_the_value(
    running: Running, desk: Any
) -> None:
    buyer, other = customer(), customer()
    earlier = Timestamp(seconds=AT.seconds - 86_400)
    rows = [purchase(buyer, 8_250), purchase(buyer, 1_000, earlier)]
    first = await desk.purchases.BatchRecordPurchases(batch(rows, ["a:2", "a:3"]))
    right = [purchase(buyer, 9_818), purchase(other, 1_000, earlier)]
    for mended, version in ((2, 2), (0, 2)):
        now = await desk.purchases.BatchRecordPurchases(batch(right, ["a:2", "a:3"]))
        assert [p.name for p in standing(now)] == [p.name for p in standing(first)]
        assert [p.amount.units for p in standing(now)] == [98, 10]
        assert (created(now), corrected(now)) == (0, mended)
        mine, theirs = await value(desk, buyer), await value(desk, other)
        assert (mine.lifetime_values[0].units, mine.purchase_count, mine.first_purchase_time) == (98, 1, AT)
        assert (theirs.lifetime_values[0].units, theirs.purchase_count) == (10, 1)
        told = [fact for fact in await running.published() if ".Purchase" in fact.type]
        assert [fact.version for fact in told] == [1, 1, version, version]
        moved = told[-1]
        assert moved.type.endswith("PurchaseCorrected")
        assert (moved.data.customer, moved.data.previous_customer) == (other, buyer)
        assert [fact.data.previous_net_amount.units for fact in told[2:]] == [82, 10]


async def test_a_correction_may_leave_a_customer_without_purchases(desk: Any) -> None:
    buyer, other = customer(), customer()
    await desk.purchases.BatchRecordPurchases(batch([purchase(buyer, 1_000)], ["a:2"]))
    await desk.purchases.BatchRecordPurchases(batch([purchase(other, 1_000)], ["a:2"]))
    left = await value(desk, buyer)
    assert (list(left.lifetime_values), left.purchase_count) == ([], 0)
    assert not left.HasField("first_purchase_time")


async def test_corrections_at_once_leave_values_that_are_the_sum_of_the_purchases(desk: Any) -> None:
    buyers = [customer() for _ in range(4)]
    keys = [f"a:{line}" for line in range(40)]

    def rows(turn: int) -> list[Purchase]:
        return [purchase(buyers[(line + turn) % 4], 100 * (turn + 1)) for line in range(40)]

    await desk.purchases.BatchRecordPurchases(batch(rows(0), keys))
    news = [batch([purchase(buyer, 100) for buyer in buyers for _ in range(5)]) for _ in range(4)]
    corrections = [batch(rows(turn), keys) for turn in (1, 2, 3)]
    await asyncio.gather(*(desk.purchases.BatchRecordPurchases(each) for each in (*news, *corrections)))
    final = await desk.purchases.BatchRecordPurchases(batch(rows(5), keys))
    assert corrected(final) == 40
    values = [await value(desk, buyer) for buyer in buyers]
    assert [(v.lifetime_values[0].units, v.purchase_count) for v in values] == [(60 + 20, 10 + 20)] * 4


async def test_a_batch_that_is_only_checked_records_nothing(desk: Any) -> None:
    buyer = customer()
    request = batch([purchase(buyer, 1_000)], ["a:2"])
    request.validate_only = True
    assert standing(await desk.purchases.BatchRecordPurchases(request)) == [Purchase()]
    assert await value(desk, buyer) is None
    request = batch([purchase(buyer, 1_000, currency="XXX")])
    request.validate_only = True
    assert (await refusal(desk.purchases.BatchRecordPurchases(request)))[
        0
    ] is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_import_key_of_another_department_finds_and_corrects_nothing(
    running: Running, desk: Any
) -> None:
    buyer = customer()
    [first] = standing(await desk.purchases.BatchRecordPurchases(batch([purchase(buyer, 1_000)], ["a:2"])))
    finance: Any = running.stub(PurchaseServiceStub, department="finance")
    for confirmed in (False, True):
        theirs = batch([purchase(buyer, 700)], ["a:2"])
        theirs.requests[0].confirmed = confirmed
        second = await finance.BatchRecordPurchases(theirs)
        assert (created(second), corrected(second)) == (int(confirmed), 0)
        assert unclear(second) == ([] if confirmed else [0])
        assert standing(second)[0].name != first.name
    worth = await value(desk, buyer)
    assert (worth.lifetime_values[0].units, worth.purchase_count) == (17, 2)
    again = batch([purchase(buyer, 1_000)], ["a:2"])
    assert list(standing(await desk.purchases.BatchRecordPurchases(again))) == [first]


@pytest.mark.alone("all there is is counted")
async def test_an_export_that_two_departments_import_is_recorded_once(running: Running, desk: Any) -> None:
    buyer = customer()
    request = batch([purchase(buyer, 1_000)], ["a:2"])
    first = await desk.purchases.BatchRecordPurchases(request)
    finance: Any = running.stub(PurchaseServiceStub, department="finance")
    request.request_id = str(uuid4())
    second = await finance.BatchRecordPurchases(request)
    assert (created(second), corrected(second)) == (0, 0)
    assert standing(second) == standing(first)
    assert (await value(desk, buyer)).purchase_count == 1


async def bands_told(running: Running, buyer: str) -> list[tuple[str, str, int]]:
    facts = [fact for fact in await running.published() if fact.type.endswith("CustomerValueChanged")]
    told = [fact for fact in facts if fact.data.customer == buyer]
    return [(value_name(f.data, "previous_band"), value_name(f.data, "band"), f.version) for f in told]


async def test_new_bands_are_told_of_whom_they_move_and_what_a_purchase_tells_begins_with_the_last_told(
    start: Any, desk_of: type[Any], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "CHUNK", 1)
    before = await start(service)
    of_before = desk_of(before)
    moved, moved_too, stays, buys = (customer() for _ in range(4))
    for buyer in (moved, moved_too, stays, buys):
        await of_before.purchases.RecordPurchase(
            single(purchase(buyer, 12_000 if buyer is stays else 40_000))
        )
    url = before.app.settings.database_url
    await before.stop()

    now = await start(service, database_url=url, value_gold_from=300, value_version="lifetime-3")
    desk = desk_of(now)
    await desk.purchases.RecordPurchase(single(purchase(buys, 100)))
    assert await bands_told(now, buys) == [("STANDARD", "SILVER", 1), ("SILVER", "GOLD", 2)]
    assert await bands_told(now, moved) == [("STANDARD", "SILVER", 1)]
    clock.advance(timedelta(minutes=6))
    told = [("STANDARD", "SILVER", 1), ("SILVER", "GOLD", 2)]
    for buyer in (moved, moved_too):
        await eventually(partial(_is, partial(bands_told, now, buyer), told))
    assert await bands_told(now, stays) == [("STANDARD", "SILVER", 1)]
    assert await bands_told(now, buys) == told
    worth = await value(desk, moved)
    assert (value_name(worth, "band"), worth.formula_version) == ("GOLD", "lifetime-3")


async def _is(find: Callable[[], Awaitable[Any]], expected: Any) -> bool:
    return bool(await find() == expected)
