"""What one source says was refunded, and another that it was given back; and whose returns are."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from chassis.api.messages import decimal, money
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import BatchRecordPurchasesRequest, RecordPurchaseRequest
from rapport_testing.running import error_of, reason

from .earning import held, in_force
from .test_purchase_lines import basket, give_back, line


async def imported(desk: Any, key: str, customer: str, refunded: int = 0, *, checked: bool = False) -> Any:
    """A row of two pieces for 100, of which so much was refunded."""
    sent = basket(line("a", "2", "100"), customer=customer, reference="7")
    if refunded:
        sent.refunded_amount.CopyFrom(money(Decimal(refunded), "USD"))
    request = BatchRecordPurchasesRequest(
        requests=[RecordPurchaseRequest(purchase=sent, import_key=key)],
        request_id=str(uuid4()),
        validate_only=checked,
    )
    (result,) = (await desk.insist(desk.purchases.BatchRecordPurchases, request)).results
    return result


async def total(desk: Any, customer: str) -> Decimal:
    values = (await desk.worth(customer)).lifetime_values
    return sum((decimal(each) for each in values), Decimal(0))


@pytest.mark.parametrize(("refunded", "wrong", "left"), [(100, "1", 0), (60, "2", 40)])
async def test_what_was_refunded_is_not_given_back_again(
    desk: Any, refunded: int, wrong: str, left: int
) -> None:
    customer = f"customers/{uuid4()}"
    bought = (await imported(desk, "pay:1", customer, refunded)).purchase
    refused = await error_of(give_back(desk, bought, line1=wrong))
    assert reason(refused) == "RETURN_EXCEEDS_PURCHASE"
    assert f"for which {left}" in str(refused.details())
    assert await total(desk, customer) == left


async def test_what_was_given_back_is_not_refunded_again(desk: Any) -> None:
    await in_force(desk)
    customer = f"customers/{uuid4()}"
    bought = (await imported(desk, "pay:1", customer)).purchase
    await give_back(desk, bought, line1="1")
    for row in (bought, (await imported(desk, "pay:1", customer, 30)).purchase):
        assert row.name == bought.name
    assert (await total(desk, customer), await held(desk, customer)) == (20, {"MEMBERSHIP": 35})
    for _ in range(2):
        stands = (await imported(desk, "pay:1", customer, 100)).purchase
        assert (stands.refunded_amount.units, await total(desk, customer)) == (50, 0)
    known = await imported(desk, "pay:1", customer, 100, checked=True)
    assert known.outcome == (await imported(desk, "pay:1", customer, 100)).outcome


async def test_of_a_refund_and_a_return_at_once_no_more_counts_than_was_paid(desk: Any) -> None:
    for turn in range(8):
        customer = f"customers/{uuid4()}"
        bought = (await imported(desk, f"pay{turn}:1", customer)).purchase
        await asyncio.gather(
            imported(desk, f"pay{turn}:1", customer, 100),
            give_back(desk, bought),
            return_exceptions=True,
        )
        assert await total(desk, customer) == 0


async def test_what_turns_out_to_be_anothers_takes_its_returns_along(running: Any, desk: Any) -> None:
    await in_force(desk)
    wrong, right = f"customers/{uuid4()}", f"customers/{uuid4()}"
    bought = (await imported(desk, "pay:1", wrong)).purchase
    returned = await give_back(desk, bought, line1="1")
    await imported(desk, "pay:1", right)
    assert [await total(desk, each) for each in (wrong, right)] == [0, 50]
    assert [(await held(desk, each)).get("MEMBERSHIP") for each in (wrong, right)] == [0, 50]
    told = [each.data for each in await running.published() if each.type.endswith("PurchaseCorrected")]
    assert {(each.purchase, each.customer, each.previous_customer) for each in told} == {
        (each.name, right, wrong) for each in (bought, returned)
    }
    await give_back(desk, Purchase(name=bought.name))
    assert await total(desk, right) == 0
