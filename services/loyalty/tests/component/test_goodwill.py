"""Goodwill granted by people and by policy, through the real service."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
import sqlalchemy as sa
from google.protobuf.message import Message
from google.type.money_pb2 import Money
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chassis.api.messages import timestamp, value_name
from chassis.context import Call, acting, service_itself
from chassis.db.schema import PARKED
from chassis.db.statement import Statement
from loyalty.events.cases import on_promises
from loyalty.names import PROMISE
from loyalty.service import service
from loyalty.store.tables import GET_PROMISE
from rapport.cases.v1.cases_events_pb2 import (
    PromiseAtRisk,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromiseRecovered,
    PromiseRenegotiated,
)
from rapport.customer.v1.customer_events_pb2 import CustomerMergeUndone, CustomersMerged
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, Points
from rapport.loyalty.v1.goodwill_service_pb2 import (
    CheckGoodwillRequest,
    GetGoodwillRequest,
    GrantGoodwillRequest,
    ListGoodwillRequest,
)
from rapport.loyalty.v1.ledger_service_pb2 import ReverseTransferRequest
from rapport.loyalty.v1.membership_service_pb2 import CloseMembershipRequest
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import RecordPurchaseRequest
from rapport_testing.running import Running, error_of, reason
from rapport_testing.wait import eventually

from .giving import new

pytestmark = pytest.mark.together

_SET_ASIDE = Statement[Any](sa.select(PARKED))

AT_RISK = PromiseAtRisk()
DUE = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = "goodwillRules/delay"
POINTS = "programs/main/units/points"


def grant(customer: str, points: int, promise: str = "", **other: Any) -> GrantGoodwillRequest:
    fields = {
        "customer": customer,
        "points": Points(amount=points, unit=other.pop("unit", "")),
        "promise": promise,
        "reason_code": "late-delivery",
        **other,
    }
    return GrantGoodwillRequest(goodwill=Goodwill(**fields), request_id=str(uuid4()))


async def promised(
    running: Running, customer: str, root: str = "", harm: Message | None = AT_RISK, department: str = ""
) -> str:
    """A promise to the customer that the service knows of; `root` when it is not the first about the same."""
    promise, last = new("promises"), new("promises")
    for told in filter(None, [PromiseMade(department=department), harm]):
        fact = type(told)(promise=promise, customer=customer, root=root or promise)
        fact.MergeFrom(told)
        await running.deliver(fact, resource=promise, source="cases")
    end = PromiseMade(promise=last, customer=customer, root=last)
    await running.deliver(end, resource=promise, source="cases")  # one resource's events are handled in order
    (last_id,) = PROMISE.parse(last)
    await eventually(lambda: GET_PROMISE.maybe(running.db, id=last_id))
    return promise


def renegotiated(
    customer: str, promise: str, delay: timedelta, root: str = "", reason_code: str = "carrier-delay"
) -> PromiseRenegotiated:
    return PromiseRenegotiated(
        promise=promise,
        root=root or promise,
        customer=customer,
        due_time=timestamp(DUE),
        first_due_time=timestamp(DUE),
        new_due_time=timestamp(DUE + delay),
        successor=new("promises"),
        notice=new("notices"),
        reason_code=reason_code,
    )


async def granted(running: Running, customer: str) -> list[Any]:
    facts = await running.published()
    return [f for f in facts if f.type.endswith("GoodwillGranted") and f.data.customer == customer]


async def what_was_told_is_handled(running: Running, promise: str) -> None:
    """Wait for the end of a promise's queue: events about one resource are handled in order."""
    last = new("customers")
    event = renegotiated(last, new("promises"), timedelta(days=1))
    await running.deliver(event, resource=promise, source="cases")
    await eventually(lambda: granted(running, last))


async def test_goodwill_costs_the_department_that_has_to_keep_the_promise(
    running: Running, desk: Any
) -> None:
    customer, caused = new("customers"), {"department": "departments/delivery"}
    promise = await promised(running, customer, harm=PromiseAtRisk(**caused), **caused)
    goodwill = await desk.goodwill.GrantGoodwill(grant(customer, 300, promise))
    cost = "programs/main/accounts/points-goodwill"
    assert await desk.points(f"{cost}-delivery", cost) == [-300, 0]
    undo = ReverseTransferRequest(name=goodwill.transfer, reason_code="mistake", request_id=str(uuid4()))
    await desk.ledger.ReverseTransfer(undo)
    other, late = new("customers"), new("promises")
    moved = renegotiated(other, late, timedelta(days=1))
    moved.department = "departments/delivery"
    await running.deliver(moved, resource=late, source="cases")
    await eventually(lambda: granted(running, other))
    assert await desk.points(f"{cost}-delivery", cost) == [-100, 0]


