"""What people may do alone: policies in versions, and one answer to who asks."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest
from google.type.money_pb2 import Money
from prometheus_client import REGISTRY

from chassis.api.messages import timestamp, value_name
from chassis.grpc.status import refusal
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy
from rapport.cases.v1.authority_service_pb2 import (
    CheckAuthorityRequest,
    CreateAuthorityPolicyRequest,
    ExplainAuthorityPolicyRequest,
    GetAuthorityPolicyRequest,
    ListAuthorityPoliciesRequest,
    UpdateAuthorityPolicyRequest,
)
from rapport.cases.v1.authority_service_pb2_grpc import AuthorityServiceStub
from rapport.cases.v1.promise_service_pb2 import RenegotiatePromiseRequest
from rapport.common.v1.states_pb2 import HARM_LOSS, PROMISE_STATE_RENEGOTIATED
from rapport.common.v1.value_band_pb2 import VALUE_BAND_GOLD
from rapport.loyalty.v1.loyalty_events_pb2 import CustomerValueChanged, GoodwillGranted, GoodwillReversed
from rapport_testing.running import reason
from rapport_testing.wait import eventually

READ = "cases.authority_policies.read"
LEAD = "cases.agents.write"


def limit(points, **fields):
    return AuthorityPolicy.Limit(points=points, **fields)


@pytest.fixture
async def service(desk):
    return desk.running.stub(AuthorityServiceStub)


@pytest.fixture
def declare(service):
    async def create(policy_id, *limits, **fields):
        said = {"department": "departments/front-desk", "act": "AUTHORITY_ACT_GOODWILL"} | fields
        policy = AuthorityPolicy(limits=limits, **said)
        request = CreateAuthorityPolicyRequest(authority_policy_id=policy_id, authority_policy=policy)
        return await service.CreateAuthorityPolicy(request)

    return create


@pytest.fixture
def may(desk):
    """What somebody of the front desk is told of goodwill: how much, what is left, by what, and why."""

    async def ask(*permissions, department="front-desk", **about):
        stub = desk.running.stub(AuthorityServiceStub, [READ, *permissions], department=department)
        asked = about or {"customer": desk.customer}
        answer = await stub.CheckAuthority(CheckAuthorityRequest(act="AUTHORITY_ACT_GOODWILL", **asked))
        (told,) = answer.authorities
        return told.points, told.points_left, told.authority_policy, value_name(told, "reason")

    return ask


async def test_a_policy_has_versions_that_are_told_listed_and_explained(desk, service, declare):
    made = await declare("front-line", limit(500, rolling_day_points=2000))
    assert (made.version, made.etag) == (1, '"1"')
    changed = AuthorityPolicy(name=made.name, limits=[limit(700, permission=LEAD)], etag=made.etag)
    request = UpdateAuthorityPolicyRequest(authority_policy=changed, update_mask={"paths": ["limits"]})
    second = await service.UpdateAuthorityPolicy(request)
    first = GetAuthorityPolicyRequest(name=f"{made.name}/versions/1")
    assert (await service.GetAuthorityPolicy(first)).limits == made.limits
    assert (second.version, list(second.limits)) == (2, [limit(700, permission=LEAD)])
    assert await service.GetAuthorityPolicy(GetAuthorityPolicyRequest(name=made.name)) == second
    page = await service.ListAuthorityPolicies(ListAuthorityPoliciesRequest())
    assert list(page.authority_policies)[:1] == [second]
    created = (await desk.facts("AuthorityPolicyCreated"))[-1]
    (updated,) = await desk.facts("AuthorityPolicyUpdated")
    assert (created.data.version, list(created.data.limits)) == (1, list(made.limits))
    assert (updated.data.version, list(updated.data.limits)) == (2, list(second.limits))
    assert list(updated.data.updated_fields) == ["limits"]
    explained = await service.ExplainAuthorityPolicy(ExplainAuthorityPolicyRequest(name=made.name))
    assert "Authority policy updated" in explained.summary


async def test_what_is_the_same_is_no_version_and_what_is_stale_is_refused(service, declare, refused):
    made = await declare("front-line", limit(500))
    same = UpdateAuthorityPolicyRequest(authority_policy=made, update_mask={"paths": ["limits"]})
    assert await service.UpdateAuthorityPolicy(same) == made
    stale = AuthorityPolicy(name=made.name, disabled=True, etag='"7"')
    call = service.UpdateAuthorityPolicy(UpdateAuthorityPolicyRequest(authority_policy=stale))
    assert (await refused(call)).startswith("ABORTED")
    assert await refused(declare("front-line", limit(1))) == "ALREADY_EXISTS RESOURCE_EXISTS"


async def test_limits_are_in_the_unit_of_the_act_and_a_day_is_enough_for_one(declare, violations, service):
    wrong = await violations(declare("front-line", limit(500, rolling_day_points=499), limit(5, days=1)))
    assert list(wrong) == ["authority_policy.limits[0].rolling_day_points", "authority_policy.limits[1].days"]
    wrong = await violations(declare("dates", limit(500), act="AUTHORITY_ACT_EXTENSION"))
    assert list(wrong) == ["authority_policy.limits[0].points", "authority_policy.limits[0].days"]
    made = await declare("front-line", limit(500, rolling_day_points=500))
    changed = AuthorityPolicy(name=made.name, limits=[AuthorityPolicy.Limit(days=2)])
    call = service.UpdateAuthorityPolicy(UpdateAuthorityPolicyRequest(authority_policy=changed))
    assert "authority_policy.limits[0].points" in await violations(call)


async def test_a_role_is_a_permission_that_there_is(declare, violations):
    wrong = await violations(declare("front-line", limit(500, permission="loyalty.programs.rite")))
    assert [each[:18] for each in wrong.values()] == ["INVALID_PERMISSION"]
    for there_is in ("cases.departments.administer", "notifications.operations.read", LEAD):
        await declare(there_is.replace(".", "-").replace("_", "-"), limit(500, permission=there_is))


async def test_the_platform_says_from_the_beginning_what_may_be_granted_until_people_say_otherwise(
    desk, service, may
):
    assert await may() == (500, 500, "authorityPolicies/goodwill", "LIMIT")
    answer = await service.CheckAuthority(CheckAuthorityRequest(customer=desk.customer))
    acts = [(value_name(each, "act"), value_name(each, "reason")) for each in answer.authorities]
    assert acts[:2] == [("GOODWILL", "LIMIT"), ("EXTENSION", "NO_POLICY")]
    assert acts[2:] == [("REFUND", "NO_POLICY"), ("REPLACEMENT", "NO_POLICY")]
    off = AuthorityPolicy(name="authorityPolicies/goodwill", disabled=True)
    await service.UpdateAuthorityPolicy(UpdateAuthorityPolicyRequest(authority_policy=off))
    assert await may() == (0, 0, "", "NO_POLICY")


async def test_who_asks_has_the_highest_limit_of_their_department_by_what_their_token_says(declare, may):
    await declare("front-line", limit(500, rolling_day_points=2000), limit(900, permission=LEAD))
    await declare("everybody", limit(50), department="departments/platform")
    name = "authorityPolicies/front-line"
    assert await may() == (500, 500, name, "LIMIT")
    assert await may(LEAD) == (900, 900, name, "LIMIT")
    assert await may(LEAD, department="delivery") == (500, 500, "authorityPolicies/goodwill", "LIMIT")


async def test_a_policy_that_is_switched_off_is_as_if_it_were_not_there(declare, may, service):
    made = await declare("front-line", limit(500))
    off = AuthorityPolicy(name=made.name, disabled=True)
    await service.UpdateAuthorityPolicy(UpdateAuthorityPolicyRequest(authority_policy=off))
    assert await may() == (500, 500, "authorityPolicies/goodwill", "LIMIT")


async def test_the_harm_of_the_case_and_the_band_of_its_customer_count(desk, declare, may):
    await declare("front-line", limit(700, least_harm=HARM_LOSS), limit(900, least_band=VALUE_BAND_GOLD))
    assert await may() == (0, 0, "authorityPolicies/front-line", "NO_LIMIT_HOLDS")
    case = await desk.open(harm=HARM_LOSS)
    assert (await may(case=case.name))[0] == 700
    value = CustomerValueChanged(
        customer_value=desk.customer.replace("customers", "customerValues"),
        customer=desk.customer,
        band=VALUE_BAND_GOLD,
    )
    await desk.running.deliver(value, resource=value.customer_value, source="loyalty")

    async def worth_more():
        return (await may())[0] == 900

    await eventually(worth_more)


@pytest.mark.parametrize("about", [{}, {"customer": "x", "case": "x"}])
async def test_what_it_is_about_is_a_customer_or_a_case(desk, service, refused, about):
    case = await desk.open()
    named = {"customer": desk.customer, "case": case.name}
    call = service.CheckAuthority(CheckAuthorityRequest(**{each: named[each] for each in about}))
    assert await refused(call) == "INVALID_ARGUMENT REQUIRED"


async def test_of_two_who_change_the_version_that_both_have_read_one_wins(service, declare):
    made = await declare("front-line", limit(500))

    async def change(amount):
        policy = AuthorityPolicy(name=made.name, limits=[limit(amount)], etag=made.etag)
        request = UpdateAuthorityPolicyRequest(authority_policy=policy, update_mask={"paths": ["limits"]})
        try:
            return (await service.UpdateAuthorityPolicy(request)).version
        except grpc.aio.AioRpcError as error:
            return reason(error)

    answers = await asyncio.gather(*(change(amount) for amount in range(1, 7)))
    assert answers.count(2) == 1
    assert set(answers) == {2, "ETAG_MISMATCH"}


async def test_what_was_granted_elsewhere_leaves_less_until_it_is_taken_back_or_a_day_old(desk, declare, may):
    await declare("front-line", limit(500, rolling_day_points=800))
    names = {
        "goodwill": f"goodwill/{uuid4()}",
        "customer": desk.customer,
        "grantor": "agents/alice",
        "create_time": timestamp(desk.clock.now()),
    }

    async def told(kind, **fields):
        fact = kind(**names | fields)
        event = await desk.running.deliver(fact, resource=fact.goodwill, source="loyalty")
        await desk.taken_in(event)

    await told(GoodwillGranted, points=500)
    assert (await may())[:2] == (500, 300)
    await told(GoodwillGranted, points=500, goodwill=f"goodwill/{uuid4()}", grantor="services/loyalty")
    assert (await may())[:2] == (500, 300)
    await told(GoodwillReversed, points=500)
    assert (await may())[:2] == (500, 500)
    other = f"goodwill/{uuid4()}"
    await told(GoodwillReversed, points=500, goodwill=other)  # of which word comes first
    await told(GoodwillGranted, points=500, goodwill=other)
    assert (await may())[:2] == (500, 500)
    await told(GoodwillGranted, points=500, goodwill=f"goodwill/{uuid4()}")
    assert (await may())[:2] == (500, 300)
    desk.clock.advance(timedelta(days=1))
    assert (await may())[:2] == (500, 500)


@pytest.fixture
def put_off(desk):
    """Agrees with the customer on a date so many days later than the promise was due."""

    async def renegotiated(promise, days, **fields):
        due = promise.due_time.ToDatetime(tzinfo=desk.clock.now().tzinfo) + timedelta(days=days)
        said = {"due_time": timestamp(due), "reason_code": "x"} | fields
        return await desk.promises.RenegotiatePromise(RenegotiatePromiseRequest(name=promise.name, **said))

    return renegotiated


def days(most, **fields):
    return AuthorityPolicy.Limit(days=most, **fields)


DATES = {"act": "AUTHORITY_ACT_EXTENSION"}


def counted() -> list[float]:
    """Dates that were put off, those that were refused for either reason, and the days of them, so far."""
    acts = [{"act": "extension", "outcome": each} for each in ("done", "over_authority", "over_budget")]
    told = [REGISTRY.get_sample_value("rapport_authority_acts_total", labels) for labels in acts]
    used = REGISTRY.get_sample_value("rapport_authority_used_total", {"act": "extension"})
    return [each or 0.0 for each in (*told, used)]


async def test_what_is_done_alone_and_what_is_refused_of_it_are_counted(desk, declare, put_off, refused):
    promise, before = await desk.make(3), counted()
    await declare("dates", days(2, rolling_day_days=3), **DATES)
    assert await refused(put_off(promise, 3)) == "FAILED_PRECONDITION OVER_AUTHORITY"
    await put_off(promise, 2)
    assert await refused(put_off(await desk.make(3), 2)) == "FAILED_PRECONDITION OVER_BUDGET"
    assert [after - was for after, was in zip(counted(), before, strict=True)] == [1, 1, 1, 2]


async def test_a_date_is_put_off_as_far_as_somebody_may_alone(desk, declare, put_off, service):
    promise = await desk.make(3)
    await declare("dates", days(2, rolling_day_days=3), days(5, least_harm=HARM_LOSS), **DATES)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await put_off(promise, 2.1)
    assert refusal(caught.value).metadata["limit"] == "2"
    assert reason(caught.value) == "OVER_AUTHORITY"
    await put_off(promise, 2)
    (told,) = await desk.facts("PromiseRenegotiated")
    assert (told.data.authority_policy, told.data.policy_version) == ("authorityPolicies/dates", 1)
    answer = await service.CheckAuthority(CheckAuthorityRequest(customer=desk.customer))
    assert [(each.days, each.days_left) for each in answer.authorities[:2]] == [(0, 0), (2, 1)]
    harmed = await desk.make(3, case=(await desk.open(harm=HARM_LOSS)).name)
    await put_off(harmed, 5)


async def test_what_is_put_off_within_a_day_has_a_budget_but_not_what_the_customer_asked_for(
    desk, declare, put_off, refused
):
    first, second = await desk.make(3), await desk.make(3)
    await declare("dates", days(2, rolling_day_days=3), **DATES)
    await put_off(first, 2)
    assert await refused(put_off(second, 2)) == "FAILED_PRECONDITION OVER_BUDGET"
    sooner = await put_off(await desk.make(3), -1)
    asked = await put_off(await desk.make(3), 9, customer_requested=True)
    assert [each.state for each in (sooner, asked)] == [PROMISE_STATE_RENEGOTIATED] * 2
    desk.clock.advance(timedelta(days=1))
    await put_off(second, 2)


async def test_many_dates_put_off_at_once_stay_within_the_budget(desk, declare, put_off):
    promises = [await desk.make(3) for _ in range(6)]
    await declare("dates", days(2, rolling_day_days=6), **DATES)
    outcomes = await asyncio.gather(*(put_off(each, 2) for each in promises), return_exceptions=True)
    errors = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert errors == ["OVER_BUDGET"] * 3


def euros(amount, rolling=None):
    said = {"units": amount, "currency_code": "EUR"}
    day = {"rolling_day_money": {"units": rolling, "currency_code": "EUR"}} if rolling else {}
    return AuthorityPolicy.Limit(money=said, **day)


async def test_money_has_limits_in_one_currency_and_so_has_what_is_given_in_kind(
    declare, violations, service
):
    dollars = AuthorityPolicy.Limit(money={"units": 5, "currency_code": "USD"})
    wrong = await violations(declare("refunds", euros(25), dollars, act="AUTHORITY_ACT_REFUND"))
    assert list(wrong) == ["authority_policy.limits[1].money.currency_code"]
    mixed = AuthorityPolicy.Limit(money=dollars.money, rolling_day_money=euros(25).money)
    wrong = await violations(declare("refunds", mixed, act="AUTHORITY_ACT_REFUND"))
    assert list(wrong) == ["authority_policy.limits[0].rolling_day_money.currency_code"]
    wrong = await violations(declare("refunds", limit(5), euros(0), act="AUTHORITY_ACT_REPLACEMENT"))
    assert list(wrong) == [
        "authority_policy.limits[0].points",
        "authority_policy.limits[0].money",
        "authority_policy.limits[1].money",
    ]
    made = await declare("refunds", euros(25, 100), act="AUTHORITY_ACT_REFUND")
    assert list(made.limits) == [euros(25, 100)]
    assert await service.GetAuthorityPolicy(GetAuthorityPolicyRequest(name=made.name)) == made
    same = UpdateAuthorityPolicyRequest(authority_policy=made, update_mask={"paths": ["limits"]})
    assert await service.UpdateAuthorityPolicy(same) == made


async def test_money_that_was_granted_is_taken_off_what_may_be_given_today(desk, service, declare):
    await declare("refunds", euros(25, 40), act="AUTHORITY_ACT_REFUND")
    await declare("replacements", euros(60), act="AUTHORITY_ACT_REPLACEMENT")
    stub = desk.running.stub(AuthorityServiceStub, [READ], department="front-desk")
    granted = GoodwillGranted(
        goodwill=f"goodwill/{uuid4()}",
        customer=desk.customer,
        grantor="agents/alice",
        kind="GOODWILL_KIND_MONEY",
        money={"units": 20, "nanos": 500_000_000, "currency_code": "EUR"},
        create_time=timestamp(desk.clock.now()),
    )
    await desk.taken_in(await desk.running.deliver(granted, resource=granted.goodwill, source="loyalty"))

    answer = await stub.CheckAuthority(CheckAuthorityRequest(customer=desk.customer))
    acts = {value_name(each, "act"): each for each in answer.authorities}
    refund, replacement = acts["REFUND"], acts["REPLACEMENT"]
    assert (refund.money.units, replacement.money_left.units) == (25, 60)
    assert (refund.money_left.units, refund.money_left.nanos) == (19, 500_000_000)

    granted.goodwill = f"goodwill/{uuid4()}"
    granted.money.CopyFrom(Money(units=3000, currency_code="JPY"))
    granted.converted_money.CopyFrom(Money(units=19, currency_code="EUR"))
    await desk.taken_in(await desk.running.deliver(granted, resource=granted.goodwill, source="loyalty"))
    answer = await stub.CheckAuthority(CheckAuthorityRequest(customer=desk.customer))
    (refund,) = [each for each in answer.authorities if value_name(each, "act") == "REFUND"]
    assert (refund.money_left.units, refund.money_left.nanos) == (0, 500_000_000)
