"""What happens to purchases while a job reckons them anew: whoever is first, each point is there once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from loyalty.usecases import reevaluation
from rapport.loyalty.v1.membership_service_pb2 import CloseMembershipRequest, MergeMembershipsRequest
from rapport.loyalty.v1.purchase_service_pb2 import (
    BatchRecordPurchasesRequest,
    ClaimPurchaseRequest,
    RecordPurchaseRequest,
    ReturnPurchaseRequest,
)

from .earning import earning_of, held, in_force
from .test_purchase_lines import basket, line, record
from .test_reevaluation import TWICE, becomes, begun, done

pytestmark = pytest.mark.together

PAID = 10


async def test_who_gives_back_corrects_claims_and_merges_meanwhile_has_what_they_would_after(
    desk: Any, clock: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(reevaluation, "AT_ONCE", 3)
    await in_force(desk)
    returning = [await record(desk, basket(line("a", "2", str(PAID)))) for _ in range(5)]
    merging = [await record(desk, basket(line("a", "1", str(PAID)))) for _ in range(4)]
    rows = [row(n) for n in range(4)]
    corrected = [await batch(desk, each) for each in rows]
    codes = [f"till-7-000{n}-x7k2p9q4wz3m" for n in range(4)]
    for code in codes:
        nobodys = basket(line("a", "1", str(PAID)), customer="")
        request = RecordPurchaseRequest(purchase=nobodys, receipt_code=code, request_id=str(uuid4()))
        await desk.purchases.RecordPurchase(request)
    clock.advance(timedelta(minutes=1))  # so that what is claimed earns by the rule before
    await becomes(desk, **TWICE)
    job = await begun(desk)
    claimed = await asyncio.gather(
        *(returned(desk, each) for each in returning),
        *(merged(desk, *merging[i : i + 2]) for i in (0, 2)),
        *(batch(desk, row(n, 3 * PAID, each.customer)) for n, each in enumerate(corrected)),
        *(claim(desk, code) for code in codes),
    )
    assert (await done(desk, job)).done_count == 13
    assert [await held(desk, each.customer) for each in returning] == [{"MEMBERSHIP": PAID}] * 5
    assert [(await held(desk, each.customer))["MEMBERSHIP"] for each in merging[::2]] == [4 * PAID] * 2
    assert [await held(desk, each.customer) for each in corrected] == [{"MEMBERSHIP": 6 * PAID}] * 4
    assert [await held(desk, each) for each in claimed[-4:]] == [{"MEMBERSHIP": PAID}] * 4
    for each in (*returning, *corrected):
        (award,) = (await earning_of(desk, each)).awards
        assert award.points_left == (await held(desk, each.customer))["MEMBERSHIP"]


async def test_a_membership_that_is_closed_meanwhile_has_nothing(desk: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(reevaluation, "AT_ONCE", 1)
    await in_force(desk)
    bought = [await record(desk, basket(line("a", "1", str(PAID)))) for _ in range(6)]
    await becomes(desk, **TWICE)
    job = await begun(desk)
    names = [(await desk.membership_of(each.customer)).name for each in bought]
    await asyncio.gather(*(closed(desk, name) for name in names))
    await done(desk, job)
    assert [(await held(desk, each.customer))["MEMBERSHIP"] for each in bought] == [0] * 6


def row(n: int, paid: int = PAID, customer: str = "") -> Any:
    """A row of a file that says what somebody bought."""
    given = {"customer": customer} if customer else {}
    bought = basket(line("a", "1", str(paid)), **given)
    return RecordPurchaseRequest(purchase=bought, import_key=f"till:{n + 1}")


async def batch(desk: Any, item: Any) -> Any:
    request = BatchRecordPurchasesRequest(requests=[item], request_id=str(uuid4()))
    (result,) = (await desk.insist(desk.purchases.BatchRecordPurchases, request)).results
    return result.purchase


async def returned(desk: Any, purchase: Any) -> None:
    half = [ReturnPurchaseRequest.Line(line=1, quantity={"value": "1"})]
    request = ReturnPurchaseRequest(name=purchase.name, lines=half, request_id=str(uuid4()))
    await desk.insist(desk.purchases.ReturnPurchase, request)


async def merged(desk: Any, into: Any, other: Any) -> None:
    names = [(await desk.membership_of(each.customer)).name for each in (into, other)]
    request = MergeMembershipsRequest(
        name=names[0], merged_membership=names[1], reason_code="household", request_id=str(uuid4())
    )
    await desk.insist(desk.memberships.MergeMemberships, request)


async def claim(desk: Any, code: str) -> str:
    customer = f"customers/{uuid4()}"
    request = ClaimPurchaseRequest(customer=customer, receipt_code=code, request_id=str(uuid4()))
    await desk.insist(desk.purchases.ClaimPurchase, request)
    return customer


async def closed(desk: Any, name: str) -> None:
    request = CloseMembershipRequest(name=name, reason_code="gone", request_id=str(uuid4()))
    await desk.insist(desk.memberships.CloseMembership, request)