async def test_a_person_grants_goodwill_to_a_customer_who_never_joined(running: Running, desk: Any) -> None:
    customer = new("customers")
    promise = await promised(running, customer)
    goodwill = await desk.goodwill.GrantGoodwill(grant(customer, 300, promise))
    assert (goodwill.customer, goodwill.points.amount, goodwill.promise) == (customer, 300, promise)
    assert (goodwill.points.unit, goodwill.authority_policy) == (POINTS, POLICY)
    assert (goodwill.grantor, value_name(goodwill, "state")) == ("agents/alice", "GRANTED")
    assert await desk.goodwill.GetGoodwill(GetGoodwillRequest(name=goodwill.name)) == goodwill
    account = await desk.account_of(customer)
    assert await desk.points(account, "programs/main/accounts/points-goodwill") == [300, -300]
    joined, told, posted = await running.published()
    assert (joined.resource, joined.data.customer) == (goodwill.membership, customer)
    assert (told.resource, posted.resource) == (goodwill.name, account)
    assert (told.data.points, told.data.promise, told.data.root) == (300, promise, promise)
    assert (told.data.authority_policy, told.data.policy_version) == (POLICY, 1)
    assert told.data.department == goodwill.department != ""
    assert (told.data.transfer, posted.data.transfer) == (goodwill.transfer, goodwill.transfer)
    assert (told.data.membership, told.data.grantor) == (goodwill.membership, goodwill.grantor)
    assert posted.causation_id == told.id
    assert (posted.data.amount, posted.data.balance) == (300, 300)


@pytest.mark.alone("all there is is counted")
async def test_grants_are_listed_newest_first_and_found_by_their_customer(desk: Any) -> None:
    one, other = new("customers"), new("customers")
    grants = [await desk.goodwill.GrantGoodwill(grant(customer, 10)) for customer in (one, other, one)]
    found = await desk.goodwill.ListGoodwill(ListGoodwillRequest())
    assert list(found.goodwill) == grants[::-1]
    found = await desk.goodwill.ListGoodwill(ListGoodwillRequest(filter=f'customer = "{one}"'))
    assert list(found.goodwill) == [grants[2], grants[0]]


async def test_a_grant_is_of_what_the_policy_grants(desk: Any) -> None:
    error = await error_of(
        desk.goodwill.GrantGoodwill(grant(new("customers"), 10, unit="programs/main/units/miles"))
    )
    assert reason(error) == "INVALID_NAME"
    assert POINTS in (error.details() or "")


async def test_a_grant_above_the_limit_is_refused_and_the_limit_told_and_both_are_counted(desk: Any) -> None:
    def counted() -> list[float]:
        acts = [{"act": "goodwill", "outcome": each} for each in ("done", "over_authority")]
        told = [REGISTRY.get_sample_value("rapport_authority_acts_total", labels) for labels in acts]
        used = REGISTRY.get_sample_value("rapport_authority_used_total", {"act": "goodwill"})
        return [each or 0.0 for each in (*told, used)]

    customer, before = new("customers"), counted()
    error = await error_of(desk.goodwill.GrantGoodwill(grant(customer, 501)))
    assert (error.code(), reason(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "OVER_AUTHORITY")
    assert "500" in (error.details() or "")
    await desk.goodwill.GrantGoodwill(grant(customer, 500))
    assert [after - was for after, was in zip(counted(), before, strict=True)] == [1, 1, 500]


@pytest.mark.alone("all there is is counted")
async def test_what_one_may_still_grant_is_told_before_one_grants(desk: Any, desk_of: Any) -> None:
    customer, other = new("customers"), new("customers")

    async def told(asker: Any, whom: str) -> tuple[int, ...]:
        may = await asker.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=whom))
        assert (may.authority_policy, may.policy_version) == (POLICY, 1)
        return may.amount, may.limit, may.customer_left, may.grantor_left

    assert await told(desk, customer) == (500, 500, 3000, 20_000)
    for points in (500,) * 5 + (400,):
        await desk.goodwill.GrantGoodwill(grant(customer, points))
    assert await told(desk, customer) == (100, 500, 100, 17_100)
    assert await told(desk, other) == (500, 500, 3000, 17_100)
    error = await error_of(desk.goodwill.GrantGoodwill(grant(customer, 101)))
    assert reason(error) == "OVER_BUDGET"
    await desk.goodwill.GrantGoodwill(grant(customer, 100))
    assert (await told(desk, customer))[0] == 0


