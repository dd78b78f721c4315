"""Exports that overlap, in requests and at once: nothing doubles, and no part is written over a whole."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from loyalty.usecases import purchases as usecases
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import (
    BatchRecordPurchasesRequest,
    BatchRecordPurchasesResponse,
    RecordPurchaseRequest,
)
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport_testing.batches import corrected, created, standing, unclear
from rapport_testing.running import Running, reason


def line(of: str, units: int, order: str = "orders/1", *, back: int = 0) -> Purchase:
    amount, refunded = (Money(currency_code="USD", units=each) for each in (units, back))
    return Purchase(
        customer=of,
        amount=amount,
        refunded_amount=refunded if back else None,
        purchase_time=Timestamp(seconds=1_770_000_000),
        quantity=1,
        reference=order,
    )


def batch(rows: dict[str, Purchase], *, confirmed: bool = False) -> BatchRecordPurchasesRequest:
    return BatchRecordPurchasesRequest(
        requests=[
            RecordPurchaseRequest(purchase=row, import_key=key, confirmed=confirmed)
            for key, row in rows.items()
        ],
        request_id=str(uuid4()),
    )


async def load(
    desk: Any, rows: dict[str, Purchase], *, checked: bool = False
) -> BatchRecordPurchasesResponse:
    request = batch(rows)
    request.validate_only = checked
    answer: BatchRecordPurchasesResponse = await desk.purchases.BatchRecordPurchases(request)
    return answer


async def insist(desk: Any, rows: dict[str, Purchase]) -> list[str]:
    """Those of which a person has to say whether they are others."""
    return [list(rows)[i] for i in unclear(await load(desk, rows))]


async def worth(desk: Any, of: str) -> tuple[int, int]:
    value = await desk.worth(of)
    return sum(total.units for total in value.lifetime_values), value.purchase_count


def customer() -> str:
    return f"customers/{uuid4()}"


async def test_only_what_no_other_source_brought_is_recorded(desk: Any) -> None:
    buyer = customer()
    first = await load(desk, {f"a:{i}": line(buyer, 10 * i, f"orders/{i}") for i in (1, 2)})
    rows = {f"b:{i}": line(buyer, 10 * i, f"orders/{i}") for i in (1, 2, 3)}
    for recorded in (1, 0):
        assert created(await load(desk, rows, checked=True)) == recorded
        second = await load(desk, rows)
        assert (created(second), corrected(second)) == (recorded, 0)
        assert list(standing(second)[:2]) == standing(first)
    assert await worth(desk, buyer) == (60, 3)


async def test_what_may_be_another_purchase_is_left_out_and_the_rest_is_recorded(desk: Any) -> None:
    buyer = customer()
    unnumbered = line(buyer, 10, "")
    await load(desk, {"a:1": unnumbered})
    assert await insist(desk, {"c:1": line(buyer, 10)}) == ["c:1"]
    rows = {"b:1": line(buyer, 5), "b:2": unnumbered}
    for checked in (True, False):
        answer = await load(desk, rows, checked=checked)
        assert (unclear(answer), created(answer)) == ([1], 1)
    assert [bool(purchase.name) for purchase in standing(answer)] == [True, False]
    confirmed = batch(rows, confirmed=True)
    assert created(await desk.purchases.BatchRecordPurchases(confirmed)) == 1
    assert await insist(desk, rows) == []
    assert await worth(desk, buyer) == (25, 3)


@pytest.mark.parametrize("key", ["a", ":1", "a:", "a" * 200 + ":1"])
async def test_a_key_says_where_a_row_comes_from(desk: Any, key: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await desk.purchases.BatchRecordPurchases(batch({key: line(customer(), 10)}))
    assert reason(error.value) == ("TOO_LONG" if len(key) > 200 else "INVALID_NAME")


async def test_only_a_row_of_a_batch_says_where_it_comes_from(desk: Any) -> None:
    for said in ({"import_key": "a:1"}, {"confirmed": True}):
        request = RecordPurchaseRequest(
            purchase=line(customer(), 10),
            request_id=str(uuid4()),
            **said,  # type: ignore[arg-type]
        )
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await desk.purchases.RecordPurchase(request)
        assert reason(error.value) == "INVALID_NAME"


async def test_lines_of_orders_are_never_written_over_their_totals_however_often_the_rest_is_sent(
    desk: Any,
) -> None:
    buyer = customer()
    await load(desk, {f"a:{i}": line(buyer, 100, f"orders/{i}") for i in range(20)})
    cut = [(i, units) for i in range(20) for units in (60, 40)]
    lines = {f"b:{n}": line(buyer, units, f"orders/{i}") for n, (i, units) in enumerate(cut)}
    assert sorted(await insist(desk, lines)) == sorted(lines)
    assert await worth(desk, buyer) == (2000, 20)


async def test_rows_that_were_a_purchase_each_are_not_counted_again_as_lines_of_one(desk: Any) -> None:
    """Nor when somebody says that it is no other source's; the other way round nothing counts twice."""
    buyer = customer()
    await load(desk, {"a:2": line(buyer, 60), "a:3": line(buyer, 40)})
    for confirmed in (False, True):
        request = batch({"a:2": line(buyer, 100)}, confirmed=confirmed)
        request.requests[0].further_lines.append(3)
        assert unclear(await desk.purchases.BatchRecordPurchases(request)) == [0]
    assert await worth(desk, buyer) == (100, 2)
    whole = batch({"b:2": line(customer(), 100)})
    whole.requests[0].further_lines.append(3)
    assert created(await desk.purchases.BatchRecordPurchases(whole)) == 1
    other = whole.requests[0].purchase.customer
    await load(desk, {"b:2": line(other, 60), "b:3": line(other, 40)})
    assert await worth(desk, other) == (100, 2)


