"""Goodwill in money and in kind: policies, budgets, whose cost it is, and taking it back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.api.messages import timestamp, value_name
from chassis.errors import InvalidArgument
from chassis.grpc.status import refusal
from loyalty.store.goodwill import GIVEN
from loyalty.store.tables import GET_PROMISE
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy
from rapport.cases.v1.cases_events_pb2 import AuthorityPolicyCreated, PromiseAtRisk, PromiseRenegotiated
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, InKind, Points
from rapport.loyalty.v1.goodwill_service_pb2 import (
    CheckGoodwillRequest,
    ExplainGoodwillRequest,
    GetGoodwillRequest,
    GrantGoodwillRequest,
    ReportGoodwillCostsRequest,
)
from rapport.loyalty.v1.ledger_service_pb2 import ReverseTransferRequest
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, reason, refused
from rapport_testing.wait import eventually

from .giving import new

pytestmark = pytest.mark.together

WHY = "We are sorry that it came late."
USD = "programs/goodwill/accounts/usd"


def usd(units: int, cents: int = 0) -> Money:
    return Money(currency_code="USD", units=units, nanos=cents * 10_000_000)


def item(cost: Money, kind: str = "GOODWILL_KIND_ITEM", reference: str = "cup-7") -> InKind:
    return InKind(kind=kind, cost=cost, reference=reference)  # type: ignore[arg-type]


def grant(customer: str, promise: str = "", **gift: Any) -> GrantGoodwillRequest:
    fields = {"explanation": WHY, "reason_code": "late-delivery", **gift}
    goodwill = Goodwill(customer=customer, promise=promise, **fields)
    return GrantGoodwillRequest(goodwill=goodwill, request_id=str(uuid4()))


@pytest.fixture
def tell(running: Running, desk: Any) -> Callable[..., Awaitable[None]]:
    """Tells of a policy about money or gifts in kind, and waits until it is known."""

    async def told(act: str, most: Money, rolling: Money | None = None) -> None:
        name = f"authorityPolicies/{act.lower()}"
        limit = AuthorityPolicy.Limit(money=most, rolling_day_money=rolling)
        fact = AuthorityPolicyCreated(
            authority_policy=name,
            department="departments/front-desk",
            act=f"AUTHORITY_ACT_{act}",
            limits=[limit],
            version=1,
        )
        await running.deliver(fact, resource=name, source="cases")

        async def known() -> bool:
            may = await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=new("customers")))
            return name in (may.money.authority_policy, may.in_kind.authority_policy)

        await eventually(known)

    return told


@pytest.fixture
def late(running: Running) -> Callable[..., Awaitable[str]]:
    """A promise to a customer that is at risk, and that a department has to keep."""

    async def promised(customer: str, department: str = "departments/delivery") -> str:
        promise = new("promises")
        risk = PromiseAtRisk(promise=promise, customer=customer, root=promise, department=department)
        await running.deliver(risk, resource=promise, source="cases")
        await eventually(lambda: GET_PROMISE.maybe(running.db, id=promise.partition("/")[2]))
        return promise

    return promised


async def test_without_a_policy_nobody_gives_money_and_with_one_what_it_says(desk: Any, tell: Any) -> None:
    customer = new("customers")
    assert await refused(desk.goodwill.GrantGoodwill(grant(customer, money=usd(1)))) == "OVER_AUTHORITY"
    may = await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=customer))
    assert (may.amount, may.money.amount, may.money.customer_left) == (500, usd(0), usd(300))
    assert may.money.authority_policy == "goodwillRules/money"
    await tell("REFUND", usd(25), usd(60))
    may = await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=customer))
    assert (may.money.limit, may.money.amount, may.money.grantor_left) == (usd(25), usd(25), usd(60))
    assert (may.in_kind.limit, may.in_kind.amount) == (usd(0), usd(0))
    granted = await desk.goodwill.GrantGoodwill(grant(customer, money=usd(24, 50)))
    assert (granted.money, granted.WhichOneof("gift")) == (usd(24, 50), "money")
    assert (granted.explanation, granted.membership, granted.policy_version) == (WHY, "", 1)
    assert await desk.points(f"{USD}-goodwill", f"{USD}-redeemed") == [-2450, 2450]
    may = await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=customer))
    assert (may.money.grantor_left, may.money.customer_left) == (usd(35, 50), usd(275, 50))
    assert may.customer_left == 3000


async def test_what_is_given_in_kind_counts_by_what_it_costs(running: Running, desk: Any, tell: Any) -> None:
    await tell("REPLACEMENT", usd(80), usd(100))
    customer = new("customers")
    asked = grant(customer, in_kind=item(usd(80), "GOODWILL_KIND_REPAIR"))
    granted = await desk.goodwill.GrantGoodwill(asked)
    assert granted.in_kind == asked.goodwill.in_kind
    assert await desk.goodwill.GetGoodwill(GetGoodwillRequest(name=granted.name)) == granted
    (told,) = [each.data for each in await running.published() if each.type.endswith("GoodwillGranted")]
    assert (value_name(told, "kind"), told.money, told.points) == ("REPAIR", usd(80), 0)
    fee = grant(customer, in_kind=item(usd(20, 1), "GOODWILL_KIND_WAIVED_FEE"))
    assert await refused(desk.goodwill.GrantGoodwill(fee)) == "OVER_BUDGET"
    why = await desk.goodwill.ExplainGoodwill(ExplainGoodwillRequest(name=granted.name))
    assert "repair cup-7 (costs 80.00 USD) given" in why.summary


@pytest.mark.alone("it counts all that there is")
async def test_money_and_gifts_in_kind_share_the_longer_budget_of_a_customer(desk: Any, tell: Any) -> None:
    await tell("REFUND", usd(200))
    await tell("REPLACEMENT", usd(200))
    customer = new("customers")
    await desk.goodwill.GrantGoodwill(grant(customer, money=usd(200)))
    over = grant(customer, in_kind=item(usd(100, 1)))
    assert await refused(desk.goodwill.GrantGoodwill(over)) == "OVER_BUDGET"
    await desk.goodwill.GrantGoodwill(grant(customer, in_kind=item(usd(100))))
    await desk.goodwill.GrantGoodwill(grant(customer, points=Points(amount=500)))


@pytest.mark.alone("it counts all that there is")
async def test_many_grants_at_once_stay_within_the_budget_of_the_day(desk: Any, tell: Any) -> None:
    await tell("REFUND", usd(50), usd(200))
    requests = [grant(new("customers"), money=usd(50)) for _ in range(10)]
    calls = [desk.insist(desk.goodwill.GrantGoodwill, each) for each in requests]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    errors = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert errors == ["OVER_BUDGET"] * 6
    assert await desk.points(f"{USD}-redeemed") == [20_000]


@pytest.mark.alone("it counts all that there is")
async def test_one_harm_is_made_up_for_once_in_whatever_kind(
    running: Running, desk: Any, tell: Any, late: Any
) -> None:
    await tell("REFUND", usd(50))
    customer = new("customers")
    promise = await late(customer)
    await desk.goodwill.GrantGoodwill(grant(customer, promise, money=usd(50)))
    points = grant(customer, promise, points=Points(amount=1))
    assert await refused(desk.goodwill.GrantGoodwill(points)) == "GOODWILL_EXISTS"
    due = datetime(2026, 3, 2, 12, tzinfo=UTC)
    other, last = new("customers"), new("promises")
    for whom, what in ((customer, promise), (other, last)):
        moved = PromiseRenegotiated(
            promise=what,
            root=what,
            customer=whom,
            due_time=timestamp(due),
            first_due_time=timestamp(due),
            new_due_time=timestamp(due + timedelta(days=2)),
            notice=new("notices"),
            reason_code="carrier-delay",
        )
        await running.deliver(moved, resource=promise, source="cases")  # handled in order

    async def given(root: str) -> Any:
        of = await GIVEN.one(running.db, root_id=root.partition("/")[2], policy="services/loyalty")
        return of.by_policy

    await eventually(lambda: given(last))
    assert await given(promise) == 0


async def test_what_a_department_caused_is_its_cost_of_the_month_and_a_reversal_takes_it_off(
    desk: Any, tell: Any, late: Any, clock: ManualClock
) -> None:
    await tell("REFUND", usd(50))
    await tell("REPLACEMENT", usd(50))
    first = clock.now()
    grants = []
    for gift in ({"money": usd(20)}, {"in_kind": item(usd(5, 5))}, {"points": Points(amount=30)}):
        customer = new("customers")
        request = grant(customer, await late(customer), **gift)
        grants.append(await desk.goodwill.GrantGoodwill(request))
        assert grants[-1].causing_department == "departments/delivery"
    clock.advance(timedelta(days=32))
    for each in grants[:2]:
        undo = ReverseTransferRequest(name=each.transfer, reason_code="mistake", request_id=str(uuid4()))
        await desk.ledger.ReverseTransfer(undo)
    assert (
        await refused(
            desk.ledger.ReverseTransfer(
                ReverseTransferRequest(
                    name=grants[0].transfer, reason_code="mistake", request_id=str(uuid4())
                )
            )
        )
        == "ALREADY_REVERSED"
    )
    state = await desk.goodwill.GetGoodwill(GetGoodwillRequest(name=grants[0].name))
    assert value_name(state, "state") == "REVERSED"
    asked = ReportGoodwillCostsRequest(first_month=Date(year=first.year, month=first.month, day=9))
    asked.month_count = 2
    costs = (await desk.goodwill.ReportGoodwillCosts(asked)).costs
    found = [(each.month.month, each.unit.rpartition("/")[2], each.points, each.money) for each in costs]
    month = first.month % 12 + 1
    assert found == [
        (first.month, "usd", 0, usd(25, 5)),
        (first.month, "points", 30, Money()),
        (month, "usd", 0, usd(-25, -5)),
    ]
    assert {each.department for each in costs} == {"departments/delivery"}
    may = await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=grants[0].customer))
    assert may.money.customer_left == usd(300)


@pytest.mark.parametrize(
    ("gift", "field"),
    [
        ({}, "goodwill.points"),
        ({"money": usd(0)}, "goodwill.money"),
        ({"money": usd(1), "explanation": ""}, "goodwill.explanation"),
        ({"in_kind": item(usd(0))}, "goodwill.in_kind.cost"),
        ({"in_kind": item(usd(1), "GOODWILL_KIND_MONEY")}, "goodwill.in_kind.kind"),
    ],
)
async def test_what_cannot_be_given_is_refused(desk: Any, gift: Any, field: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await desk.goodwill.GrantGoodwill(grant(new("customers"), **gift))
    error = refusal(caught.value)
    assert isinstance(error, InvalidArgument)
    assert [each.field for each in error.violations] == [field]