async def test_the_limit_follows_what_the_customer_is_worth(desk: Any) -> None:
    customer = new("customers")
    await desk.purchases.RecordPurchase(
        RecordPurchaseRequest(
            purchase=Purchase(
                customer=customer, amount=Money(currency_code="USD", units=500), purchase_time=timestamp(DUE)
            ),
            request_id=str(uuid4()),
        )
    )
    assert (await desk.goodwill.GrantGoodwill(grant(customer, 1500))).points.amount == 1500
    error = await error_of(desk.goodwill.GrantGoodwill(grant(customer, 1501)))
    assert reason(error) == "OVER_AUTHORITY"


async def test_of_many_grants_for_one_promise_exactly_one_succeeds(running: Running, desk: Any) -> None:
    customer = new("customers")
    promise = await promised(running, customer)
    calls = [desk.insist(desk.goodwill.GrantGoodwill, grant(customer, 100, promise)) for _ in range(20)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    errors = [outcome for outcome in outcomes if isinstance(outcome, grpc.aio.AioRpcError)]
    assert [(e.code(), reason(e)) for e in errors] == [
        (grpc.StatusCode.ALREADY_EXISTS, "GOODWILL_EXISTS")
    ] * 19
    assert await desk.points(await desk.account_of(customer)) == [100]


async def test_one_harm_has_one_grant_also_when_it_was_given_to_who_is_merged_no_more(
    running: Running, desk: Any
) -> None:
    one, other = new("customers"), new("customers")
    promise = await promised(running, other)

    async def told(kind: Any, sequence: int, survivors: list[str]) -> None:
        merge = new("customerMerges")
        fact = kind(customer_merge=merge, customers=[one, other], survivors=survivors, sequence=sequence)
        await running.deliver(fact, resource=merge, version=1, source="customer")

    async def answer(customer: str) -> str:
        try:
            await desk.goodwill.GrantGoodwill(grant(customer, 100, promise))
        except grpc.aio.AioRpcError as error:
            return reason(error)
        return "GRANTED"

    async def answered(customer: str, expected: str) -> bool:
        return await answer(customer) == expected

    await told(CustomersMerged, 1, [one, one])
    await eventually(lambda: answered(one, "GRANTED"))
    await told(CustomerMergeUndone, 2, [one, other])
    await eventually(lambda: answered(one, "CUSTOMER_MISMATCH"))
    assert await answer(other) == "GOODWILL_EXISTS"


async def test_grants_without_a_promise_are_separate(desk: Any) -> None:
    customer = new("customers")
    for _ in range(2):
        await desk.goodwill.GrantGoodwill(grant(customer, 10))
    assert await desk.points(await desk.account_of(customer)) == [20]


async def test_a_repeated_request_grants_once(running: Running, desk: Any) -> None:
    customer = new("customers")
    request = grant(customer, 50, await promised(running, customer))
    first = await desk.goodwill.GrantGoodwill(request)
    assert await desk.goodwill.GrantGoodwill(request) == first


WRONG_GRANTS: list[tuple[dict[str, Any], str]] = [
    ({"points": 0}, "INVALID_NUMBER"),
    ({"points": -1}, "INVALID_NUMBER"),
    ({"customer": ""}, "REQUIRED"),
    ({"customer": "customers/x"}, "INVALID_NAME"),
    ({"promise": "promises/x"}, "INVALID_NAME"),
    ({"reason_code": ""}, "REQUIRED"),
    ({"reason_code": "Sorry!"}, "INVALID_CODE"),
]


async def test_a_wrong_grant_is_refused(desk: Any) -> None:
    for change, expected in WRONG_GRANTS:
        wrong = grant(**{"customer": new("customers"), "points": 5, **change})
        error = await error_of(desk.goodwill.GrantGoodwill(wrong))
        assert (change, error.code(), reason(error)) == (change, grpc.StatusCode.INVALID_ARGUMENT, expected)


async def test_a_grant_without_request_id_is_refused(desk: Any) -> None:
    request = grant(new("customers"), 5)
    request.ClearField("request_id")
    assert reason(await error_of(desk.goodwill.GrantGoodwill(request))) == "REQUEST_ID_REQUIRED"


async def test_a_grant_that_does_not_exist_is_not_found(desk: Any) -> None:
    error = await error_of(desk.goodwill.GetGoodwill(GetGoodwillRequest(name=new("goodwill"))))
    assert reason(error) == "RESOURCE_NOT_FOUND"


async def test_a_renegotiated_promise_earns_goodwill_once_however_often_it_is_told(
    running: Running, desk: Any
) -> None:
    customer, promise = new("customers"), new("promises")
    event = renegotiated(customer, promise, timedelta(days=2, hours=3))
    event_id = await running.deliver(event, resource=promise, source="cases")
    (told,) = await eventually(lambda: granted(running, customer))
    assert (told.data.points, told.data.reason_code) == (300, "promise-renegotiated")
    assert (told.causation_id, told.actor) == (event_id, "service:loyalty")
    await running.deliver(event, resource=promise, source="cases", event_id=event_id)
    await running.deliver(event, resource=promise, source="cases")
    await what_was_told_is_handled(running, promise)
    assert len(await granted(running, customer)) == 1
    assert await desk.points(await desk.account_of(customer)) == [300]


async def test_a_delay_earns_nothing_on_a_closed_membership_and_those_after_it_are_heard(
    running: Running, desk: Any
) -> None:
    customer, promise = new("customers"), new("promises")
    member = await desk.join(customer)
    close = CloseMembershipRequest(name=member.name, reason_code="customer-wish", request_id=str(uuid4()))
    await desk.memberships.CloseMembership(close)
    event = renegotiated(customer, promise, timedelta(days=2))
    await running.deliver(event, resource=promise, source="cases")
    await what_was_told_is_handled(running, promise)
    assert await granted(running, customer) == []
    assert await _SET_ASIDE.all(running.db) == []


@pytest.mark.parametrize(("by_a_person", "in_the_end"), [(1, 300), (299, 300), (300, 300), (500, 500)])
async def test_what_a_person_gave_counts_towards_what_is_earned_and_takes_none_of_it_away(
    running: Running, desk: Any, by_a_person: int, in_the_end: int
) -> None:
    customer = new("customers")
    promise = await promised(running, customer)
    await desk.goodwill.GrantGoodwill(grant(customer, by_a_person, promise))
    for days in (1, 3, 2):
        event = renegotiated(customer, promise, timedelta(days=days))
        await running.deliver(event, resource=promise, source="cases")
        await what_was_told_is_handled(running, promise)
    assert await desk.points(await desk.account_of(customer)) == [in_the_end]


HARMLESS = [
    None,
    PromiseRecovered(),
    PromiseKept(state="PROMISE_STATE_KEPT"),
    PromiseRenegotiated(due_time=timestamp(DUE), new_due_time=timestamp(DUE - timedelta(days=1))),
]
HARMFUL = [
    AT_RISK,
    PromiseBroken(),
    PromiseKept(state="PROMISE_STATE_KEPT_LATE"),
    PromiseRenegotiated(due_time=timestamp(DUE), new_due_time=timestamp(DUE + timedelta(days=1))),
    PromiseRenegotiated(due_time=timestamp(DUE), new_due_time=timestamp(DUE), state="PROMISE_STATE_BROKEN"),
]


async def test_a_promise_is_made_up_for_once_it_or_one_before_it_did_harm(
    running: Running, desk: Any
) -> None:
    customer = new("customers")
    for harm in HARMLESS:
        promise = await promised(running, customer, harm=harm)
        error = await error_of(desk.goodwill.GrantGoodwill(grant(customer, 1, promise)))
        assert (error.code(), reason(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "PROMISE_NOT_AT_RISK")
    for harm in HARMFUL:
        first = await promised(running, customer, harm=harm)
        later = await promised(running, customer, first, harm=None)
        await desk.goodwill.GrantGoodwill(grant(customer, 1, later))


async def test_a_promise_that_is_not_delayed_earns_nothing(running: Running) -> None:
    customer, promise = new("customers"), new("promises")
    event = renegotiated(customer, promise, -timedelta(days=1))
    await running.deliver(event, resource=promise, source="cases")
    await what_was_told_is_handled(running, promise)
    assert await granted(running, customer) == []


async def test_a_long_delay_earns_no_more_than_the_limit(running: Running) -> None:
    customer, promise = new("customers"), new("promises")
    event = renegotiated(customer, promise, timedelta(days=90))
    await running.deliver(event, resource=promise, source="cases")
    (told,) = await eventually(lambda: granted(running, customer))
    assert told.data.points == 500


async def test_a_person_and_the_policy_at_once_grant_once(running: Running, desk: Any) -> None:
    customer = new("customers")
    promises = [await promised(running, customer) for _ in range(10)]
    told = [
        running.deliver(renegotiated(customer, promise, timedelta(days=1)), resource=promise, source="cases")
        for promise in promises
    ]
    asked = [desk.insist(desk.goodwill.GrantGoodwill, grant(customer, 100, promise)) for promise in promises]
    answers = asyncio.gather(*asked, return_exceptions=True)  # whoever comes second is refused
    await asyncio.gather(*told, answers)
    for promise in promises:
        await what_was_told_is_handled(running, promise)
    assert sorted(fact.data.promise for fact in await granted(running, customer)) == sorted(promises)
    assert await desk.points(await desk.account_of(customer)) == [1000]


async def test_a_promise_moved_by_minutes_many_times_is_one_day_of_delay(running: Running, desk: Any) -> None:
    customer = new("customers")
    root = await promised(running, customer)
    chain = [root, *[await promised(running, customer, root) for _ in range(5)]]
    for moved, promise in enumerate(chain, 1):
        event = renegotiated(customer, promise, timedelta(minutes=moved), root)
        await running.deliver(event, resource=promise, source="cases")
        await what_was_told_is_handled(running, promise)
    assert [fact.data.points for fact in await granted(running, customer)] == [100]
    error = await error_of(desk.goodwill.GrantGoodwill(grant(customer, 5, promise)))
    assert reason(error) == "GOODWILL_EXISTS"


@pytest.mark.parametrize("order", list(permutations((1, 2, 4))))
async def test_the_whole_delay_of_a_promise_is_paid_in_whatever_order_its_moves_are_told(
    running: Running, desk: Any, order: tuple[int, ...]
) -> None:
    customer, root = new("customers"), new("promises")
    for days in order:
        promise = new("promises")
        event = renegotiated(customer, promise, timedelta(days=days), root)
        await running.deliver(event, resource=promise, source="cases")
        await what_was_told_is_handled(running, promise)
    assert await desk.points(await desk.account_of(customer)) == [400]


async def test_a_grant_that_was_reversed_stands_in_nobodys_way(running: Running, desk: Any) -> None:
    customer = new("customers")
    promise = await promised(running, customer)
    for _ in range(7):  # more than the budget, were they to count
        slip = await desk.goodwill.GrantGoodwill(grant(customer, 500, promise))
        await desk.ledger.ReverseTransfer(
            ReverseTransferRequest(name=slip.transfer, reason_code="slip", request_id=str(uuid4()))
        )
    undone = await desk.goodwill.GetGoodwill(GetGoodwillRequest(name=slip.name))
    assert value_name(undone, "state") == "REVERSED"
    *_, told, moved = await running.published()
    assert (told.resource, told.version, value_name(told.data, "state")) == (slip.name, 2, "REVERSED")
    assert (told.data.points, told.data.create_time) == (500, slip.create_time)
    assert (moved.data.reverses, moved.causation_id) == (slip.transfer, told.id)
    await desk.goodwill.GrantGoodwill(grant(customer, 500, promise))
    assert await desk.points(await desk.account_of(customer)) == [500]


async def test_a_grant_that_was_reversed_does_not_come_back_by_reversing_that(
    running: Running, desk: Any
) -> None:
    """Its points would be held while neither one harm's one grant nor the budgets counted them."""
    customer = new("customers")
    slip = await desk.goodwill.GrantGoodwill(grant(customer, 500, await promised(running, customer)))
    undo = [
        ReverseTransferRequest(name=slip.transfer, reason_code="slip", request_id=str(uuid4()))
        for _ in range(2)
    ]
    undo[1].name = (await desk.ledger.ReverseTransfer(undo[0])).name
    error = await error_of(desk.ledger.ReverseTransfer(undo[1]))
    assert (error.code(), reason(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "IS_REVERSAL")
    assert await desk.points(await desk.account_of(customer)) == [0]


async def test_a_date_that_a_person_moved_earns_nothing_by_itself(running: Running) -> None:
    """Else whoever may move promises could pay out without a budget."""
    customer, promise = new("customers"), new("promises")
    event = renegotiated(customer, promise, timedelta(days=2))
    event.notice = ""
    await running.deliver(event, resource=promise, source="cases")
    await what_was_told_is_handled(running, promise)
    assert await granted(running, customer) == []


async def test_a_promise_to_another_customer_is_not_made_up_for(running: Running, desk: Any) -> None:
    customer, other = new("customers"), new("customers")
    promise = await promised(running, customer)
    error = await error_of(desk.goodwill.GrantGoodwill(grant(other, 50, promise)))
    assert (error.code(), reason(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "CUSTOMER_MISMATCH")
    event = renegotiated(customer, promise, timedelta(days=1))
    await running.deliver(event, resource=promise, source="cases")
    await what_was_told_is_handled(running, promise)
    assert await desk.points(await desk.account_of(customer)) == [100]


async def test_a_promise_that_nobody_made_is_not_found(desk: Any) -> None:
    error = await error_of(desk.goodwill.GrantGoodwill(grant(new("customers"), 50, new("promises"))))
    assert (error.code(), reason(error)) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    assert "takes a moment" in str(error.details())


async def test_many_grants_at_once_stay_within_the_budget_of_a_customer(desk: Any) -> None:
    customer = new("customers")
    calls = [desk.insist(desk.goodwill.GrantGoodwill, grant(customer, 500)) for _ in range(12)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    errors = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert errors == ["OVER_BUDGET"] * 6
    assert await desk.points(await desk.account_of(customer)) == [3000]


async def test_many_grants_at_once_stay_within_the_budget_of_who_grants(start: Any, desk_of: Any) -> None:
    desk = desk_of(await start(service, goodwill_budget_grantor=2000))
    customers = [new("customers") for _ in range(8)]
    calls = [desk.insist(desk.goodwill.GrantGoodwill, grant(each, 500)) for each in customers]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    errors = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert errors == ["OVER_BUDGET"] * 4
    assert await desk.points("programs/main/accounts/points-goodwill") == [-2000]


async def test_a_budget_is_whole_again_after_its_period(start: Any, desk_of: Any, clock: Any) -> None:
    desk = desk_of(await start(service, goodwill_budget_grantor=2000, goodwill_budget_days=7))
    for _ in range(4):
        await desk.goodwill.GrantGoodwill(grant(new("customers"), 500))
    assert reason(await error_of(desk.goodwill.GrantGoodwill(grant(new("customers"), 1)))) == "OVER_BUDGET"
    clock.advance(timedelta(days=7))
    await desk.goodwill.GrantGoodwill(grant(new("customers"), 500))


async def test_the_policy_gives_what_is_left_of_a_customers_budget(running: Running, desk: Any) -> None:
    customer = new("customers")
    for points in (500, 500, 500, 500, 500, 450):
        await desk.goodwill.GrantGoodwill(grant(customer, points))
    for expected in ([50], [50]):
        promise = new("promises")
        event = renegotiated(customer, promise, timedelta(days=3))
        with capture_logs() as logs:
            await running.deliver(event, resource=promise, source="cases")
            await what_was_told_is_handled(running, promise)
        assert [log["promise"] for log in logs if "holds goodwill back" in log["event"]] == [promise]
        automatic = [f for f in await granted(running, customer) if f.data.promise]
        assert [fact.data.points for fact in automatic] == expected


@pytest.mark.parametrize("known", ["promise", "root"])
async def test_replicas_that_hear_of_promises_in_another_order_do_not_wait_for_each_other_in_a_circle(
    running: Running, known: str
) -> None:
    """Each waits between its first and its last row, for somebody who has the one in the middle."""

    def heard(i: int) -> Any:
        names = {"promise": new("promises"), "root": new("promises"), known: f"promises/{UUID(int=i)}"}
        return SimpleNamespace(data=PromiseAtRisk(customer=new("customers"), **names))

    async def hear(*order: int) -> None:
        async with running.db.transaction(lock_timeout_ms=20_000) as tx:
            await on_promises(tx, [heard(i) for i in order])

    async def both_wait() -> bool:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1"
        async with running.db.connection() as connection:
            database = await connection.fetchval("SELECT current_database()")
            return bool(await connection.fetchval(sql, database) == 2)

    with acting(Call("test", service_itself("loyalty"))):
        async with running.db.transaction() as between:
            await on_promises(between, [heard(2), heard(3)])
            replicas = [asyncio.create_task(hear(1, 2, 4)), asyncio.create_task(hear(4, 3, 1))]
            await eventually(both_wait)
    await asyncio.gather(*replicas)