async def test_lines_of_an_order_in_two_batches_are_never_written_over_its_total(desk: Any) -> None:
    buyer = customer()
    await load(desk, {"a:1": line(buyer, 100)})
    assert await insist(desk, {"b:1": line(buyer, 60)}) == ["b:1"]
    assert await insist(desk, {"b:2": line(buyer, 40)}) == ["b:2"]
    assert await worth(desk, buyer) == (100, 1)


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_equal_lines_are_as_many_as_were_recorded_wherever_batches_end(desk: Any, size: int) -> None:
    buyer = customer()
    first = await load(desk, {"a:1": line(buyer, 10), "a:2": line(buyer, 10)})
    keys = ["b:1", "b:2", "b:3"]
    for _ in range(2):  # and again, as who lost the answers does
        refused: list[str] = []
        for at in range(0, 3, size):
            refused += await insist(desk, {key: line(buyer, 10) for key in keys[at : at + size]})
        assert refused == ["b:3"]
    again = await load(desk, {key: line(buyer, 10) for key in ("b:2", "b:1")})
    assert [p.name for p in standing(again)] == [p.name for p in reversed(standing(first))]
    assert await worth(desk, buyer) == (20, 2)


async def test_a_row_that_was_recognised_and_says_otherwise_now_is_refused(desk: Any) -> None:
    buyer = customer()
    await load(desk, {"a:1": line(buyer, 10)})
    assert await insist(desk, {"b:1": line(buyer, 10)}) == []
    assert await insist(desk, {"b:1": line(buyer, 4)}) == ["b:1"]
    assert await insist(desk, {"a:1": line(buyer, 12)}) == []  # its own source corrects it
    assert await worth(desk, buyer) == (12, 1)


async def test_a_refused_row_that_is_another_purchase_is_recorded_once(desk: Any) -> None:
    buyer = customer()
    await load(desk, {"a:1": line(buyer, 10)})
    for recorded in (1, 0):
        decided = batch({"b:1": line(buyer, 4)}, confirmed=True)
        assert created(await desk.purchases.BatchRecordPurchases(decided)) == recorded
    assert await worth(desk, buyer) == (14, 2)


async def test_rows_of_two_sources_in_one_request_are_recorded_once(desk: Any) -> None:
    buyer = customer()
    rows = {"a:1": line(buyer, 10), "b:1": line(buyer, 10)}
    for recorded in (1, 0):
        assert created(await load(desk, rows, checked=True)) == recorded
        answer = await load(desk, rows)
        assert (created(answer), corrected(answer)) == (recorded, 0)
        assert standing(answer)[0] == standing(answer)[1]
    assert await worth(desk, buyer) == (10, 1)


async def test_two_sources_imported_at_once_are_counted_once(running: Running, desk: Any) -> None:
    finance: Any = running.stub(PurchaseServiceStub, department="finance")
    for turn in range(10):
        buyers = [customer() for _ in range(5)]
        requests = [
            batch({f"{source}:{turn}{i}": line(buyer, 10) for i, buyer in rows})
            for source, rows in (("a", list(enumerate(buyers))), ("b", [*enumerate(buyers)][::-1]))
        ]
        await asyncio.gather(
            desk.insist(desk.purchases.BatchRecordPurchases, requests[0]),
            desk.insist(desk.purchases.BatchRecordPurchases, requests[1]),
            desk.insist(finance.BatchRecordPurchases, batch({f"c:{turn}": line(buyers[0], 10)})),
        )
        assert [await worth(desk, buyer) for buyer in buyers] == [(10, 1)] * 5


async def test_what_was_given_back_since_is_told_by_any_newer_export_and_by_no_older_one(
    running: Running, desk: Any
) -> None:
    buyer = customer()
    before, since = {"a:1": line(buyer, 10)}, {"b:1": line(buyer, 10, back=4)}
    await load(desk, before)
    assert corrected(await load(desk, since, checked=True)) == 1
    for mended, rows in ((1, since), (0, since), (0, before), (0, {"c:1": line(buyer, 10, back=3)})):
        answer = await load(desk, rows)
        assert (created(answer), corrected(answer)) == (0, mended)
        assert standing(answer)[0].refunded_amount.units == 4
        assert await worth(desk, buyer) == (6, 1)
    assert corrected(await load(desk, {"b:1": line(buyer, 10, back=1)})) == 1  # who said so was wrong
    assert await worth(desk, buyer) == (9, 1)
    told = [fact.data.net_amount.units for fact in await running.published() if ".Purchase" in fact.type]
    assert told == [10, 6, 9]


