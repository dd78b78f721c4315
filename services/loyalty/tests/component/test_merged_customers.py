"""Customers who were merged are one: one membership to earn on, one budget, one band; and two again."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import grpc
import pytest

from chassis.api.messages import money, timestamp
from rapport.common.v1.import_outcome_pb2 import IMPORT_OUTCOME_CORRECTED, IMPORT_OUTCOME_KNOWN
from rapport.common.v1.value_band_pb2 import VALUE_BAND_GOLD, VALUE_BAND_SILVER, VALUE_BAND_STANDARD
from rapport.customer.v1.customer_events_pb2 import CustomerMergeUndone, CustomersMerged
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, Points
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillRequest, GrantGoodwillRequest
from rapport.loyalty.v1.membership_service_pb2 import ListMembershipsRequest
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import (
    BatchRecordPurchasesRequest,
    ListPurchasesRequest,
    RecordPurchaseRequest,
)
from rapport_testing.running import reason
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together


@pytest.fixture
def customers():
    return [f"customers/{uuid4()}" for _ in range(2)]


@pytest.fixture
def told(running):
    """Has the service learn of merges: of whom each of the names is from then on."""

    async def tell(kind, sequence, names, survivors):
        merge = f"customerMerges/{uuid4()}"
        about = {"customer_merge": merge, "customer": names[0], "merged_customer": names[1]}
        fact = kind(**about, customers=names, survivors=survivors, sequence=sequence)
        await running.deliver(fact, resource=merge, version=1, source="customer")

    return tell


async def bought(desk, customer, amount):
    paid, at = money(Decimal(amount), "USD"), timestamp(datetime(2026, 1, 2, tzinfo=UTC))
    purchase = Purchase(customer=customer, amount=paid, purchase_time=at, quantity=1)
    request = RecordPurchaseRequest(purchase=purchase, request_id=str(uuid4()))
    await desk.purchases.RecordPurchase(request)


async def imported(desk, key, customer, amount, *, checked=False):
    at = timestamp(datetime(2026, 1, 2, tzinfo=UTC))
    row = Purchase(
        customer=customer,
        amount=money(Decimal(amount), "USD"),
        purchase_time=at,
        quantity=1,
        reference="orders/1",
    )
    request = BatchRecordPurchasesRequest(
        requests=[RecordPurchaseRequest(purchase=row, import_key=key)],
        request_id=str(uuid4()),
        validate_only=checked,
    )
    return (await desk.purchases.BatchRecordPurchases(request)).results[0].outcome


async def bands(desk, customers):
    return {(await desk.worth(each)).band for each in customers}


async def test_the_band_is_of_all_that_both_names_are_worth(desk, told, customers):
    one, other = customers
    await bought(desk, one, 60)
    await bought(desk, other, 60)
    assert await bands(desk, customers) == {VALUE_BAND_STANDARD}

    await told(CustomersMerged, 1, customers, [one, one])
    await eventually(lambda: is_so(desk, customers, VALUE_BAND_SILVER))
    await bought(desk, other, 390)
    assert await bands(desk, customers) == {VALUE_BAND_GOLD}

    await told(CustomerMergeUndone, 2, customers, customers)
    await eventually(lambda: is_so(desk, [one], VALUE_BAND_STANDARD))
    assert await bands(desk, [other]) == {VALUE_BAND_SILVER}


async def test_what_one_name_buys_moves_and_tells_the_band_of_every_name(running, desk, told, customers):
    one, other = customers
    await bought(desk, other, 60)
    await bought(desk, one, 10)
    await told(CustomersMerged, 1, customers, [one, one])
    await eventually(lambda: is_listed(desk, one, 2))

    await bought(desk, one, 500)

    news = [each.data for each in await running.published() if each.type.endswith(".CustomerValueChanged")]
    assert {each.customer: each.band for each in news} == dict.fromkeys(customers, VALUE_BAND_GOLD)


async def is_listed(desk, customer, count):
    request = ListPurchasesRequest(filter=f'customer = "{customer}"')
    return len((await desk.purchases.ListPurchases(request)).purchases) == count


async def is_so(desk, customers, band):
    return await bands(desk, customers) == {band}


async def test_what_is_listed_of_either_name_is_of_both(desk, told, customers):
    for each in customers:
        await bought(desk, each, 10)
        await desk.join(each)
    await told(CustomersMerged, 1, customers, [customers[0]] * 2)

    async def listed():
        request = ListPurchasesRequest(filter=f'customer = "{customers[1]}"')
        return len((await desk.purchases.ListPurchases(request)).purchases) == 2

    await eventually(listed)
    request = ListMembershipsRequest(parent="programs/main", filter=f'customer = "{customers[0]}"')
    assert {each.customer for each in (await desk.memberships.ListMemberships(request)).memberships} == {
        *customers
    }


async def test_a_row_that_comes_again_stays_with_the_name_that_it_came_with(desk, told, customers):
    """Imports find the name that survived: what they say again moves nothing, and is no second purchase."""
    one, other = customers
    await imported(desk, "tills:1", other, 10)
    await told(CustomersMerged, 1, customers, [one, one])

    async def known():
        return await imported(desk, "tills:1", one, 10, checked=True) == IMPORT_OUTCOME_KNOWN

    await eventually(known)
    assert await imported(desk, "tills:1", one, 12) == IMPORT_OUTCOME_CORRECTED
    assert await imported(desk, "shop:1", one, 12) == IMPORT_OUTCOME_KNOWN
    await told(CustomerMergeUndone, 2, customers, customers)

    async def bought_by(customer):
        request = ListPurchasesRequest(filter=f'customer = "{customer}"')
        found = (await desk.purchases.ListPurchases(request)).purchases
        return [(each.customer, each.amount.units) for each in found]

    async def apart():
        return not await bought_by(one)

    await eventually(apart)
    assert await bought_by(other) == [(other, 12)]


async def test_who_is_a_member_by_one_name_does_not_become_one_by_another(desk, told, customers):
    member = await desk.join(customers[0])
    await told(CustomersMerged, 1, customers, [customers[0]] * 2)

    async def refused():
        try:
            await desk.join(customers[1])
        except grpc.aio.AioRpcError as error:
            return reason(error)
        return ""

    assert await eventually(refused) == "RESOURCE_EXISTS"
    assert member.customer == customers[0]


async def test_the_budget_is_one_for_all_names_and_each_has_their_own_again(desk, told, customers):
    async def left(customer):
        return (await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=customer))).customer_left

    one, other = customers
    full = await left(one)
    goodwill = Goodwill(customer=one, points=Points(amount=100), reason_code="recovery")
    await desk.goodwill.GrantGoodwill(GrantGoodwillRequest(goodwill=goodwill, request_id=str(uuid4())))
    assert (await left(other)) == full

    await told(CustomersMerged, 1, customers, [other, other])
    await eventually(lambda: has_left(left, other, full - 100))
    await told(CustomerMergeUndone, 2, customers, customers)
    await eventually(lambda: has_left(left, other, full))


async def has_left(left, customer, points):
    return await left(customer) == points


async def test_of_two_merges_the_later_one_holds_in_whatever_order_they_are_heard(desk, told, customers):
    one, other = customers
    await bought(desk, one, 10)

    async def listed(customer):
        request = ListPurchasesRequest(filter=f'customer = "{customer}"')
        return bool((await desk.purchases.ListPurchases(request)).purchases)

    await told(CustomerMergeUndone, 7, customers, customers)
    await told(CustomersMerged, 6, customers, [one, one])
    await told(CustomersMerged, 8, [other, customers[0]], [other, other])
    await eventually(lambda: listed(other))
    await told(CustomerMergeUndone, 9, customers, customers)

    async def apart():
        return not await listed(other)

    await eventually(apart)
