"""Purchases of lines, and giving them back, through the real service."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal as Number

from chassis.api.messages import decimal, money
from chassis.grpc.status import refusal
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import (
    GetPurchaseRequest,
    ListPurchasesRequest,
    RecordPurchaseRequest,
    ReturnPurchaseRequest,
)
from rapport_testing.running import error_of, reason

pytestmark = pytest.mark.together

AT = Timestamp(seconds=1_770_000_000)


def line(product: str, quantity: str, amount: str, currency: str = "USD", **further: Any) -> Purchase.Line:
    return Purchase.Line(
        product=product,
        quantity=Number(value=quantity),
        amount=money(Decimal(amount), currency),
        **further,
    )


def basket(*lines: Purchase.Line, currency: str = "USD", **further: Any) -> Purchase:
    total = sum((decimal(each.amount) for each in lines), Decimal(0))
    given = {"customer": f"customers/{uuid4()}", "purchase_time": AT, "amount": money(total, currency)}
    return Purchase(lines=lines, **given | further)


async def record(desk: Any, sent: Purchase) -> Purchase:
    request = RecordPurchaseRequest(purchase=sent, request_id=str(uuid4()))
    recorded: Purchase = await desk.purchases.RecordPurchase(request)
    return recorded


async def give_back(desk: Any, purchase: Purchase, **lines: str) -> Purchase:
    """Of `line1` and so on so much; all that is left of a line where that is empty."""
    wanted = [
        ReturnPurchaseRequest.Line(
            line=int(name.removeprefix("line")), quantity=Number(value=some) if some else None
        )
        for name, some in lines.items()
    ]
    request = ReturnPurchaseRequest(name=purchase.name, lines=wanted, request_id=str(uuid4()))
    returned: Purchase = await desk.purchases.ReturnPurchase(request)
    return returned


async def test_lines_are_kept_as_they_were_sent(desk: Any) -> None:
    milk = line("sku-1", "2", "3.98", discount_amount=money(Decimal("0.50"), "USD"))
    cheese = line("sku-2", "0.742", "11.05", tax_amount=money(Decimal("0.72"), "USD"))
    coupon = line("coupon-7", "0", "-1.00")
    recorded = await record(desk, basket(milk, cheese, coupon, store="store-31401"))
    assert list(recorded.lines) == [milk, cheese, coupon]
    assert (recorded.amount, recorded.store) == (money(Decimal("14.03"), "USD"), "store-31401")
    assert await desk.purchases.GetPurchase(GetPurchaseRequest(name=recorded.name)) == recorded
    listed = await desk.purchases.ListPurchases(ListPurchasesRequest(filter='store = "store-31401"'))
    assert list(listed.purchases) == [recorded]


@pytest.mark.parametrize(
    ("sent", "field", "why"),
    [
        (basket(line("a", "1", "2"), amount=money(Decimal(3), "USD")), "lines", "LINES_DIFFER"),
        (basket(line("a", "1", "2", "EUR")), "lines[0].amount.currency_code", "INVALID_CURRENCY"),
        (basket(line("a", "-1", "2")), "lines[0].quantity", "INVALID_NUMBER"),
        (basket(line("a", "1", "-2", returned_line=1)), "lines[0].quantity", "INVALID_NUMBER"),
        (basket(line("a", "-1", "-2", returned_line=1)), "returned_purchase", "REQUIRED"),
        (basket(line("a", "two", "2")), "lines[0].quantity", "INVALID_NUMBER"),
        (basket(line("a", "NaN", "2")), "lines[0].quantity", "INVALID_NUMBER"),
        (basket(line("a", "-1", "-2"), returned_purchase=f"purchases/{uuid4()}"), "lines", "REQUIRED"),
        (
            basket(amount=money(Decimal(-500), "USD"), returned_purchase=f"purchases/{uuid4()}"),
            "lines",
            "REQUIRED",
        ),
        (basket(line("a", "0.1234567891", "2")), "lines[0].quantity", "INVALID_NUMBER"),
        (basket(line("a b", "1", "2")), "lines[0].product", "INVALID_CODE"),
        (
            basket(line("a", "1", "2", tax_amount=money(Decimal(3), "USD"))),
            "lines[0].tax_amount",
            "INVALID_NUMBER",
        ),
    ],
)
async def test_lines_that_do_not_add_up_are_refused(desk: Any, sent: Purchase, field: str, why: str) -> None:
    error = await error_of(record(desk, sent))
    assert (f"purchase.{field}", why) in {
        (each.field, each.reason) for each in getattr(refusal(error), "violations", ())
    }


async def test_a_part_of_a_line_is_worth_its_part_and_all_parts_what_was_paid(desk: Any) -> None:
    bought = await record(desk, basket(line("sku-1", "3", "10.00"), line("sku-2", "1", "5.00")))
    first, second = [await give_back(desk, bought, line1="1") for _ in range(2)]
    assert [decimal(each.amount) for each in (first, second)] == [Decimal("-3.33"), Decimal("-3.33")]
    assert (first.returned_purchase, first.customer) == (bought.name, bought.customer)
    assert [(each.product, each.quantity.value, each.returned_line) for each in first.lines] == [
        ("sku-1", "-1", 1)
    ]
    rest = await give_back(desk, bought)
    assert [decimal(each.amount) for each in rest.lines] == [Decimal("-3.34"), Decimal("-5.00")]
    worth = await desk.worth(bought.customer)
    assert (decimal(worth.lifetime_values[0]), worth.purchase_count) == (0, 1)
    listed = await desk.purchases.ListPurchases(
        ListPurchasesRequest(filter=f'returned_purchase = "{bought.name}"')
    )
    assert {each.name for each in listed.purchases} == {first.name, second.name, rest.name}


async def test_what_came_back_of_a_purchase_that_nobody_knows_is_a_line_that_lowers(desk: Any) -> None:
    bought = await record(desk, basket(line("sku-1", "2", "10.00"), line("bottle", "-3", "-0.75")))
    assert decimal((await desk.worth(bought.customer)).lifetime_values[0]) == Decimal("9.25")
    assert reason(await error_of(give_back(desk, bought, line2="1"))) == "RETURN_EXCEEDS_PURCHASE"
    returned = await give_back(desk, bought)
    assert [each.quantity.value for each in returned.lines] == ["-2", "3"]
    assert decimal((await desk.worth(bought.customer)).lifetime_values[0]) == 0


@pytest.mark.parametrize("lines", [{"line1": "2"}, {"line2": ""}, {"line1": "1", "line2": ""}])
async def test_no_more_is_given_back_than_is_left(desk: Any, lines: dict[str, str]) -> None:
    bought = await record(desk, basket(line("sku-1", "2", "4.00")))
    await give_back(desk, bought, line1="1")
    error = await error_of(give_back(desk, bought, **lines))
    assert (error.code(), reason(error)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "RETURN_EXCEEDS_PURCHASE",
    )
    assert error.details().endswith(
        "has no line 2 of something that was bought"
        if "line2" in lines
        else "are left 1, for which 2 was paid"
    )


async def test_what_has_no_lines_or_was_given_back_is_not_given_back(desk: Any) -> None:
    plain = await record(desk, basket(amount=money(Decimal(4), "USD")))
    assert reason(await error_of(give_back(desk, plain))) == "RETURN_EXCEEDS_PURCHASE"
    bought = await record(desk, basket(line("sku-1", "2", "4.00")))
    returned = await give_back(desk, bought)
    for one in (bought, returned):
        assert reason(await error_of(give_back(desk, one))) == "RETURN_EXCEEDS_PURCHASE"


async def test_of_fifty_who_give_the_last_piece_back_one_does(desk: Any) -> None:
    bought = await record(desk, basket(line("sku-1", "1", "4.00")))
    outcomes = await asyncio.gather(
        *(give_back(desk, bought, line1="1") for _ in range(50)), return_exceptions=True
    )
    assert sum(isinstance(each, Purchase) for each in outcomes) == 1
    assert decimal((await desk.worth(bought.customer)).lifetime_values[0]) == 0


async def test_an_exchange_gives_lines_back_and_buys_others(desk: Any) -> None:
    bought = await record(desk, basket(line("size-40", "1", "80.00")))
    swapped = basket(
        line("size-40", "-1", "-80.00", returned_line=1),
        line("size-41", "1", "85.00"),
        customer=bought.customer,
        returned_purchase=bought.name,
    )
    assert decimal((await record(desk, swapped)).amount) == 5
    assert reason(await error_of(record(desk, swapped))) == "RETURN_EXCEEDS_PURCHASE"
    assert decimal((await desk.worth(bought.customer)).lifetime_values[0]) == 85


@pytest.mark.parametrize(
    ("further", "why"),
    [
        ({"customer": f"customers/{uuid4()}"}, "CUSTOMER_MISMATCH"),
        ({"returned_purchase": f"purchases/{uuid4()}"}, "RESOURCE_NOT_FOUND"),
        ({"currency": "EUR"}, "CURRENCY_MISMATCH"),
    ],
)
async def test_a_customer_gives_back_what_they_bought(desk: Any, further: dict[str, Any], why: str) -> None:
    bought = await record(desk, basket(line("sku-1", "1", "4.00")))
    currency = further.get("currency", "USD")
    back = line("sku-1", "-1", "-4.00", currency, returned_line=1)
    given = {"customer": bought.customer, "returned_purchase": bought.name} | further
    assert reason(await error_of(record(desk, basket(back, **given)))) == why