async def test_what_is_given_back_whole_is_no_purchase_whichever_export_comes_first(desk: Any) -> None:
    paid, back = (lambda of: line(of, 10)), (lambda of: line(of, 10, back=10))
    for i, (first, second) in enumerate(((paid, back), (back, paid), (back, back))):
        buyer = customer()
        await load(desk, {f"a:{i}": first(buyer)})
        assert await insist(desk, {f"b:{i}": second(buyer)}) == []
        assert await worth(desk, buyer) == (0, 0)


async def test_of_equal_lines_the_one_that_was_given_back_is_meant(desk: Any) -> None:
    buyer = customer()
    whole, part = line(buyer, 100), line(buyer, 100, back=40)
    await load(desk, {"a:1": part, "a:2": whole})
    for rows in ({"b:1": whole, "b:2": part}, {"c:1": line(buyer, 100, back=60), "c:2": whole}):
        assert await insist(desk, rows) == []
    assert await worth(desk, buyer) == (140, 2)


@pytest.mark.parametrize("department", ["front-desk", "finance"])
async def test_a_row_that_is_recognised_undoes_no_correction_of_the_same_moment(
    running: Running, desk: Any, monkeypatch: pytest.MonkeyPatch, department: str
) -> None:
    buyer, right = customer(), customer()
    other: Any = running.stub(PurchaseServiceStub, department=department)
    await load(desk, {"a:1": line(buyer, 10)})
    found, go, find = asyncio.Event(), asyncio.Event(), usecases.find_overlap

    async def hold(*args: Any, **options: Any) -> Any:
        answer = await find(*args, **options)
        found.set()
        await go.wait()
        return answer

    monkeypatch.setattr(usecases, "find_overlap", hold)
    held = asyncio.ensure_future(other.BatchRecordPurchases(batch({"b:1": line(buyer, 10)})))
    await found.wait()
    monkeypatch.undo()
    correction = batch({"a:1": line(right, 12)}, confirmed=True)
    assert corrected(await desk.purchases.BatchRecordPurchases(correction)) == 1
    go.set()
    await held
    assert (await worth(desk, buyer), await worth(desk, right)) == ((0, 0), (12, 1))


async def test_what_was_given_back_of_another_departments_purchase_is_for_a_person(
    running: Running, desk: Any
) -> None:
    buyer = customer()
    await load(desk, {"a:1": line(buyer, 10)})
    finance: Any = running.stub(PurchaseServiceStub, department="finance")
    answer = await finance.BatchRecordPurchases(batch({"a:1": line(buyer, 10, back=4)}))
    assert unclear(answer) == [0]
    assert await worth(desk, buyer) == (10, 1)


@pytest.mark.parametrize(("units", "back"), [(10, 11), (10, -1), (-10, 1), (-10, -1), (0, 1)])
async def test_no_more_is_given_back_than_was_paid(desk: Any, units: int, back: int) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await load(desk, {"a:1": line(customer(), units, back=back)})
    assert reason(error.value) == "INVALID_NUMBER"
    assert "requests[0].purchase.refunded_amount" in str(error.value.details())


async def test_two_sources_that_say_at_once_what_was_given_back_leave_the_larger(desk: Any) -> None:
    for turn in range(5):
        buyer = customer()
        await load(desk, {f"a{turn}:1": line(buyer, 10)})
        await asyncio.gather(
            *(
                load(desk, {f"{source}{turn}:1": line(buyer, 10, back=back)})
                for source, back in (("b", 3), ("c", 5))
            ),
            load(desk, {f"a{turn}:1": line(buyer, 10, back=4)}),
        )
        assert await worth(desk, buyer) == (5, 1)


async def test_an_export_that_comes_back_is_of_the_purchases_that_are_here(desk: Any) -> None:
    buyer = customer()
    recorded = await desk.purchases.RecordPurchase(
        RecordPurchaseRequest(purchase=line(buyer, 10, ""), request_id=str(uuid4()))
    )
    key = f"rapport:{recorded.name}"
    for checked in (True, False):
        answer = await load(desk, {key: line(buyer, 10, "")}, checked=checked)
        assert (created(answer), corrected(answer), unclear(answer)) == (0, 0, [])
        assert unclear(await load(desk, {key: line(buyer, 11, "")}, checked=checked)) == [0]
    elsewhere = {f"rapport:purchases/{uuid4()}": line(buyer, 20, "") for _ in range(2)}
    assert created(await load(desk, elsewhere)) == 2
    assert created(await load(desk, elsewhere)) == 0
    assert await worth(desk, buyer) == (50, 3)
